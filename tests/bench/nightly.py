"""A lake after thirty nightly runs, with and without maintenance: files, bytes, and what the next run costs.

    python tests/bench/nightly.py [--images 500] [--nights 30] [--share 0.02] [--rounds 2] [--place DIR]

Every night brings new images (aligned LFW, MobileFaceNet) and runs the whole job with `publish.apply`. Then the second
night, and the night after the last, are run again from saved lakes, beside each other: as the lake is, after
`maintain --apply`, and after one for which all runs but the newest are older than `maintain.keep_days`. Needs the
development data. All in one Spark session.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from bench_environment import CONFIG, DATA, lfw_images, session

from facesieve.cli import commands
from facesieve.cli.maintain import Maintenance

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
        """Let the images be there that have come until a night; night 1 brings the first."""
        shutil.rmtree(self.images, ignore_errors=True)
        for path in self.pool[: self.first + (night - 1) * self.more]:
            target = self.images / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)

    def run(self, night: int) -> dict[str, Any]:
        """Run the job and return its record."""
        self.come(night)
        return self.job("sieve", "--run", f"night-{night:02d}")

    def save(self, name: str) -> None:
        """Save the lake under a name."""
        shutil.copytree(self.lake, self.lake.with_name(f"saved-{name}"))

    def restore(self, name: str) -> None:
        """Let the lake be what was saved: where it was, since Iceberg notes whole paths."""
        shutil.rmtree(self.lake)
        shutil.copytree(self.lake.with_name(f"saved-{name}"), self.lake)

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


def maintained(nights: Nights, name: str) -> None:
    """Maintain the lake as all the nights have left it, and save it."""
    nights.restore("all")
    before, began = nights.size(), time.monotonic()
    answer = nights.job("maintain", "--apply")
    seconds = time.monotonic() - began
    expired = sum(table["expired"] for table in answer["tables"].values())
    rewritten = {
        table: sum(each["rewritten"].values()) - each["rewritten"]["bytes"] for table, each in answer["tables"].items()
    }
    print(
        f"maintain ({name}): {before} -> {nights.size()}, {expired} snapshots expired, {seconds:.1f} s; files rewritten: {rewritten}",
        flush=True,
    )
    nights.save(name)


def main() -> None:
    """Run the nights, then the second and the next one from saved lakes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=500)
    arguments.add_argument("--nights", type=int, default=30)
    arguments.add_argument("--share", type=float, default=0.02)
    arguments.add_argument("--rounds", type=int, default=2)
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
            if night == 1:
                nights.save("first")
        nights.save("all")
        maintained(nights, "recent runs can be undone")
        old = property(lambda _: datetime.now(UTC) + timedelta(hours=1))
        with mock.patch.object(Maintenance, "oldest", old):
            maintained(nights, "all but the newest run are old")
        compare(nights, options)
    spark.stop()


def compare(nights: Nights, options: argparse.Namespace) -> None:
    """Run the second night and the next one by turns."""
    cases = {"first": 2, "all": options.nights + 1}
    cases |= dict.fromkeys(("recent runs can be undone", "all but the newest run are old"), options.nights + 1)
    for _ in range(options.rounds):
        for name, night in cases.items():
            nights.restore(name)
            report(f"night {night}, from the lake: {name}", nights.run(night), nights)


if __name__ == "__main__":
    main()
