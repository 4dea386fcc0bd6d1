#!/usr/bin/env bash
# An Iceberg table is written in plain though the session, or the table itself, asks for encryption, and nothing says so.
#
# Expected   Keys for columns in the Spark configuration encrypt a Parquet file of Spark, so those of an Iceberg table too,
#            or the write is refused. A table with a key (encryption.key-id) is encrypted, or the write is refused.
# Observed   Spark's own Parquet file is encrypted. The Iceberg table of the same session is plain: Iceberg writes by a
#            copy of Parquet of its own, which asks no crypto factory. A table with encryption.key-id in a catalog of the
#            type hadoop is plain too, also with a key service that does not exist. There is no error and no warning.
# Versions   iceberg-spark-runtime-3.5_2.12 1.10.2, pyspark 3.5.9 (Parquet 1.13.1), Java 17
# Source     https://spark.apache.org/docs/3.5.9/sql-data-sources-parquet.html#columnar-encryption and
#            https://iceberg.apache.org/docs/nightly/encryption/ (names the Hive and the REST catalog as supported; that
#            another catalog ignores the key is not said).
# For users  Look into a file before you believe that a table is encrypted: its first four bytes are PARE, not PAR1, where
#            the footer is encrypted. Encrypt the disk or the bucket instead.
set -euo pipefail
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
"$java" -version 2>&1 | grep -q 'version "17' || { echo "Java 17 is needed: set JAVA_HOME."; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9
jars="$work/env/lib/python3.11/site-packages/pyspark/jars"
cat > "$work/Kms.scala" <<'SCALA'
package example

import java.util.Base64
import org.apache.hadoop.conf.Configuration

/** A key service for a test: it wraps a key by turning bits. */
class Kms extends org.apache.parquet.crypto.keytools.KmsClient {
  override def initialize(c: Configuration, instance: String, url: String, token: String): Unit = ()
  private def turned(key: Array[Byte]) = key.map(byte => (byte ^ 0x55).toByte)
  override def wrapKey(key: Array[Byte], id: String) = Base64.getEncoder.encodeToString(turned(key))
  override def unwrapKey(key: String, id: String) = turned(Base64.getDecoder.decode(key))
}
SCALA
"$java" -cp "$jars/*" scala.tools.nsc.Main -cp "$(echo "$jars"/*.jar | tr ' ' ':')" -d "$work/kms.jar" "$work/Kms.scala"
cat > "$work/try.py" <<'PY'
import sys
from pathlib import Path

from pyspark.sql import SparkSession

work = Path(sys.argv[1])
settings = {
    "spark.jars.packages": "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.2",
    "spark.driver.extraClassPath": f"{work}/kms.jar",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lake.type": "hadoop",
    "spark.sql.catalog.lake.warehouse": f"{work}/lake",
    "spark.sql.catalog.lake.encryption.kms-impl": "no.such.Service",
    "spark.hadoop.parquet.crypto.factory.class": "org.apache.parquet.crypto.keytools.PropertiesDrivenCryptoFactory",
    "spark.hadoop.parquet.encryption.kms.client.class": "example.Kms",
    "spark.hadoop.parquet.encryption.column.keys": "k1:identity",
    "spark.hadoop.parquet.encryption.footer.key": "k0",
    "spark.ui.enabled": "false",
}
builder = SparkSession.builder.master("local[1]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("WARN")
rows = spark.createDataFrame([(1, "ann-the-first")], "face_id bigint, identity string").coalesce(1)


def look(what: str, folder: Path) -> None:
    (file,) = folder.rglob("*.parquet")
    content = file.read_bytes()
    print(f"{what}: {content[:4].decode()}, the name is {'plain' if b'ann-the-first' in content else 'not there'}")


rows.write.option("compression", "none").parquet(f"{work}/files")
look("Parquet by Spark", work / "files")
for table, key in (("session", ""), ("key", ", 'encryption.key-id' = 'k1'")):
    for version in "23":
        name = f"lake.db.{table}{version}"
        asked = f"'format-version' = '{version}', 'write.parquet.compression-codec' = 'uncompressed'{key}"
        spark.sql(f"CREATE TABLE {name} (face_id bigint, identity string) USING iceberg TBLPROPERTIES ({asked})")
        rows.writeTo(name).append()
        look(f"Iceberg v{version}, {'key of the table' if key else 'keys of the session'}", work / f"lake/db/{table}{version}")
PY
unset SPARK_HOME SPARK_CONF_DIR
PYSPARK_PYTHON="$work/env/bin/python" SPARK_LOCAL_IP=127.0.0.1 \
    "$work/env/bin/python" -W ignore "$work/try.py" "$work" 2> "$work/errors" | grep -v '^:: ' | tee "$work/seen"
echo "warnings that speak of encryption: $(grep -ci encrypt "$work/errors" || true)" | tee -a "$work/seen"
diff "$work/seen" - <<'SEEN'
Parquet by Spark: PARE, the name is not there
Iceberg v2, keys of the session: PAR1, the name is plain
Iceberg v3, keys of the session: PAR1, the name is plain
Iceberg v2, key of the table: PAR1, the name is plain
Iceberg v3, key of the table: PAR1, the name is plain
warnings that speak of encryption: 0
SEEN
echo "As described."
