#!/usr/bin/env bash
# How many rows PySpark sends to Python at once is fixed by persist(), which computes nothing, and else by the action.
#
# Expected   spark.sql.execution.arrow.maxRecordsPerBatch counts where mapInArrow is called, or, as all is lazy, where an
#            action computes the rows: persist() is lazy too, so a number that is set behind it counts.
# Observed   Rows that are not persisted come in batches of the number that stands when the action begins. Persisted rows
#            come in batches of the number that stood when persist() was called, although they are computed later.
# Versions   pyspark 3.5.9, pyarrow 22.0.0, Python 3.11, Java 17
# Source     https://spark.apache.org/docs/3.5.3/api/python/user_guide/sql/arrow_pandas.html (setting Arrow batch size:
#            nothing is said of when it is read); Dataset.persist plans the query to be cached at once.
# For users  Set a number for wide rows, such as pictures, around persist() itself, and back behind it. A number that is
#            set for the action alone leaves persisted rows as they were: slow, or too large for the memory.
set -euo pipefail
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -q 'version "17' || { echo "Java 17 is needed: set JAVA_HOME."; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 pyarrow==22.0.0 pandas==2.3.3
cat > "$work/try.py" <<'PY'
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")


def at_once(rows: int) -> None:
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(rows))


def lengths(batches):
    for batch in batches:
        yield pa.RecordBatch.from_pydict({"rows": [batch.num_rows]})


def most(frame: DataFrame) -> int:
    return max(row.rows for row in frame.collect())


def asked() -> DataFrame:
    return spark.range(0, 9_000, 1, 1).mapInArrow(lengths, "rows long")


at_once(100)
plain = asked()
at_once(700)
print("asked for with 100, computed with 700:", most(plain))
at_once(100)
kept = asked()
at_once(300)
kept = kept.persist()
at_once(700)
print("asked for with 100, persisted with 300, computed with 700:", most(kept))
PY
unset SPARK_HOME SPARK_CONF_DIR
PYSPARK_PYTHON="$work/env/bin/python" SPARK_LOCAL_IP=127.0.0.1 \
    "$work/env/bin/python" -W ignore "$work/try.py" 2> "$work/errors" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
asked for with 100, computed with 700: 700
asked for with 100, persisted with 300, computed with 700: 300
SEEN
echo "As described."
