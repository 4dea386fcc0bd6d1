"""Throughput of embedding through Spark, against the same TensorFlow function called in a bare loop.

    python tests/bench/embed_throughput.py [--images 4000] [--rounds 3] [--model facenet]

Spark (`local[2]`, one thread in each worker) reads aligned JPEG files, decodes, crops, embeds and writes Parquet. The
peer has the crops in memory, standardised: two processes of one thread, each calling the loaded model batch by batch.
Both are warm (model loaded) and take turns; the ratio is the median over the rounds, since other work on the machine
slows a round's two halves alike. Needs FACESIEVE_DATA and FACESIEVE_MODELS.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import numpy.typing as npt
from aligned_lfw import IMAGE_COLUMNS, aligned_plan
from bench_environment import PROFILES, lfw_images, one_thread, session
from pyspark.sql import SparkSession
from results import note

from facesieve import models
from facesieve.core import ids, profiles
from facesieve.core.sections import Embed
from facesieve.embed.crops import cut, faces
from facesieve.embed.decode import picture
from facesieve.embed.embeddings import ToEmbed, outcomes
from facesieve.embed.picture import Unusable
from facesieve.embed.worker import Plan
from facesieve.faces import pixels

WORKERS = 2
TASKS_PER_WORKER = 4


def crops(files: list[Path], profile: profiles.Profile, embed: Embed) -> npt.NDArray[np.float32]:
    """Decode and cut what Spark will decode and cut, and standardise it."""
    height, width = profile.input
    crops_of = []
    for file in files:
        image = picture(file.read_bytes(), embed)
        (outcome,) = faces([image], profile, embed)
        if not isinstance(outcome, Unusable):
            crops_of.append(cut(image, outcome[0], (height, width)))
    stacked = np.stack(crops_of)
    return pixels.prewhiten(stacked) if profile.normalisation == "prewhiten" else stacked


def bare_loop(files: list[Path], plan: Plan, pipe: Connection) -> None:
    """Embed this process's share of the crops each time it is told to, and say how long that took."""
    ready, size = crops(files, plan.profile, plan.embed), plan.embed.batch_images
    infer = models.load(plan.profile).infer
    infer(ready[:size])
    pipe.send(0.0)
    while pipe.recv():
        started = time.perf_counter()
        for first in range(0, len(ready), size):
            infer(ready[first : first + size])
        pipe.send(time.perf_counter() - started)


@contextmanager
def peers(files: list[Path], plan: Plan) -> Iterator[list[Connection]]:
    """One process per worker, model loaded and warm."""
    spawn = multiprocessing.get_context("spawn")
    pipes = []
    for share in range(WORKERS):
        here, there = spawn.Pipe()
        spawn.Process(target=bare_loop, args=(files[share::WORKERS], plan, there), daemon=True).start()
        pipes.append(here)
    for pipe in pipes:
        pipe.recv()
    yield pipes
    for pipe in pipes:
        pipe.send(False)


def peer_seconds(pipes: list[Connection]) -> float:
    """Seconds until the slower process is done."""
    for pipe in pipes:
        pipe.send(True)
    return max(float(pipe.recv()) for pipe in pipes)


def spark_seconds(images: ToEmbed, plan: Plan, sink: str) -> float:
    """Seconds from JPEG files to Parquet."""
    started = time.perf_counter()
    outcomes(images, plan).write.mode("overwrite").parquet(sink)
    return time.perf_counter() - started


def listed(spark: SparkSession, files: list[Path]) -> ToEmbed:
    """Make rows as the listing has them, spread evenly."""
    rows = [
        (ids.image_id(str(file), sha256), str(file), sha256, file.stat().st_size, None)
        for file in files
        for sha256 in [hashlib.sha256(file.read_bytes()).hexdigest()]
    ]
    images = spark.createDataFrame(rows, IMAGE_COLUMNS).repartition(WORKERS * TASKS_PER_WORKER)
    return ToEmbed(images.cache())


def start_seconds(model: str) -> tuple[float, float]:
    """Seconds, and those of a processor, until a fresh process has loaded TensorFlow and the model and tried it."""
    pipe, there = multiprocessing.get_context("spawn").Pipe()
    multiprocessing.get_context("spawn").Process(target=_start, args=(model, there), daemon=True).start()
    seconds: tuple[float, float] = pipe.recv()
    return seconds


def _start(model: str, pipe: Connection) -> None:
    profile, began, used = profiles.load(model, PROFILES), time.perf_counter(), time.process_time()
    models.load(profile)
    pipe.send((time.perf_counter() - began, time.process_time() - used))


def fetch(uri: str) -> bytes:
    """Read a local file."""
    return Path(uri).read_bytes()


def main() -> None:
    """Measure, and print both rates and their ratio."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=4_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--model", default="facenet")
    options = arguments.parse_args()
    one_thread()
    files, plan = lfw_images()[: options.images], aligned_plan(options.model, fetch)
    ready, processor = start_seconds(options.model)
    spark = session(WORKERS)
    with peers(files, plan) as pipes, tempfile.TemporaryDirectory() as sink:
        images = listed(spark, files)
        cold = len(files) / spark_seconds(images, plan, sink)
        print(f"first Spark run, TensorFlow and model loaded in it: {cold:.1f} images/s")
        rounds = [(spark_seconds(images, plan, sink), peer_seconds(pipes)) for _ in range(options.rounds)]
    spark.stop()
    ratios = [peer / ours for ours, peer in rounds]
    through, bare = (len(files) / statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    print(f"{options.model}, {len(files)} images, ratio by round: {', '.join(f'{ratio:.3f}' for ratio in ratios)}")
    print(f"Spark {through:.1f} images/s, bare loop {bare:.1f} images/s (medians)")
    note(
        f"embed_throughput_{options.model}",
        spark_to_bare=statistics.median(ratios),
        model_ready_seconds=ready,
        model_ready_processor=processor,
    )


if __name__ == "__main__":
    main()
