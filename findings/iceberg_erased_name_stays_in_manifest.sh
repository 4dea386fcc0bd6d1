#!/usr/bin/env bash
# The name of a deleted person stays in an Iceberg table after its row, its data file and all former versions are gone.
#
# Expected   After a copy-on-write DELETE, expire_snapshots that leaves one snapshot, and remove_orphan_files, a search
#            of all bytes finds the name nowhere, also where the Avro blocks of manifests are inflated.
# Observed   The snapshot of the DELETE has a manifest that lists the removed data file as deleted, with the bounds of
#            each column: the name stands there as long as that snapshot is current. The next append leaves the name out
#            of the current manifests, and then one more expiry removes the name.
# Versions   iceberg-spark-runtime-3.5_2.12 1.10.2 (catalog of the type hadoop), pyspark 3.5.9, Java 17
# Source     https://iceberg.apache.org/docs/latest/maintenance/ (expire snapshots "to delete data files that are no
#            longer needed"); https://iceberg.apache.org/spec/#manifests (entries that are deleted carry the whole file).
# For users  After an erasure append once (no rows are enough) and expire again, or keep no bounds of names:
#            write.metadata.metrics.column.<name> = none or counts, before the first row.
set -euo pipefail
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -q 'version "17' || { echo "Java 17 is needed: set JAVA_HOME."; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9
cat > "$work/try.py" <<'PY'
import sys
import zlib
from datetime import datetime, timedelta
from pathlib import Path

from pyspark.sql import SparkSession

lake = Path(sys.argv[1]) / "lake"
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.jars.packages", "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2")
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.lake.type", "hadoop")
    .config("spark.sql.catalog.lake.warehouse", str(lake))
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")


def parts(content: bytes):
    """Give the file, and what is inflated of its blocks if it is Avro."""
    yield content
    if content[:4] == b"Obj\x01":
        for block in content.split(content[-16:])[1:]:
            for start in range(min(12, len(block))):
                try:
                    yield zlib.decompress(block[start:], -15)
                except zlib.error:
                    continue


def look(when: str) -> None:
    kinds = set()
    for file in (lake / "db/faces").rglob("*"):
        if not file.is_file() or file.name.startswith("."):
            continue
        if any(b"bob-the-second" in each for each in parts(file.read_bytes())):
            kinds.add("manifest" if file.name.endswith("-m0.avro") or "-m1" in file.name else file.suffix)
    print(f"{when}: {', '.join(sorted(kinds)) or 'nowhere'}")


def expire() -> None:
    later = (datetime.utcnow() + timedelta(days=1)).isoformat(" ")
    only = f"older_than => TIMESTAMP '{later}', retain_last => 1"
    spark.sql(f"CALL lake.system.expire_snapshots(table => 'db.faces', {only})")


spark.sql(
    "CREATE TABLE lake.db.faces (face_id bigint, identity string) USING iceberg "
    "TBLPROPERTIES ('format-version' = '2', 'write.delete.mode' = 'copy-on-write')"
)
for row in ((1, "ann-the-first"), (2, "bob-the-second"), (3, "cleo-the-third")):
    spark.createDataFrame([row], "face_id bigint, identity string").coalesce(1).writeTo("lake.db.faces").append()
spark.sql("DELETE FROM lake.db.faces WHERE face_id = 2")
expire()
before = (datetime.utcnow() - timedelta(days=2)).isoformat(" ")
spark.sql(f"CALL lake.system.remove_orphan_files(table => 'db.faces', older_than => TIMESTAMP '{before}')")
print("names in the table:", sorted(row.identity for row in spark.table("lake.db.faces").collect()))
print("snapshots:", spark.sql("SELECT * FROM lake.db.faces.snapshots").count())
look("after DELETE and expiry the name is in")
spark.createDataFrame([], "face_id bigint, identity string").coalesce(1).writeTo("lake.db.faces").append()
expire()
look("after an empty append and expiry the name is in")
PY
unset SPARK_HOME SPARK_CONF_DIR
PYSPARK_PYTHON="$work/env/bin/python" SPARK_LOCAL_IP=127.0.0.1 \
    "$work/env/bin/python" -W ignore "$work/try.py" "$work" 2> "$work/errors" | grep -v '^:: ' | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
names in the table: ['ann-the-first', 'cleo-the-third']
snapshots: 1
after DELETE and expiry the name is in: manifest
after an empty append and expiry the name is in: nowhere
SEEN
echo "As described."
