#!/usr/bin/env bash
# A vertex that stands twice in the vertices of a GraphFrame receives its messages four times, and no error is raised.
#
# Expected   Vertices with a repeated id are refused, or the repetition changes nothing. Two edges a-b and b-c of one vote
#            each give b one vote from a, and c one vote from b.
# Observed   With b given twice, b receives four votes and c two. connectedComponents returns b four times. degrees is
#            right, because degrees never joins the vertices.
# Versions   graphframes-py 0.10.0 and its jar 0.10.0 (classes out of zingg 0.7.0), pyspark 3.5.9, Python 3.11, Java 17
# Source     https://graphframes.io/02-quick-start/02-quick-start.html ("id" is a unique ID for each vertex): uniqueness is
#            a duty of the caller, and GraphFrame(...) does not check it.
# For users  Assert unique ids before a GraphFrame is made. A doubled row of one face outvotes its neighbours.
set -euo pipefail
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -version 2>&1 | grep -q 'version "17' || { echo "Java 17 is needed: set JAVA_HOME."; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 graphframes-py==0.10.0 \
    typing_extensions==4.15.0
"$work/env/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$work" zingg==0.7.0
cat > "$work/try.py" <<'PY'
import sys
import zipfile
from pathlib import Path

from graphframes import GraphFrame
from graphframes.lib import AggregateMessages
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

work = Path(sys.argv[1])
with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
    jars = [name for name in wheel.namelist() if name.endswith(".jar")]
    jar = wheel.extract(max(jars, key=lambda name: wheel.getinfo(name).file_size), work)
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.jars", jar)
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
spark.sparkContext.setCheckpointDir(str(work / "checkpoints"))
edges = spark.createDataFrame([("a", "b", 1), ("b", "c", 1)], "src string, dst string, vote int")


def shown(ids: str) -> None:
    graph = GraphFrame(spark.createDataFrame([(one,) for one in ids], "id string"), edges)
    message = F.sum(AggregateMessages.msg).alias("votes")
    print(ids, "votes:", rows(graph.aggregateMessages([message], sendToDst=[AggregateMessages.edge["vote"]])))
    print(ids, "degrees:", rows(graph.degrees))
    print(ids, "components:", [name for name, _ in rows(graph.connectedComponents())])


def rows(frame: DataFrame) -> list[tuple]:
    return sorted(map(tuple, frame.collect()))


shown("abc")
shown("abbc")
PY
unset SPARK_HOME SPARK_CONF_DIR
PYSPARK_PYTHON="$work/env/bin/python" SPARK_LOCAL_IP=127.0.0.1 \
    "$work/env/bin/python" -W ignore "$work/try.py" "$work" 2> "$work/errors" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
abc votes: [('b', 1), ('c', 1)]
abc degrees: [('a', 1), ('b', 2), ('c', 1)]
abc components: ['a', 'b', 'c']
abbc votes: [('b', 4), ('c', 2)]
abbc degrees: [('a', 1), ('b', 2), ('c', 1)]
abbc components: ['a', 'b', 'b', 'b', 'b', 'c']
SEEN
echo "As described."
