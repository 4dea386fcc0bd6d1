"""A lake after thirty nightly runs, with and without maintenance: files, bytes, and what the next run costs.

    python tests/bench/nightly.py [--images 1000] [--nights 30] [--share 0.01] [--lake DIR]

Every night brings 1 % new images (aligned LFW, MobileFaceNet) and runs the whole job with `publish.apply`. Then the
lake is saved, and the same next night is run on it as it is, after `maintain --apply`, and after one that takes all
runs but the newest for older than `maintain.keep_days`. Needs the development data. All in one Spark session.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bench_environment import CONFIG, DATA, lfw_images, session

from facesieve.cli import commands

PEOPLE_OF = range(5, 31)
"""How many photographs a person has who is taken."""


class Nights:
    """The images of every night and the lake that they go to."""

    def __init__(self, place: Path, options: argparse.Namespace) -> None:
        by_person: dict[str, list[Path]] = {}
        for path in lfw_images():
            by_person.setdefault(path.parent.name, []).append(path)
        pool = [path for paths in by_person.values() if len(paths) in PEOPLE_OF for path in paths]
        random.Random(0).shuffle(pool)
        self.first, self.more = options.images, max(1, round(options.share * options.images))
        self.pool, self.images, self.lake = pool, place / "images", place / "lake"

    def come(self, night: int) -> None:
        """Put the images of a night where images are; night 1 brings the first."""
        end = self.first + (night - 1) * self.more
        for path in self.pool[end - self.more if night > 1 else 0 : end]:
            target = self.images / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)

    def run(self, night: int) -> dict[str, Any]:
        """Run the job and return its record."""
        self.come(night)
        return self.job("sieve", "--run", f"night-{night:02d}")

    def job(self, name: str, *more: str) -> dict[str, Any]:
        """Run a command on the lake and return what it prints."""
        values = {
            "lake.root": self.lake,
            "images.root": self.images,
            "embed.model": "mobilefacenet",
            "embed.detector": "aligned",
            "publish.apply": "true",
            "publish.max_change": 1,
            "link.scope": "identity",
        }
        sets = [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = commands.run(name, ["--config", CONFIG, "--json", *sets, *more])
        if code:
            raise SystemExit(f"{name} ended with {code}")
        answer: dict[str, Any] = json.loads(printed.getvalue().splitlines()[-1])
        return answer

    def size(self) -> str:
        """Say how many files the lake has, and how many bytes."""
        files = [path.stat().st_size for path in self.lake.rglob("*") if path.is_file()]
        return f"{len(files):,} files, {sum(files) / 1e6:,.1f} MB"


def cost(record: dict[str, Any]) -> dict[str, float]:
    """Sum up what the stages of a run cost."""
    stages = record["stages"].values()
    return {name: round(sum(stage[name] or 0 for stage in stages), 1) for name in ("seconds", "jobs", "tasks")}


def report(name: str, record: dict[str, Any], nights: Nights) -> None:
    """Print what a run cost, by stage too, and what the lake holds now."""
    stages = {stage: (each["seconds"], each["jobs"], each["tasks"]) for stage, each in record["stages"].items()}
    print(f"{name}: {cost(record)}, {nights.size()}; {stages}", flush=True)


def main() -> None:
    """Run the nights, then the next one on the lake in three states."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=1_000)
    arguments.add_argument("--nights", type=int, default=30)
    arguments.add_argument("--share", type=float, default=0.01)
    arguments.add_argument("--place", default="")
    options = arguments.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return
    spark = session()
    with tempfile.TemporaryDirectory() as temporary:
        nights = Nights(Path(options.place or temporary), options)
        for night in range(1, options.nights + 1):
            report(f"night {night}", nights.run(night), nights)
        report(f"night {options.nights + 1}", nights.run(options.nights + 1), nights)
    spark.stop()


if __name__ == "__main__":
    main()
