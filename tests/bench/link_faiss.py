"""The peer of the collection's join: FAISS `IndexIVFFlat.range_search`, two threads, from Parquet to Parquet.

    python tests/bench/link_faiss.py FOLDER --out EDGES                          # its best settings for so many faces
    python tests/bench/link_faiss.py FOLDER --out EDGES --nlist 1024 --nprobe 6  # others
    python tests/bench/link_faiss.py FOLDER --tune                               # look for the best

FOLDER is one of `synthetic.py`; the cosine is the job's own, three false matches per face, unless `--cosine` is given.
A pair counts as found if a search from either of its faces finds it. Recall: all true edges of 1,000 faces, by brute
force. Prints seconds by part, peak resident memory and recall. FAISS is installed under .cache/bench at first use
(conf/setup/bench.lock), beside the project's environment.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import synthetic
from bench_environment import ROOT
from synthetic import Numbers, Vectors
from truth import derived_cosine, recall, true_edges

PACKAGES = ROOT / ".cache" / "bench"
LOCK = ROOT / "conf" / "setup" / "bench.lock"
RECALL = 0.98
THREADS = 2
ROW_GROUP = 1_000_000
_BATCH = 50_000


@dataclass(frozen=True)
class Settings:
    """How the index is built and searched; `by_cell` takes the faces in the order of their cells.

    The lists of a cell then stay in cache, and a face's probes are found once, for adding and for searching.
    """

    nlist: int
    nprobe: int
    per_centroid: int = 25
    iterations: int = 4
    by_cell: bool = True


# At the job's cosines (0.620 to 0.767) and recall 0.98. Timed against other settings at 200,000 and at 1,000,000 faces,
# by processor time on a busy machine; elsewhere nlist is interpolated, with the least nprobe that will do.
BEST = {
    20_000: Settings(nlist=400, nprobe=3),
    50_000: Settings(nlist=700, nprobe=4),
    100_000: Settings(nlist=1_000, nprobe=4),
    200_000: Settings(nlist=1_500, nprobe=5),
    400_000: Settings(nlist=2_400, nprobe=6),
    800_000: Settings(nlist=4_096, nprobe=6),
    1_000_000: Settings(nlist=4_096, nprobe=6),
}


@dataclass
class Timings:
    """Seconds by part, in order, and what came of them."""

    faces: int
    cosine: float
    settings: Settings
    pairs: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    peak_bytes: int = 0

    @property
    def total(self) -> float:
        """Seconds from Parquet to Parquet."""
        return sum(self.seconds.values())

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the time of the block to a part."""
        started = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - started

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in self.seconds.items())
        return f"{self.settings}: {self.total:.2f} s ({parts}), {self.pairs:,} pairs, {self.peak_bytes / 1e9:.2f} GB"


def best(faces: int) -> Settings:
    """Best known settings for the nearest number of faces."""
    return BEST[min(BEST, key=lambda known: abs(np.log(known / faces)))]


def run(folder: Path, out: Path, cosine: float, settings: Settings) -> Timings:
    """Link the faces of a Parquet folder and write src, dst and cosine to a Parquet file, each pair once, src < dst."""
    faiss = _faiss()
    timings = Timings(0, cosine, settings)
    with timings.timed("read"):
        ids, vectors = synthetic.read(folder)
    timings.faces = len(ids)
    with timings.timed("train"):
        index = _trained(faiss, vectors, settings)
    if settings.by_cell:
        ids, hits = _search_by_cell(faiss, index, (ids, vectors), timings)
    else:
        with timings.timed("add"):
            index.add(vectors)
        with timings.timed("search"):
            hits = [index.range_search(vectors[rows], cosine) for rows in _batches(len(ids))]
    with timings.timed("pairs"):
        src, dst, cosines = _pairs(ids, hits)
    with timings.timed("write"):
        table = pa.table({"src": src, "dst": dst, "cosine": cosines})
        pq.write_table(table, out, compression="zstd", use_dictionary=False, row_group_size=ROW_GROUP)
    timings.pairs = len(src)
    timings.peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return timings


