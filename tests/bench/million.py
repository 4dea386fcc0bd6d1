"""Decide and publish at scale: a million images in 50,000 folders, from tables to tables.

    python tests/bench/million.py                        # 1,000,000 images; target: under 300 s, no task over 1 GB
    python tests/bench/million.py --images 200000
    python tests/bench/million.py --images 200000 --set decide.keep=modes --fresh
    python tests/bench/million.py --base FOLDER          # and the same in another checkout of the project

The tables (`folders_at_scale`, `scale_lake`) are drawn once and stay under build/bench/million; jobs/decide.py and
jobs/publish.py (apply, output parquet) then run in a process each. Seconds of a stage are the ledger's, without the
start of Spark. A task's memory is at most what it takes in the JVM plus a whole Python worker.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import other_build
import scale_lake
import watched
from bench_environment import ROOT
from results import note

WORK = ROOT / "build" / "bench" / "million"
TARGET_SECONDS, TARGET_BYTES = 300, 1e9


def main() -> int:
    """Draw the tables if need be, decide, publish."""
    given = _arguments()
    lake, exports = WORK / f"lake-{given.images}", WORK / f"exports-{given.images}"
    if given.fresh:
        shutil.rmtree(lake, ignore_errors=True)
    if not (lake / "filled").exists():
        fill(lake, given.images)
    shutil.rmtree(exports, ignore_errors=True)
    settings = scale_lake.settings(lake) | dict(each.split("=", 1) for each in given.set)
    # `--full`: what an earlier call has left in the lake is not reused, whatever code made it.
    decide = watched.run("decide", settings, WORK / "events", ["--full"])
    print(decide.report("decide"))
    print({name: decide.record["stages"]["decide"][name] for name in ("verdicts", "reasons")}, flush=True)
    export = {"publish.apply": True, "publish.max_change": 1.0, "publish.outputs": '["parquet"]'}
    publish = watched.run("publish", settings | export | {"publish.export_root": exports}, WORK / "events", ["--full"])
    print(publish.report("publish"))
    both = (decide, publish)
    seconds = sum(
        each.record["stages"][name]["seconds"] for each, name in zip(both, ("decide", "publish"), strict=True)
    )
    task = max(each.task_peak + each.worker for each in both)
    print(
        f"{given.images:,} images: decide + publish {seconds:.1f} s (target at 1,000,000: under {TARGET_SECONDS}),"
        f" commands {sum(each.seconds for each in both):.1f} s; a task at most {task / 1e6:,.0f} MB"
        f" (target: under {TARGET_BYTES / 1e6:,.0f})"
    )
    note("million", **{f"seconds_{given.images}": seconds, f"task_gigabytes_{given.images}": task / 1e9})
    if given.base:
        theirs = other_build.seconds(given.base, "million", ["--images", str(given.images)], "decide + publish")
        note("million", **{f"to_base_{given.images}": seconds / theirs[0]})
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--fresh", action="store_true", help="draw the tables anew")
    parser.add_argument("--base", type=Path, help="another checkout")
    return parser.parse_args()


def fill(lake: Path, images: int) -> None:
    """Draw the tables, in a process of their own."""
    began = time.monotonic()
    shutil.rmtree(lake, ignore_errors=True)
    command = [sys.executable, str(ROOT / "tests/bench/scale_lake.py"), str(lake), str(images)]
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    (lake / "filled").touch()
    print(f"tables drawn in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
