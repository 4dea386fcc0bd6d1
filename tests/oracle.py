"""Edges by definition: every pair of a few faces looked at, without cells, blocks or Spark."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame, SparkSession

from facesieve.kernels.vectors import pair_cosine
from factories import faces as synthetic

FACES = "face_id bigint, identity string, vector array<float>"

Pairs = dict[tuple[int, int], tuple[float, bool]]
"""(src, dst) -> cosine and whether both bear the same identity."""


@dataclass(frozen=True)
class Crowd:
    """Faces: ids int64 [n], identities (None where there is none), vectors float32 [n, D]."""

    ids: npt.NDArray[np.int64]
    names: list[str | None]
    vectors: npt.NDArray[np.float32]

    @property
    def halves(self) -> npt.NDArray[np.float16]:
        return self.vectors.astype(np.float16)

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """A number for each identity, whoever else is there; 0 for none."""
        return np.array([zlib.crc32(name.encode()) - 2**31 if name else 0 for name in self.names], np.int64)

    def take(self, rows: npt.NDArray[np.int64]) -> Crowd:
        return Crowd(self.ids[rows], [self.names[row] for row in rows], self.vectors[rows])


def crowd(people: int, per_person: int, seed: int, dimension: int = 32) -> Crowd:
    """Make faces of people; a tenth bear no identity, some another's, and three vectors are the same."""
    ids, identities, vectors = synthetic(people, per_person, seed, dimension)
    names: list[str | None] = [None if row % 10 == 0 else name for row, name in enumerate(identities)]
    names[1:20:6] = ["somebody else"] * len(names[1:20:6])
    vectors[[5, 6]] = vectors[4]
    return Crowd(ids, names, vectors)


def frame(spark: SparkSession, faces: Crowd, partitions: int = 2, seed: int = 0) -> DataFrame:
    """Show faces as rows, in an order of their own."""
    order = np.random.default_rng(seed).permutation(len(faces.ids))
    rows = [(int(faces.ids[row]), faces.names[row], faces.vectors[row].tolist()) for row in order]
    return spark.createDataFrame(rows, FACES).repartition(partitions)


def candidates(probes: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Say of any two faces whether one's home is among the other's probes: [n, r] -> [n, n]."""
    there = (probes[:, None, :] == probes[None, :, :1]).any(axis=2)
    return there | there.T


def edges(faces: Crowd, cosine: float, compared: npt.NDArray[np.bool_] | None = None) -> Pairs:
    """Find the edges among the pairs that are compared (bool [n, n]; None: all)."""
    by_id = np.argsort(faces.ids)
    first, second = (by_id[ends] for ends in np.triu_indices(len(by_id), 1))
    if compared is not None:
        chosen = compared[first, second]
        first, second = first[chosen], second[chosen]
    exact = pair_cosine(faces.vectors[first], faces.vectors[second])
    near = exact >= cosine
    names = faces.names
    return {
        (int(faces.ids[a]), int(faces.ids[b])): (float(c), names[a] is not None and names[a] == names[b])
        for a, b, c in zip(first[near], second[near], exact[near], strict=True)
    }


def inside(found: Pairs) -> Pairs:
    """Keep the edges inside one identity."""
    return {pair: told for pair, told in found.items() if told[1]}


def capped(found: Pairs, most: int) -> tuple[Pairs, int]:
    """Let each face keep its `most` strongest edges, count those that have more; an edge stays if an end keeps it."""
    seen = defaultdict(list)
    for pair, (cosine, _) in found.items():
        for face, other in (pair, pair[::-1]):
            seen[face].append((-cosine, other, pair))
    kept = {pair for mine in seen.values() for _, _, pair in sorted(mine)[:most]} if most else set(found)
    return {pair: found[pair] for pair in found if pair in kept}, sum(len(mine) > most for mine in seen.values())


def collected(found: DataFrame) -> Pairs:
    """Collect edges of one scope; no pair comes twice, and src is the smaller id."""
    rows = found.collect()
    pairs = {(row.src, row.dst): (row.cosine, row.same_identity) for row in rows}
    assert len(pairs) == len(rows), "a pair came twice"
    assert all(src < dst for src, dst in pairs)
    return pairs
