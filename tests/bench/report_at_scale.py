"""A report at scale: a million images in 50,000 folders, decided, then reported without pictures.

    python tests/bench/report_at_scale.py                       # 1,000,000 images
    python tests/bench/report_at_scale.py --images 200000
    python tests/bench/report_at_scale.py --images 200000 --drawn --one 100000

The tables are those of `million.py`, drawn once. `--drawn` draws the decisions too, in place of the step decide
(`drawn_run.py`), and `--one` puts that many images into one folder. Printed are the seconds of the command, the memory
of the driver (the JVM with the tasks of `local`, and the Python process), and the size of the folder and of its largest
file.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import million
import scale_lake
import watched
from bench_environment import ROOT
from results import note


def main() -> int:
    """Draw the tables if need be, decide or draw the decisions, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--drawn", action="store_true", help="draw the decisions")
    parser.add_argument("--one", type=int, default=0, help="images in one folder (with --drawn)")
    asked = parser.parse_args()
    images, name = asked.images, f"{asked.images}-{asked.one}" if asked.drawn else str(asked.images)
    lake, out = million.WORK / f"{'drawn' if asked.drawn else 'lake'}-{images}", million.WORK / f"report-{name}"
    settings = scale_lake.settings(lake)
    if asked.drawn:
        command = [sys.executable, str(ROOT / "tests/bench/drawn_run.py"), str(lake), str(images), str(asked.one)]
        subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    else:
        decide(lake, images)
    report(images, out, {key: value for key, value in settings.items() if key.startswith("lake.")})
    return 0


def decide(lake: Path, images: int) -> None:
    """Draw the tables if need be, and decide."""
    if not (lake / "filled").exists():
        million.fill(lake, images)
    decided = watched.run("decide", scale_lake.settings(lake), million.WORK / "events")
    print(f"decide: command {decided.seconds:.1f} s", flush=True)


def report(images: int, out: Path, settings: dict[str, object]) -> None:
    """Make the report, and say what it took."""
    shutil.rmtree(out, ignore_errors=True)
    made = watched.run("report", settings, million.WORK / "events", ["--out", str(out)])
    sizes = sorted(file.stat().st_size for file in (out / "data").iterdir())
    print(f"{images:,} images: {made.record}")
    print(
        f"report: {made.seconds:.1f} s; peak of the JVM {made.jvm / 1e6:,.0f} MB, of a Python worker"
        f" {made.worker / 1e6:,.0f} MB, of all processes {made.together / 1e6:,.0f} MB; {len(sizes)} data files,"
        f" {sum(sizes) / 1e6:.1f} MB, the largest {sizes[-1] / 1e6:.2f} MB"
    )
    if images == 1_000_000:
        note("report_at_scale", seconds=made.seconds, megabytes=sum(sizes) / 1e6)


if __name__ == "__main__":
    sys.exit(main())
