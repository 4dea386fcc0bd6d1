"""A report at scale: a million images in 50,000 folders, decided, then reported without pictures.

    python tests/bench/report_at_scale.py                       # 1,000,000 images
    python tests/bench/report_at_scale.py --images 200000

The tables are those of `million.py`, drawn once. Printed are the seconds of the command, the memory of the driver
(the JVM with the tasks of `local`, and the Python process), and the size of the folder and of its largest file.
"""

from __future__ import annotations

import argparse
import shutil
import sys

import million
import scale_lake
import watched
from results import note


def main() -> int:
    """Draw the tables if need be, decide, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    images = parser.parse_args().images
    lake, out = million.WORK / f"lake-{images}", million.WORK / f"report-{images}"
    if not (lake / "filled").exists():
        million.fill(lake, images)
    settings = scale_lake.settings(lake)
    decided = watched.run("decide", settings, million.WORK / "events")
    print(f"decide: command {decided.seconds:.1f} s", flush=True)
    shutil.rmtree(out, ignore_errors=True)
    asked = {key: value for key, value in settings.items() if key.startswith("lake.")}
    report = watched.run("report", asked, million.WORK / "events", ["--out", str(out)])
    sizes = sorted(file.stat().st_size for file in (out / "data").iterdir())
    print(f"{images:,} images: {report.record}")
    print(
        f"report: {report.seconds:.1f} s; peak of the JVM {report.jvm / 1e6:,.0f} MB, of a Python worker"
        f" {report.worker / 1e6:,.0f} MB, of all processes {report.together / 1e6:,.0f} MB; {len(sizes)} data files,"
        f" {sum(sizes) / 1e6:.1f} MB, the largest {sizes[-1] / 1e6:.2f} MB"
    )
    if images == 1_000_000:
        note("report_at_scale", seconds=report.seconds, megabytes=sum(sizes) / 1e6)
    return 0


if __name__ == "__main__":
    sys.exit(main())
