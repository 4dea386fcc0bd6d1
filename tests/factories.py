"""Synthetic faces: people as clusters on the unit sphere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SPREAD = 0.55
"""Length of a face's offset from its person's direction: two faces of one person have cosine near 0.77."""


def faces(
    people: int, per_person: int, seed: int, dimension: int = 128
) -> tuple[npt.NDArray[np.int64], list[str], npt.NDArray[np.float32]]:
    """Make `people` x `per_person` faces, in shuffled order.

    Returns ids int64 [N] (unique, either sign), identities (person-0000, ...), unit vectors float32 [N, dimension].
    """
    rng = np.random.default_rng(seed)
    count = people * per_person
    centres = _unit(rng.normal(size=(people, dimension)))
    person = rng.permutation(np.repeat(np.arange(people), per_person))
    offsets = _unit(rng.normal(size=(count, dimension)))
    vectors = _unit(centres[person] + SPREAD * offsets).astype(np.float32)
    ids = np.unique(rng.integers(-(2**63), 2**63 - 1, size=2 * count + 1, dtype=np.int64))
    return rng.permutation(ids)[:count], [f"person-{number:04d}" for number in person], vectors


def _unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float64)
