"""Hostile files through Spark: damaged ones by the thousand, and some made to exhaust a decoder.

    python tests/bench/hostile_files.py [--mutated 2000] [--seed 0] [--photographs]

The corpus of `tests/fixtures/hostile.py` is written to a folder, listed, and decoded and embedded in `local[2]` with
all formats allowed, the outcomes written to Parquet and counted from there; `--photographs` damages photographs of LFW
instead of small made pictures. Then each file is decoded once more by one decoder, with a clock. Exits 1 below a
target.
Needs FACESIEVE_DATA (for the model, and for --photographs).
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from bench_environment import DATA, PROFILES, session
from hostile import FORMATS, SUFFIXES, File, bombs, in_all_formats, mutated, sound
from pyspark.sql import SparkSession

from facesieve.core import profiles
from facesieve.core.profiles import Crop
from facesieve.core.sections import Embed, Images
from facesieve.embed import embeddings as stage
from facesieve.embed.decoder_client import Decoder
from facesieve.embed.embeddings import ToEmbed
from facesieve.embed.listing import listing
from facesieve.embed.picture import Unusable
from facesieve.embed.worker import Plan
from facesieve.images.sources import source

EMBED = Embed(formats=FORMATS, detector="aligned")
SECONDS, TASKS = 1.0, 8
CROP = Crop(60.0, 60.0, 45.0)
"""Inside the small made pictures too, so that what is decoded is embedded."""


def corpus(number: int, seed: int, photographs: bool) -> list[File]:
    """Damaged files, then bombs."""
    images = DATA / "lfw" / "images"
    files = sorted(images.rglob("*.jpg"))[::100] if photographs else []
    originals = in_all_formats(files) if files else sound()
    return [*mutated(number, seed, originals), *bombs()]


def through_spark(spark: SparkSession, root: Path, target: Path) -> tuple[Counter[str], Counter[str], int]:
    """Outcomes (a face, or the reason), how often each uri is in the Parquet written, and how many tasks failed."""
    images = Images(root=str(root), suffixes=tuple(SUFFIXES.values()))
    tree = source(images)
    listed = listing(tree.images(spark), None, images, tree.fetch())
    profile = dataclasses.replace(profiles.load("mobilefacenet", PROFILES), crop=CROP)
    plan = Plan(profile, EMBED, "any", tree.fetch())
    rows = ToEmbed(stage.listed_images(listed, tree).repartition(TASKS, "image_id"))
    spark.sparkContext.setJobGroup("hostile", "")
    stage.outcomes(rows, plan).write.parquet(str(target))
    rows_out = spark.read.parquet(str(target)).select("uri", "reason").collect()
    tracker, failed = spark.sparkContext.statusTracker(), 0
    for job in tracker.getJobIdsForGroup("hostile"):
        info = tracker.getJobInfo(job)
        stages = [tracker.getStageInfo(number) for number in info.stageIds] if info else []
        failed += sum(each.numFailedTasks for each in stages if each)
    return Counter(row.reason or "face" for row in rows_out), Counter(row.uri for row in rows_out), failed


def timed(files: list[File]) -> tuple[dict[str, list[float]], int]:
    """Seconds that one decoder takes for each file, by kind, and how often it had to be started again."""
    seconds: dict[str, list[float]] = {}
    decoder, control, restarts = Decoder(EMBED), sound()["00.jpg"], 0
    decoder.decode(control)
    for file in files:
        child, started = decoder._child, time.perf_counter()
        try:
            decoder.decode(file.content)
        except Unusable as why:
            if "crashed" in why.detail or "max_seconds" in why.detail:
                print(f"  {file.kind}, {file.name}: {why.detail}")
        seconds.setdefault(file.kind, []).append(time.perf_counter() - started)
        if decoder._child is not child:
            restarts += 1
            decoder.decode(control)
    decoder.close()
    return seconds, restarts


def main() -> int:
    """Measure, and print what became of the files and how long they took."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mutated", type=int, default=2_000)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--photographs", action="store_true")
    options = arguments.parse_args()
    files = corpus(options.mutated, options.seed, options.photographs)
    spark = session()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "files"
        root.mkdir()
        for file in files:
            (root / file.name).write_bytes(file.content)
        started = time.perf_counter()
        outcomes, uris, failed = through_spark(spark, root, Path(folder) / "outcomes.parquet")
        print(f"{len(files)} files through Spark in {time.perf_counter() - started:.0f} s: {dict(outcomes)}")
    spark.stop()
    seconds, restarts = timed(files)
    for kind, each in seconds.items():
        print(f"  {kind:24}{len(each):6} files   median {np.median(each):6.4f} s   greatest {max(each):6.3f} s")
    every = np.concatenate(list(seconds.values()))
    middle, late = np.quantile(every, (0.5, 0.99))
    missing = len({file.name for file in files} ^ set(uris)) + sum(number > 1 for number in uris.values())
    print(f"tasks lost: {failed} (target 0)   not accounted for: {missing} (target 0)   decoders replaced: {restarts}")
    print(f"s per image: median {middle:.4f}, 99th percentile {late:.3f} (target {SECONDS:g}), most {every.max():.3f}")
    return 0 if failed == missing == 0 and late <= SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
