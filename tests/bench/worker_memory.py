"""Memory of the workers over many images: after 1,000 and after 20,000.

    python tests/bench/worker_memory.py [--images 20000] [--model facenet]

Aligned LFW images (repeated) go through `outcomes` in `local[2]`, 500 to a task, in workers that Spark uses again, as
in the job. A thread looks twice a second at the resident sizes of Spark's Python workers and of their decoders. Printed
is the greatest sum during the second 1,000 images, that during the last 1,000, and the growth.
Needs FACESIEVE_DATA and FACESIEVE_MODELS.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import threading
import time
from pathlib import Path

from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault("SPARK_CONF_DIR", str(ROOT / "conf" / "spark"))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ["PYTHONPATH"] = str(ROOT / "lib")
sys.path.insert(0, str(ROOT / "lib"))
for pool in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{pool}_NUM_THREADS"] = "1"

from facesieve.core import ids, profiles  # noqa: E402
from facesieve.core.config import Embed  # noqa: E402
from facesieve.embed.embeddings import ToEmbed, outcomes  # noqa: E402
from facesieve.embed.worker import Plan  # noqa: E402

MARKS = {"facesieve.embed.decoder_process": "decoders", "pyspark.daemon": "workers"}
ROUND = 1_000
TASK = 500


def resident() -> dict[str, float]:
    """Megabytes of the processes of this run by kind; what forked processes share is counted once for each."""
    found = dict.fromkeys(MARKS.values(), 0.0)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            pages = int((folder / "statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        kind = next((kind for mark, kind in MARKS.items() if mark in command and sys.prefix in command), None)
        if kind:
            found[kind] += pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return found


class Watch(threading.Thread):
    """The greatest sums since the last `take`."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = resident()
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.5):
            now = resident()
            self.most = {kind: max(size, now[kind]) for kind, size in self.most.items()}

    def take(self) -> dict[str, float]:
        taken, self.most = self.most, resident()
        return taken


def fetch(uri: str) -> bytes:
    """Read a local file; what follows `#` only makes names differ."""
    return Path(uri.partition("#")[0]).read_bytes()


def main() -> None:
    """Measure, and print both sizes and the growth."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=20_000)
    arguments.add_argument("--model", default="facenet")
    given = arguments.parse_args()
    files = sorted((Path(os.environ["FACESIEVE_DATA"]) / "lfw" / "images").rglob("*.jpg"))
    names = [f"{file}#{number}" for number, file in zip(range(given.images), itertools.cycle(files), strict=False)]
    profile, embed = profiles.load(given.model, str(ROOT / "conf" / "models")), Embed(detector="aligned")
    plan = Plan(profile, embed, profiles.model_id(profile, embed), fetch)
    spark = SparkSession.builder.master("local[2]").config("spark.python.worker.reuse", "true").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    watch, sizes, started = Watch(), [], time.perf_counter()
    watch.start()
    for start in range(0, len(names), ROUND):
        rows = [(ids.image_id(name, None), name, None, None, None) for name in names[start : start + ROUND]]
        columns = "image_id bigint, uri string, sha256 string, size bigint, content binary"
        images = ToEmbed(spark.createDataFrame(spark.sparkContext.parallelize(rows, ROUND // TASK), columns))
        outcomes(images, plan).write.format("noop").mode("overwrite").save()
        sizes.append(watch.take())
        print(f"{start + ROUND:,} images, {time.perf_counter() - started:.0f} s: {sizes[-1]}", flush=True)
    watch.over.set()
    spark.stop()
    first, last = sizes[min(1, len(sizes) - 1)], sizes[-1]
    for kind in first:
        print(
            f"{kind}: {first[kind]:.0f} -> {last[kind]:.0f} MB, growth {last[kind] / first[kind] - 1:+.1%} (target 5 %)"
        )


if __name__ == "__main__":
    main()
