#!/usr/bin/env bash
# The end of a loop over a Java collection costs PySpark sixty-odd round trips to the JVM, however short the loop is.
#
# Expected   A list of one number takes a few round trips: one for the iterator, and one or two for each element.
# Observed   Py4J calls `next()` until Java throws NoSuchElementException. PySpark's conversion of exceptions then asks
#            twelve times whether that is an instance of a class of Spark, five round trips each, before Py4J turns it
#            into StopIteration. Without pyspark's conversion (Py4J alone) the same loop takes a handful.
# Versions   pyspark 3.5.9, py4j 0.10.9.9, Java 17, Python 3.11
# Source     https://www.py4j.org/advanced_topics.html#collections-conversion (Java collections are Python collections);
#            pyspark/errors/exceptions/captured.py (install_exception_handler, convert_exception)
# For users  Where a job reads small maps of Java often (summaries of Iceberg's snapshots, properties of tables), let
#            Java write them as one text, and parse that.
set -euo pipefail
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -q 'version "17' || { echo "Java 17 is needed: set JAVA_HOME."; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 py4j==0.10.9.9
cat > "$work/try.py" <<'PY'
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
client, asked = spark._jvm._gateway_client, []
send = client.send_command


def counted(command, *arguments, **more):
    # What begins with m lets go of an object that Python has dropped: when that comes is the garbage collector's affair.
    if not command.startswith("m\n"):
        asked.append(command)
    return send(command, *arguments, **more)


client.send_command = counted
numbers = spark._jvm.java.util.ArrayList()
for length in (1, 2, 3):
    numbers.add(length)
    list(numbers)  # the first loop also looks up what it needs
    asked.clear()
    for _ in numbers:
        pass
    kinds = sum("isInstanceOf" in each for each in asked) // 2
    lookups = sum("py4j" in each for each in asked)
    print(f"{length} in the list: {len(asked)} round trips, {lookups} of them to find out what the exception is ({kinds} classes)")
    asked.clear()
    text = numbers.toString()
    print(f"  as one text {text}: {len(asked)}")
PY
unset SPARK_HOME SPARK_CONF_DIR
PYSPARK_PYTHON="$work/env/bin/python" SPARK_LOCAL_IP=127.0.0.1 \
    "$work/env/bin/python" -W ignore "$work/try.py" 2> "$work/errors" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
1 in the list: 72 round trips, 60 of them to find out what the exception is (12 classes)
  as one text [1]: 1
2 in the list: 73 round trips, 60 of them to find out what the exception is (12 classes)
  as one text [1, 2]: 1
3 in the list: 74 round trips, 60 of them to find out what the exception is (12 classes)
  as one text [1, 2, 3]: 1
SEEN
echo "As described."
