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

from aligned_lfw import IMAGE_COLUMNS, aligned_plan
from bench_environment import lfw_images, one_thread, session
from results import note

from facesieve.core import ids
from facesieve.embed.embeddings import ToEmbed, outcomes

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
    options = arguments.parse_args()
    one_thread()
    files = itertools.cycle(lfw_images())
    names = [f"{file}#{number}" for number, file in zip(range(options.images), files, strict=False)]
    plan = aligned_plan(options.model, fetch)
    spark = session(2, {"spark.python.worker.reuse": "true"})
    watch, sizes, started = Watch(), [], time.perf_counter()
    watch.start()
    for start in range(0, len(names), ROUND):
        rows = [(ids.image_id(name, None), name, None, None, None) for name in names[start : start + ROUND]]
        images = ToEmbed(spark.createDataFrame(spark.sparkContext.parallelize(rows, ROUND // TASK), IMAGE_COLUMNS))
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
    note("worker_memory", **{f"growth_of_{kind}_{options.images}": last[kind] / first[kind] for kind in first})


if __name__ == "__main__":
    main()
