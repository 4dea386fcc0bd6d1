"""A lake after thirty nightly runs, with and without maintenance: files, bytes, and what the next run costs.

    python tests/bench/nightly.py [--images 300] [--nights 30] [--share 0.02] [--rounds 1] [--place DIR]

Every night brings new images (aligned LFW, MobileFaceNet). Real are the first run, one run that all nights but the
first bring their images to, and the runs that are measured. The versions of the nights between are made from the rows
of those two by the commits that a night makes. Then the second night, and the night after the last, are run from saved
lakes, beside each other: as the lake is, after `maintain --apply`, and after one for which all runs but the newest are
older than `maintain.keep_days`. Needs the development data. All in one Spark session.
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
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.cli import commands
from facesieve.cli.maintain import Maintenance
from facesieve.core import sections, tables
from facesieve.lake.catalog import Lake, Stamp

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


class Spread:
    """Makes of one run the versions that many nights would have made."""

    def __init__(self, spark: SparkSession, nights: int) -> None:
        self.spark, self.nights = spark, nights
        self.lake = Lake(spark, sections.Lake())
        self.now = {table.name: self.lake.snapshot(table) for table in tables.ALL}

    def all(self) -> None:
        """Write the nights of every table, and a row of the ledger for each."""
        whole = (tables.LISTING, tables.VOTES, tables.CLUSTERS, tables.DECISIONS, tables.CLEANED, tables.IDENTITY_LINKS)
        for table in whole:
            rows = self._rows(table)
            for night in range(self.nights):
                self._put(table, rows, night, {}, replace=True)
            print(table.name, flush=True)
        inputs: dict[str, int] = {}
        for table, key in ((tables.EMBEDDINGS, "face_id"), (tables.REJECTS, "image_id"), (tables.EPOCHS, "ids")):
            self._slices(table, key, {})
            inputs[table.name] = self.now[table.name].version
        self._slices(tables.EDGES, "src", {name: inputs[name] for name in ("embeddings", "epochs")})
        self._ledger()

    def _slices(self, table: tables.Table, key: str, inputs: dict[str, int]) -> None:
        rows = self._rows(table)
        slice_of = F.pmod(F.xxhash64(key), F.lit(self.nights))
        for night in range(self.nights):
            self._put(table, rows.where(slice_of == night), night, inputs, replace=night == 0)
        print(table.name, flush=True)

    def _rows(self, table: tables.Table) -> DataFrame:
        rows = self.lake.read(table, self.now[table.name]).localCheckpoint()
        return rows.coalesce(2)

    def _put(self, table: tables.Table, rows: DataFrame, night: int, inputs: dict[str, int], *, replace: bool) -> None:
        since = self.lake.snapshot(table)
        last, end = self.now[table.name], night == self.nights - 1
        stamp = Stamp(last.run, last.key, {**last.inputs, **inputs}) if end else Stamp(f"n{night}", f"n{night}", {})
        write = self.lake.overwrite if replace else self.lake.append
        written = write(table, rows, stamp, since)
        if end:
            self.now[table.name] = written

    def _ledger(self) -> None:
        rows = self.lake.read(tables.RUNS, self.now["runs"]).orderBy(F.desc("started")).limit(1).localCheckpoint()
        after = {name: each.id for name, each in self.now.items() if name != "runs"}
        for night in range(self.nights):
            name = f"fake-{night:02d}"
            pairs = F.create_map(*[F.lit(part) for pair in after.items() for part in pair])
            row = rows.withColumns({"run": F.lit(name), "before": pairs, "after": pairs})
            self.lake.put_row(tables.RUNS, row.withColumn("status", F.lit("started")), "run", name)
            self.lake.put_row(tables.RUNS, row, "run", name)


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
    tables_of = answer["tables"].items()
    rewritten = {table: sum(each["rewritten"].values()) - each["rewritten"]["bytes"] for table, each in tables_of}
    print(f"maintain ({name}): {before} -> {nights.size()}, {expired} snapshots expired, {seconds:.1f} s", flush=True)
    print(f"files rewritten: {rewritten}", flush=True)
    nights.save(name)


def main() -> None:
    """Run the nights, then the second and the next one from saved lakes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=300)
    arguments.add_argument("--nights", type=int, default=30)
    arguments.add_argument("--share", type=float, default=0.02)
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--place", default="")
    options = arguments.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return
    spark = session()
    with tempfile.TemporaryDirectory() as temporary:
        nights = Nights(Path(options.place or temporary), options)
        report("night 1", nights.run(1), nights)
        nights.save("first")
        report(f"nights 2 to {options.nights}", nights.run(options.nights), nights)
        Spread(spark, options.nights).all()
        print(f"spread over {options.nights} nights: {nights.size()}", flush=True)
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
