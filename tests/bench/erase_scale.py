"""What an erasure costs in a large lake: one subject, and ten in one go, against the full run that made the lake.

    python tests/bench/erase_scale.py LAKE_FOLDER [--faces 1000000] [--images 8] [--drawn]

The faces are synthetic (`synthetic.py`), and the whole job brings them into a lake as vectors, with the names of their
people, `cleaned` and an export of Parquet. With `--drawn` the tables behind the edges are drawn (`erase_lake`), and
there is no full run to compare with. Then `jobs/erase.py --apply` takes one person away, and ten more in one go. A
subject is a person with so many images, drawn with seed 0; the images of a person are anywhere in the collection. A
folder that holds a lake is used again, and the people who are gone are passed over. Needs FACESIEVE_DATA.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import erase_lake
import numpy as np
import pyarrow.parquet as pq
import synthetic
import watched
from bench_environment import DATA
from results import note
from watched import Watched

PARTS = ("seconds", "processor", "together", "jvm", "worker", "task_peak", "spilled")
AT_ONCE = 10


def settings(folder: Path) -> dict[str, object]:
    """Return the keys of the run and of the erasures."""
    return {
        "lake.root": folder / "lake",
        "images.root": folder / "faces" / "faces.npy",
        "images.format": "vectors",
        "publish.export_root": folder / "export",
        "publish.outputs": '["parquet"]',
        "publish.apply": True,
        "erase.key_file": folder / "erase.key",
    }


def make(folder: Path, faces: int) -> None:
    """Draw the faces, and write their vectors and the names of their people."""
    drawn = synthetic.draw(synthetic.fit(synthetic.real()), faces)
    (folder / "faces").mkdir(parents=True, exist_ok=True)
    np.save(folder / "faces" / "faces.npy", drawn.vectors)
    names = "".join(f"person-{person:07d}\n" for person in drawn.people.tolist())
    (folder / "faces" / "faces.meta").write_text(names)


def full_run(folder: Path, faces: int) -> dict[str, Any]:
    """Run the whole job, or read what the run took that made the lake."""
    noted = folder / "full.json"
    if not noted.exists():
        make(folder, faces)
        run = watched.run("sieve", settings(folder), folder / "events")
        stages = {name: stage["seconds"] for name, stage in run.record["stages"].items()}
        noted.write_text(json.dumps(_figures(run) | {"stages": stages}))
    full = dict(json.loads(noted.read_text()))
    print(f"full run of {faces:,} faces: {_shown(full)}, steps: {full['stages']}", flush=True)
    return full


def drawn(folder: Path, faces: int) -> dict[str, Any]:
    """Draw a lake where there is none; there is no full run."""
    if not (folder / "lake").exists():
        synthetic.write(synthetic.draw(synthetic.fit(synthetic.real()), faces), folder / "faces")
        erase_lake.main(folder, folder / "faces")
    return {}


def erased(folder: Path, people: list[str]) -> Watched:
    """Erase people in one go, and print what that took."""
    chosen = [part for name in people for part in ("--identity", name)]
    run = watched.run("erase", settings(folder), folder / "events", [*chosen, "--apply"])
    with (folder / "gone.txt").open("a") as gone:
        gone.writelines(f"{name}\n" for name in people)
    proof = run.record["proof"]
    print(f"{len(people)} people, {run.record['images']} images: {_shown(_figures(run))}, proof: {proof['looked_at']}")
    print("\n".join(run.stage_lines(12)), flush=True)
    return run


def subjects(folder: Path, images: int) -> list[str]:
    """Draw people with so many images who are not gone."""
    meta = folder / "faces" / "faces.meta"
    every = meta.read_text().split() if meta.exists() else pq.read_table(meta.parent, columns=["identity"])["identity"]
    names, counts = np.unique(np.asarray(every), return_counts=True)
    gone = set((folder / "gone.txt").read_text().split()) if (folder / "gone.txt").exists() else set[str]()
    here = [name for name, count in zip(names.tolist(), counts.tolist(), strict=True) if count == images]
    return [name for name in random.Random(0).sample(here, len(here)) if name not in gone]


def _figures(run: Watched) -> dict[str, Any]:
    return {name: getattr(run, name) for name in PARTS}


def _shown(figures: dict[str, Any]) -> str:
    peaks = ", ".join(f"{name} {figures[name] / watched.MEGA:,.0f} MB" for name in PARTS[2:])
    return f"{figures['seconds']:.1f} s, of processors {figures['processor']:.0f} s, {peaks}"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--faces", type=int, default=1_000_000)
    arguments.add_argument("--images", type=int, default=8)
    arguments.add_argument("--drawn", action="store_true")
    options = arguments.parse_args()
    if not DATA.exists():
        print("skipped: FACESIEVE_DATA is not there, and faces are drawn from a fit to real ones")
        return 0
    full = drawn(options.folder, options.faces) if options.drawn else full_run(options.folder, options.faces)
    people = subjects(options.folder, options.images)
    one, ten = (erased(options.folder, people[first:end]) for first, end in ((0, 1), (1, 1 + AT_ONCE)))
    for name in ("seconds", "processor"):
        of_ten = getattr(ten, name) / getattr(one, name)
        note("erase_scale", **{f"{name}_of_ten": of_ten})
        if full:
            note("erase_scale", **{f"{name}_of_a_full_run": getattr(one, name) / full[name]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
