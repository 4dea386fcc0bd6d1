"""Models that were converted for a number of images: whether they take any number, and how they are run if not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.models.network import Floats, Infer


@dataclass(frozen=True)
class FixedBatch:
    """A model that takes its own number of crops only; the last batch is filled up with black."""

    infer: Infer
    size: int

    def __call__(self, batch: Floats) -> Floats:
        """float32 [N, H, W, 3] -> float32 [N, D], `size` crops at a time."""
        missing = -len(batch) % self.size
        filled = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), np.float32)])
        rows = [self.infer(filled[start : start + self.size]) for start in range(0, len(filled), self.size)]
        return np.concatenate(rows)[: len(batch)]


def of_any_size(
    make: Callable[[bool], Infer], size: int, profile: Profile, failures: tuple[type[Exception], ...]
) -> Infer:
    """Return a function of any number of crops, of a model that was converted for `size` crops at a time.

    make: the model anew, for any number of crops (True), or for its own alone. failures: what the model raises if it
    cannot. Raises ModelError if the numbers of a crop depend on the others, and `failures` if the model fails anyway.
    """
    try:
        infer = make(True)
        if _takes_any(infer, size, profile):
            return infer
    except failures:
        pass
    fixed = FixedBatch(make(False), size)
    if _mixes(fixed, profile):
        raise ModelError(
            f"{profile.name}: of {size} images at once, an image's numbers depend on the others: not a model of faces"
        )
    return fixed


def _takes_any(infer: Infer, size: int, profile: Profile) -> bool:
    """Say whether one crop more, and one alone, give what the file's own number of crops gives.

    A fixed reshape inside fails, or mixes the crops.
    """
    crops = _noise(size + 1, profile)
    own = infer(crops[1:])
    more, alone = infer(crops), infer(crops[1:2])
    return more.shape == (size + 1, *own.shape[1:]) and _agree(more[1:], own) and _agree(alone, own[:1])


def _mixes(fixed: FixedBatch, profile: Profile) -> bool:
    """Say whether a crop gives other numbers beside other crops."""
    size = fixed.size
    crops = _noise(2 * size, profile)
    rows = fixed(crops[:size])
    return len(rows) != size or not _agree(fixed(crops[[0, *range(size + 1, 2 * size)]])[:1], rows[:1])


def _noise(count: int, profile: Profile) -> Floats:
    """Make crops of noise, standardised as the profile says; raw ones of different brightness, so that they differ."""
    chance, shape = np.random.default_rng(0), (count, *profile.input, 3)
    if profile.normalisation != "none":
        return chance.uniform(-1, 1, shape).astype(np.float32)
    return (chance.uniform(0, 255, shape) * chance.uniform(0.1, 1, (count, 1, 1, 1))).astype(np.float32)


def _agree(rows: Floats, others: Floats) -> bool:
    return rows.shape == others.shape and np.allclose(rows, others, rtol=1e-2, atol=1e-3)
