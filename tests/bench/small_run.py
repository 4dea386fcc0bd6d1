"""The demonstration as a small run: the first run of a lake, and the same again, against another checkout.

    python tests/bench/small_run.py [--rounds 2] [--base FOLDER]

Each round runs `jobs/sieve.py` on the demonstration's photographs into a lake that is not there, and then once more,
when all is up to date. Seconds are the stages' as the ledger has them, added up; noted is the least of the rounds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from pathlib import Path

from bench_environment import ROOT
from other_build import environment_of
from results import note

WAYS = ("cold", "up_to_date")


def main() -> None:
    """Let the builds take turns."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--base", type=Path, help="another checkout")
    options = arguments.parse_args()
    checkouts = [ROOT, *([options.base.resolve()] if options.base else [])]
    rounds = [{checkout: both(checkout) for checkout in checkouts} for _ in range(options.rounds)]
    least = {checkout: [min(each[checkout][way] for each in rounds) for way in range(2)] for checkout in checkouts}
    ours = least[ROOT]
    note("small_run", **{f"{way}_seconds": seconds for way, seconds in zip(WAYS, ours, strict=True)})
    for theirs in list(least.values())[1:]:
        note("small_run", **{f"{way}_to_base": ours[at] / theirs[at] for at, way in enumerate(WAYS)})


def both(checkout: Path) -> list[float]:
    """Return the seconds of a first run by a build and of the run after it."""
    if not (checkout / "build/demo/images").exists():
        plant = [str(checkout / ".venv/bin/python"), "tests/demo/plant.py"]
        subprocess.run(plant, cwd=checkout, env=environment_of(checkout), check=True, stdout=subprocess.DEVNULL)
    for made in ("lake", "export"):
        shutil.rmtree(checkout / "build/demo" / made, ignore_errors=True)
    return [stages(checkout, way) for way in WAYS]


def stages(checkout: Path, way: str) -> float:
    """Run the whole job once; print and add up the seconds of its stages."""
    command = [str(checkout / ".venv/bin/spark-submit"), "jobs/sieve.py", "--config", "conf/pipeline.toml", "--json"]
    command += ["--overlay", "conf/env/demo.toml"]
    ended = subprocess.run(command, cwd=checkout, env=environment_of(checkout), stdout=subprocess.PIPE, check=True)
    record = json.loads(ended.stdout.splitlines()[-1])
    seconds = {name: round(float(stage["seconds"]), 1) for name, stage in record["stages"].items()}
    print(f"{checkout}, {way}: {sum(seconds.values()):.1f} s {seconds}", flush=True)
    return sum(seconds.values())


if __name__ == "__main__":
    main()
