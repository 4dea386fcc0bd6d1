"""What the join should find: the link cosine that the job derives, the true edges of some faces, and recall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import synthetic
from synthetic import Numbers, Vectors

from facesieve.faces.vectors import slices
from facesieve.link.kernels.thresholds import link_cosine

LINE, IMPOSTORS, MIN_N = (0.038, 0.161), 3, 1_000
"""FaceNet's impostor line, and the defaults of `link.false_matches` and `link.min_n`."""

SAMPLE = 1_000
_BATCH = 50_000


def derived_cosine(faces: int) -> float:
    """Cosine at which the job links so many faces of FaceNet."""
    return link_cosine(*LINE, IMPOSTORS, faces, MIN_N)


def true_edges(ids: Numbers, vectors: Vectors, cosine: float, seed: int = 0) -> tuple[Numbers, Numbers]:
    """All edges of `SAMPLE` random faces, by brute force, as row numbers; an edge of two of them stands twice."""
    sample = np.random.default_rng(seed).choice(len(ids), min(SAMPLE, len(ids)), replace=False)
    one, two = [], []
    for rows in slices(len(ids), _BATCH):
        asked, found = np.nonzero(vectors[sample] @ vectors[rows].T >= cosine)
        one.append(sample[asked])
        two.append(found + rows.start)
    asked, found = np.concatenate(one), np.concatenate(two)
    return asked[asked != found], found[asked != found]


def recall(folder: Path, edges: Path, cosine: float, seed: int = 0) -> tuple[float, int]:
    """Share of the true edges of `SAMPLE` random faces that stand in a Parquet of src and dst, and their number."""
    ids, vectors = synthetic.read(folder)
    one, two = (ids[rows] for rows in true_edges(ids, vectors, cosine, seed))
    table = pq.read_table(edges, columns=["src", "dst"])
    stored = _pair_keys(table["src"].to_numpy(), table["dst"].to_numpy())
    stored.sort()
    wanted = _pair_keys(np.minimum(one, two), np.maximum(one, two))
    at = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
    return float(np.mean(stored[at] == wanted)), len(wanted)


def _pair_keys(src: Numbers, dst: Numbers) -> npt.NDArray[np.uint64]:
    # 64 mixed bits for 128: two of 10^8 pairs collide with probability 3 in 10,000, far below what recall is read to.
    return synthetic.face_ids(src).view(np.uint64) + dst.view(np.uint64)
