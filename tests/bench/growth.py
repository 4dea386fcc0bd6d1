"""How the whole job grows with the collection: from vectors to verdicts and an export, 10,000 faces to a million.

    python tests/bench/growth.py FOLDER [--faces 10000 100000 1000000]

Each collection is made and run by `erase_scale`, in FOLDER/FACES, which that script can go on with. Printed are the
seconds of the stages, and the exponent e of seconds ~ faces^e between the first and each next collection.
Needs FACESIEVE_DATA.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from bench_environment import DATA
from erase_scale import full_run
from results import note

FACES = (10_000, 100_000, 1_000_000)


def main() -> None:
    """Run them all, the smallest first."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--faces", type=int, nargs="+", default=FACES)
    options = arguments.parse_args()
    if not DATA.exists():
        print("skipped: FACESIEVE_DATA is not there, and faces are drawn from a fit to real ones")
        return
    first = None
    for faces in options.faces:
        seconds = sum(full_run(options.folder / str(faces), faces)["stages"].values())
        first = first or (faces, seconds)
        if faces > first[0]:
            exponent = math.log(seconds / first[1]) / math.log(faces / first[0])
            note("growth", **{f"exponent_{first[0]}_{faces}": exponent})


if __name__ == "__main__":
    main()
