"""The confidence of a near duplicate: fitted on one half of the people, looked at on the other.

    python tests/bench/copy_confidence.py            # every fifth photograph, some minutes
    python tests/bench/copy_confidence.py --every 2

Pairs and data are those of `copies.py` with FaceNet: copies of every kind, frames of films, and LFW's nearest pairs of
one person. Of these, 500 were looked at: the ones that are one photograph count as copies, three could not be told
and are left out. A person's pairs are all in one half. What is fitted is the curve over `slack`, by Platt's method
(Platt, Probabilistic outputs for support vector machines, 1999), whose targets fall short of 0 and 1, for the two
kinds of pairs do not overlap. Prints the constants, and on the other half how many were right of each confidence.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bench_environment import PROFILES
from copies import COPIES, FRAMES, Seen, frame, judged, seen, sittings, sources
from PIL import Image

from facesieve.core import profiles
from facesieve.core.sections import Decide
from facesieve.decide.kernels.same_photograph import Likeness, probability, shows_copy, slack

BINS = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0)
LOOKED_AT = 500
UNTOLD = {
    "George_W_Bush_0147 George_W_Bush_0165",
    "George_W_Bush_0168 George_W_Bush_0171",
    "George_W_Bush_0109 George_W_Bush_0461",
}
"""Pairs of LFW that look like one photograph, turned or stretched by LFW's alignment: nobody can tell."""


class Pair(NamedTuple):
    person: str
    is_copy: bool
    agreement: Likeness


def of_copies(paths: list[Path], profile: profiles.Profile) -> Iterator[Pair]:
    originals = seen([path.read_bytes() for path in paths], profile)
    for change in COPIES.values():
        changed = seen([change(Image.open(path).convert("RGB")) for path in paths], profile)
        for path, one, other in zip(paths, originals, changed, strict=True):
            yield from _pair(path, one, other, is_copy=True)


def of_films(paths: list[Path], profile: profiles.Profile) -> Iterator[Pair]:
    for number, path in enumerate(paths):
        noise, image = np.random.default_rng(number), Image.open(path).convert("RGB")
        frames = seen([frame(image, place, noise) for place in range(FRAMES)], profile)
        for one, other in itertools.pairwise(frames):
            yield from _pair(path, one, other, is_copy=False)


def of_lfw(profile: profiles.Profile) -> Iterator[Pair]:
    """LFW's own pairs: whatever is shown is one photograph, as those who looked at them saw."""
    for one, other in sittings(LOOKED_AT):
        for pair in _pair(one, *seen([one.read_bytes(), other.read_bytes()], profile), is_copy=True):
            if f"{one.stem} {other.stem}" not in UNTOLD:
                yield pair._replace(is_copy=shows_copy(pair.agreement))


def _pair(path: Path, one: Seen | None, other: Seen | None, *, is_copy: bool) -> Iterator[Pair]:
    agreement = judged(one, other, Decide())[1] if one and other else None
    if agreement is not None:
        yield Pair(path.parent.name, is_copy, agreement)


def fitted(pairs: list[Pair]) -> tuple[float, float]:
    """Fit constant and weight of the logistic curve over the slack, by Newton's method."""
    copies = np.array([pair.is_copy for pair in pairs])
    terms = np.stack([np.ones(len(pairs)), [slack(pair.agreement) for pair in pairs]], axis=1)
    most, least = (copies.sum() + 1) / (copies.sum() + 2), 1 / ((~copies).sum() + 2)
    targets, weights = np.where(copies, most, least), np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-(terms @ weights)))
        weight = np.maximum(chance * (1 - chance), 1e-9)
        step = np.linalg.solve((terms * weight[:, None]).T @ terms, terms.T @ (targets - chance))
        weights += step * min(1.0, 2.0 / np.abs(step).max())
    return float(weights[0]), float(weights[1])


def report(pairs: list[Pair]) -> None:
    """Print for each bin of confidence how many pairs are in it, what it promises, and what is true."""
    chance = np.array([probability(pair.agreement) for pair in pairs])
    copies = np.array([pair.is_copy for pair in pairs])
    shown = np.array([shows_copy(pair.agreement) for pair in pairs])
    print(f"{'confidence':>16}{'pairs':>8}{'mean':>9}{'copies':>9}{'shown':>8}{'of them copies':>16}")
    for low, high in itertools.pairwise(BINS):
        inside = (chance >= low) & ((chance < high) | (high == 1.0))
        if inside.any():
            right, seen_as = copies[inside].mean(), inside & shown
            of_shown = f"{copies[seen_as].mean():.2%}" if seen_as.any() else ""
            cells = f"{inside.sum():8}{chance[inside].mean():9.4f}{right:9.2%}{seen_as.sum():8}{of_shown:>16}"
            print(f"{low:8g} to {high:<5g}{cells}")
    print(f"Brier score {np.mean((chance - copies) ** 2):.5f}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=5, help="take every so many photographs")
    options = parser.parse_args()
    profile, paths = profiles.load("facenet", PROFILES), sources(options.every)
    pairs = [*of_copies(paths, profile), *of_films(paths, profile), *of_lfw(profile)]
    one, other = ([pair for pair in pairs if zlib.crc32(pair.person.encode()) % 2 == half] for half in (0, 1))
    print("constant and weight, fitted on one half: {:.2f} {:.2f}".format(*fitted(one)))
    print(f"the other half, {len(other)} pairs, with the constants of the job:")
    report(other)
    return 0


if __name__ == "__main__":
    sys.exit(main())
