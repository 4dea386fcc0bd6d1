#!/usr/bin/env bash
# Reading the data folder of an Iceberg table as plain Parquet brings deleted rows back, and counts the deletions as rows.
#
# Expected   After one of three rows is deleted, reading the folder gives two rows, or an error.
# Observed   Spark's Parquet reader gives four rows: the three written ones, the deleted one among them, and one row of
#            nulls. That row is the deletion itself, whose Parquet file lies in the same folder. pyarrow does likewise.
# Versions   iceberg-spark-runtime-3.5_2.12 1.10.2 (merge-on-read deletes), pyspark 3.5.9, pyarrow 26.0.1, Java 17
# Source     https://iceberg.apache.org/spec/#row-level-deletes (delete files are data files of their own kind, found by
#            the metadata only).
# For users  An erased face is back for everybody who globs the folder. Read tables through Iceberg, or compact them first.
set -euo pipefail
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -q 'version "17' || { echo "Java 17 is needed: set JAVA_HOME."; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 pyarrow==26.0.1
cat > "$work/try.py" <<'PY'
import sys

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

lake = f"{sys.argv[1]}/lake"
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.jars.packages", "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2")
    .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
    .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
    .config("spark.sql.catalog.lake.type", "hadoop")
    .config("spark.sql.catalog.lake.warehouse", lake)
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
rows = spark.createDataFrame([(1, "ann"), (2, "bob"), (3, "cleo")], "face_id bigint, identity string").coalesce(1)
spark.sql(
    "CREATE TABLE lake.db.faces (face_id bigint, identity string) USING iceberg "
    "TBLPROPERTIES ('format-version' = '2', 'write.delete.mode' = 'merge-on-read')"
)
rows.writeTo("lake.db.faces").append()
spark.sql("DELETE FROM lake.db.faces WHERE identity = 'bob'")
print("table:", sorted(row.identity for row in spark.table("lake.db.faces").collect()))
folder = spark.read.parquet(f"{lake}/db/faces/data")
print("folder by Spark:", sorted(str(row.identity) for row in folder.collect()))
print("folder by pyarrow:", pq.ParquetDataset(f"{lake}/db/faces/data").read(columns=[]).num_rows, "rows")
PY
unset SPARK_HOME SPARK_CONF_DIR
PYSPARK_PYTHON="$work/env/bin/python" SPARK_LOCAL_IP=127.0.0.1 \
    "$work/env/bin/python" -W ignore "$work/try.py" "$work" 2> "$work/errors" | grep -v '^:: ' | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
table: ['ann', 'cleo']
folder by Spark: ['None', 'ann', 'bob', 'cleo']
folder by pyarrow: 4 rows
SEEN
echo "As described."
