"""The link stage against its peers and against itself, on synthetic faces fitted to real ones (`make bench-link`).

    python tests/bench/link.py                    # everything: over an hour
    python tests/bench/link.py faiss 200000       # one part, and with which numbers of faces
    python tests/bench/link.py growth 50000 100000 200000
    python tests/bench/link.py alone 10000000     # some 15 GB on disk
    python tests/bench/link.py increment 1000000
    python tests/bench/link.py deletions 200000
    python tests/bench/link.py mllib 20000

Seconds are those of the stage as the ledger has them, in `spark-submit jobs/link.py` on a lake that holds embeddings:
from the embeddings' Parquet files to the edges' Parquet files, with recall measured, but without the start of Spark;
those of the whole command stand beside them. Needs FACESIEVE_DATA; data sets and lakes go to build/bench/link.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faked_lake
from bench_environment import DATA, ROOT
from results import note

WORK = ROOT / "build" / "bench" / "link"
GIGA = 1e9
GROWTH = (50_000, 100_000, 200_000, 400_000, 800_000)


def collection(faces: int, extra: int = 0) -> Path:
    """Return a folder of so many synthetic faces, or of `extra` more of the same collection; drawn once."""
    folder = WORK / (f"extra-{faces}-{extra}" if extra else f"faces-{faces}")
    if not folder.exists():
        command = [sys.executable, str(ROOT / "tests/bench/synthetic.py"), "--faces", str(faces), "--out", str(folder)]
        subprocess.run(command + (["--extra", str(extra)] if extra else []), check=True)
    return folder


def joined(faces: int, folder: Path | None, *, more: bool = False, full: bool = True) -> dict[str, Any]:
    """Run the link stage on a lake with these faces (in place of what it holds, or besides) and print what it took."""
    lake = WORK / f"lake-{faces}"
    if folder is not None:
        faked_lake.fill(lake, folder, more=more)
    stage, seconds, peak = faked_lake.link(lake, full=full)
    stage["gigabytes"] = peak / GIGA
    share = stage["candidates"] / (faces * (faces - 1) / 2) if stage.get("candidates") else math.nan
    print(
        f"facesieve {faces:>9,} faces: stage {stage['seconds']:.1f} s, command {seconds:.1f} s,"
        f" {stage['edges']:,} edges, recall {stage.get('recall') or math.nan:.4f},"
        f" candidates {share:.4%} of all pairs, peak {stage['gigabytes']:.2f} GB",
        flush=True,
    )
    return stage


def faiss(faces: int) -> None:
    """FAISS and the stage on the same faces at the same cosine."""
    script, folder = ROOT / "tests/bench/link_faiss.py", collection(faces)
    command = [sys.executable, str(script), str(folder), "--out", str(WORK / "faiss.parquet")]
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    theirs = {}
    for way in (["--plain"], []):
        output = subprocess.run([*command, *way], check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        print(output, end="")
        theirs["plain" if way else "by_cell"] = float(output.split(": ", 1)[1].split(" s", 1)[0])
    ours = joined(faces, folder)
    note("link", **{f"to_faiss_{way}_{faces}": ours["seconds"] / seconds for way, seconds in theirs.items()})
    note("link", **{f"recall_{faces}": ours["recall"]})


def alone(faces: int) -> None:
    """The stage without a peer: minutes, memory of all processes and recall."""
    stage = joined(faces, collection(faces))
    measured = {"minutes": stage["seconds"] / 60, "gigabytes": stage["gigabytes"], "recall": stage["recall"]}
    note("link", **{f"{name}_{faces}": value for name, value in measured.items()})


def growth(*numbers: int) -> None:
    """Seconds against faces at one recall, and the exponent between the first and each next."""
    taken = [(faces, joined(faces, collection(faces))["seconds"]) for faces in numbers or GROWTH]
    first = taken[0]
    for faces, seconds in taken[1:]:
        exponent = math.log(seconds / first[1]) / math.log(faces / first[0])
        print(f"from {first[0]:,} to {faces:,} faces: seconds ~ N^{exponent:.2f}", flush=True)


def increment(faces: int) -> None:
    """A second run after 1 % new faces against a full one."""
    base, more = collection(faces), collection(faces, faces // 100)
    shutil.rmtree(WORK / f"lake-{faces}", ignore_errors=True)
    joined(faces, base, full=False)
    second = joined(faces, more, more=True, full=False)
    full = joined(faces, None)
    note("link", **{f"increment_{faces}": second["seconds"] / full["seconds"]})


def deletions(faces: int) -> None:
    """A second run after 1 % of the faces have gone, where they are listed, and where files are rewritten."""
    base = collection(faces)
    for mode in ("merge-on-read", "copy-on-write"):
        shutil.rmtree(WORK / f"lake-{faces}", ignore_errors=True)
        joined(faces, base, full=False)
        faked_lake.thin(WORK / f"lake-{faces}", mode)
        second = joined(faces, None, full=False)
        files, total = faked_lake.files_of_edges(WORK / f"lake-{faces}")
        print(f"{mode}: second run {second['seconds']:.1f} s, {files} files of edges, {total / 1e6:.1f} MB", flush=True)


def mllib(faces: int) -> None:
    """MLlib's join and the stage on the same faces at the same cosine."""
    command = [sys.executable, str(ROOT / "tests/bench/link_mllib.py"), str(collection(faces))]
    subprocess.run([*command, "--out", str(WORK / "mllib.parquet")], check=True)
    joined(faces, collection(faces))


def main(arguments: list[str]) -> None:
    """Run the parts that are asked for."""
    if not DATA.exists():
        print("skipped: FACESIEVE_DATA is not there, and faces are drawn from a fit to real ones")
        return
    WORK.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Callable[..., None]] = {"faiss": faiss, "growth": growth, "increment": increment}
    parts |= {"deletions": deletions, "mllib": mllib, "alone": alone}
    if arguments:
        parts[arguments[0]](*map(int, arguments[1:]))
        return
    mllib(20_000)
    faiss(200_000)
    faiss(1_000_000)
    growth()
    increment(1_000_000)


if __name__ == "__main__":
    main(sys.argv[1:])
