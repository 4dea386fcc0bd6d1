#!/usr/bin/env bash
# A reused Python worker of PySpark reads the directory of Spark's own jar again before every task.
#
# Expected   `spark.python.worker.reuse` (true) leaves a task the cost of its function, since all is imported already.
# Observed   Before each task the worker calls `importlib.invalidate_caches()`. Up to Python 3.11 every zip file on its
#            path is then read at once. PySpark puts spark-core's jar there, of 5,000 entries: most of a small task.
# Versions   pyspark 3.5.9, Python 3.11
# Source     https://spark.apache.org/docs/3.5.9/configuration.html (spark.python.worker.reuse);
#            https://docs.python.org/3.11/library/importlib.html#importlib.invalidate_caches
# For users  Fewer and larger tasks; or, once in a worker, let the zip importers that are there forget nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 pyarrow==21.0.0 pandas==2.3.3 numpy==2.3.4
cat > "$work/try.py" <<'PY'
from pyspark.sql import SparkSession

TASKS = 10


def reads_of_jars(batches):
    """Note from the second task on which jars this worker has read for a task: one look each."""
    import os
    import zipimport

    import pyarrow as pa

    if not hasattr(zipimport, "noted"):
        zipimport.noted, reading = [], zipimport._read_directory
        zipimport._read_directory = lambda path: zipimport.noted.append(os.path.basename(path)) or reading(path)
    before, zipimport.noted[:] = [name for name in zipimport.noted if "spark-core" in name], []
    for _ in batches:
        yield pa.RecordBatch.from_pydict({"worker": [os.getpid()], "reads": [len(before)]})


spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
rows = spark.range(0, TASKS, 1, TASKS).mapInArrow(reads_of_jars, "worker long, reads long").collect()
print("workers:", len({row.worker for row in rows}))
print("reads of spark-core's jar before tasks 2 to 10:", sorted(row.reads for row in rows)[1:])
PY
(cd "$work" && PYSPARK_PYTHON="$work/env/bin/python" env/bin/python try.py 2> errors) | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
workers: 1
reads of spark-core's jar before tasks 2 to 10: [2, 2, 2, 2, 2, 2, 2, 2, 2]
SEEN
echo "As described."
