#!/usr/bin/env bash
# `F.col` asks the JVM three times, each time anew: for the class `functions`, for its member `col`, and for the column.
#
# Expected   The class of a function and the member of a class do not change while a session lives: after the first call
#            a column is one round trip.
# Observed   Each call is three. The first, a lookup of the bare name `functions`, tries it in each package that PySpark
#            has imported: the class loader searches all jars in vain for most of them.
# Versions   pyspark 3.5.9, py4j 0.10.9.9, Java 17, Python 3.11
# Source     pyspark/sql/functions.py (_get_jvm_function); py4j/java_gateway.py (JVMView, JavaClass keep nothing)
# For users  Programs that build large plans of many columns may put the looked-up class into the attribute
#            `spark._jvm.functions`, which then is found by Python. The members may be kept in the same way.
set -euo pipefail
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -q 'version "17' || { echo "Java 17 is needed: set JAVA_HOME."; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 py4j==0.10.9.9
cat > "$work/try.py" <<'PY'
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
client, asked = spark._jvm._gateway_client, []
send = client.send_command


def counted(command, *arguments, **more):
    # What begins with m lets go of an object that Python has dropped: when that comes is the garbage collector's affair.
    if not command.startswith("m\n"):
        asked.append(" ".join(command.split("\n")[:3]))
    return send(command, *arguments, **more)


client.send_command = counted
F.col("warm")
for name in ("one", "two"):
    asked.clear()
    F.col(name)
    print(f"column {name}: {len(asked)} round trips:", "; ".join(asked))
spark._jvm.functions = spark._jvm.functions
asked.clear()
F.col("three")
print(f"with the class kept: {len(asked)}")
PY
unset SPARK_HOME SPARK_CONF_DIR
PYSPARK_PYTHON="$work/env/bin/python" SPARK_LOCAL_IP=127.0.0.1 \
    "$work/env/bin/python" -W ignore "$work/try.py" 2> "$work/errors" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
column one: 3 round trips: r u functions; r m org.apache.spark.sql.functions; c z:org.apache.spark.sql.functions col
column two: 3 round trips: r u functions; r m org.apache.spark.sql.functions; c z:org.apache.spark.sql.functions col
with the class kept: 2
SEEN
echo "As described."