def _trained(faiss: Any, vectors: Vectors, settings: Settings) -> Any:
    quantizer = faiss.IndexFlatIP(vectors.shape[1])
    index = faiss.IndexIVFFlat(quantizer, vectors.shape[1], settings.nlist, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = settings.nprobe
    index.cp.niter, index.cp.spherical = settings.iterations, True
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, settings.per_centroid
    size = min(len(vectors), settings.nlist * settings.per_centroid)
    index.train(vectors[np.sort(np.random.default_rng(0).choice(len(vectors), size, replace=False))])
    return index


def _search_by_cell(
    faiss: Any, index: Any, faces: tuple[Numbers, Vectors], timings: Timings
) -> tuple[Numbers, list[Any]]:
    """Return the ids in the order of the cells, and the hits of all faces in that order."""
    ids, vectors = faces
    with timings.timed("add"):
        probes = index.quantizer.assign(vectors, index.nprobe)
        order = np.argsort(probes[:, 0], kind="stable")
        ids, vectors, probes = ids[order], vectors[order], probes[order]
        faiss.contrib.ivf_tools.add_preassigned(index, vectors, np.ascontiguousarray(probes[:, 0]))
    with timings.timed("search"):
        search = faiss.contrib.ivf_tools.range_search_preassigned
        hits = [search(index, vectors[rows], timings.cosine, probes[rows]) for rows in _batches(len(ids))]
    return ids, hits


def _batches(faces: int) -> list[slice]:
    return [slice(start, min(start + _BATCH, faces)) for start in range(0, faces, _BATCH)]


def _pairs(ids: Numbers, hits: list[Any]) -> tuple[Numbers, Numbers, Vectors]:
    """Make each pair one row, whichever of its faces found it."""
    keys, cosines = [], []
    for rows, (ends, similar, found) in zip(_batches(len(ids)), hits, strict=True):
        asked = np.repeat(np.arange(rows.start, rows.stop), np.diff(ends.astype(np.int64)))
        other = asked != found
        one, two = asked[other], found[other]
        keys.append(np.minimum(one, two) * len(ids) + np.maximum(one, two))
        cosines.append(similar[other])
    hits.clear()
    key = np.concatenate(keys)
    order = np.argsort(key)
    key = key[order]
    first = np.concatenate([[True], key[1:] != key[:-1]])
    one, two = (ids[rows] for rows in np.divmod(key[first], len(ids)))
    return np.minimum(one, two), np.maximum(one, two), np.concatenate(cosines)[order[first]]


def tune(folder: Path, cosine: float, grid: list[Settings]) -> list[Timings]:
    """Time each setting with the least nprobe that reaches `RECALL`; fastest first.

    Which probes a pair needs is read off the two faces' lists, so that only the final settings are searched. The faces
    are others than those on which `recall` is measured afterwards.
    """
    ids, vectors = synthetic.read(folder)
    one, two = true_edges(ids, vectors, cosine, seed=1)
    faiss, done = _faiss(), []
    for settings in grid:
        index = _trained(faiss, vectors, settings)
        most = min(settings.nlist, settings.nprobe)
        lists = [index.quantizer.assign(vectors[rows], most) for rows in (one, two)]
        met = (lists[0] == lists[1][:, :1]) | (lists[1] == lists[0][:, :1])
        reached = np.mean(np.maximum.accumulate(met, axis=1), axis=0)
        if reached[-1] < RECALL:
            print(f"{settings}: recall {reached[-1]:.4f}", flush=True)
            continue
        nprobe = int(np.argmax(reached >= RECALL)) + 1
        with tempfile.TemporaryDirectory() as out:
            done.append(run(folder, Path(out) / "edges.parquet", cosine, replace(settings, nprobe=nprobe)))
        print(f"{done[-1]}, recall {reached[nprobe - 1]:.4f}", flush=True)
    return sorted(done, key=lambda timings: timings.total)


def grid(faces: int) -> list[Settings]:
    """Settings around what is known to be good: nlist from 1 to 8 roots of the number of faces."""
    roots = (1, 2, 4, 8)
    lists = sorted({2 ** round(np.log2(root * np.sqrt(faces))) for root in roots})
    training = ((25, 4), (40, 4))
    return [
        Settings(nlist, 64, points, iterations, by_cell)
        for nlist, (points, iterations), by_cell in itertools.product(lists, training, (False, True))
    ]


def _faiss() -> Any:
    """Import FAISS, installing it beside the project's environment if it is not there."""
    if not (PACKAGES / "faiss").is_dir():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*install, "--require-hashes", "--target", str(PACKAGES), "-r", str(LOCK)], check=True)
    if str(PACKAGES) not in sys.path:
        sys.path.append(str(PACKAGES))
    faiss = importlib.import_module("faiss")
    importlib.import_module("faiss.contrib.ivf_tools")
    faiss.omp_set_num_threads(THREADS)
    return faiss


def main() -> None:
    """Run once, or tune."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cosine", type=float)
    parser.add_argument("--nlist", type=int)
    parser.add_argument("--nprobe", type=int, default=8)
    parser.add_argument("--plain", action="store_true", help="not by cell: `add`, then `range_search`, in row order")
    parser.add_argument("--tune", action="store_true")
    options = parser.parse_args()
    faces = sum(pq.read_metadata(file).num_rows for file in options.folder.glob("*.parquet"))
    cosine = options.cosine or derived_cosine(faces)
    print(f"{faces:,} faces at cosine {cosine:.4f}")
    if options.tune:
        tune(options.folder, cosine, grid(faces))
        return
    settings = Settings(options.nlist, options.nprobe) if options.nlist else best(faces)
    print(run(options.folder, options.out, cosine, replace(settings, by_cell=not options.plain)))
    print("recall {:.4f} of {:,} true edges".format(*recall(options.folder, options.out, cosine)))


if __name__ == "__main__":
    main()
