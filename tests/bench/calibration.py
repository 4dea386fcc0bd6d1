"""How well a calibration travels: line and folder thresholds from one half of LFW's people, tested on the other half.

    python tests/bench/calibration.py            # three seeds, both models
    python tests/bench/calibration.py --seeds 1

Needs the development data (FACESIEVE_DATA). Prints, for each model and seed, B-cubed F of the heap (structure score at
the cosines that the line gives) and F of the kept images of folders with planted impostors (30 % of the folder, half of
them one other person; the largest cluster of at least 5 is kept), by the other half's calibration and by its own; then
what noise in the folders does to a calibration, and what both models come to on all of LFW. Exits 1 if a calibration of
the other half costs more than 0.005 F.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lib"))

from facesieve.assess.calibrate import IMPOSTORS, IMPOSTORS_EACH, PEOPLE_EACH, PROBABILITIES, Measured, measure  # noqa: E402
from facesieve.assess.kernels.agreement import bcubed  # noqa: E402
from facesieve.cluster.kernels.structure import hoods, least_vote, scores  # noqa: E402
from facesieve.cluster.kernels.whispers import Coin, whispers  # noqa: E402
from facesieve.faces.blocks import Faces  # noqa: E402
from facesieve.faces.vectors import hits, pair_cosine  # noqa: E402
from facesieve.link.kernels.thresholds import link_cosine  # noqa: E402

DATA = Path(os.environ.get("FACESIEVE_DATA", ROOT.parent / "shared" / "data"))
MODELS = {"FaceNet": "facenet_embeddings.npz", "MobileFaceNet": "embeddings.npz"}
TARGET, CUT, MOST, LINK, LINE, MIN_N, FOLDER, KEPT = 0.005, 0.27, 200, 3, 10, 1_000, 10, 5


class Edges(NamedTuple):
    """Pairs of faces and their cosines."""

    src: np.ndarray
    dst: np.ndarray
    cosines: np.ndarray


class Folders(NamedTuple):
    """Folders with impostors in them: which face each image shows, its folder, and whether it belongs there."""

    faces: np.ndarray
    folder: np.ndarray
    own: np.ndarray


def main() -> int:
    """Measure both models; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="ways to halve LFW's people")
    arguments = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return 0
    worst = 0.0
    for name, file in MODELS.items():
        stored = np.load(DATA / "lfw" / file)
        vectors = stored["embeddings"].astype(np.float16)
        people = np.unique(stored["labels"], return_inverse=True)[1].astype(np.int64)
        for seed in range(arguments.seeds):
            worst = max(worst, *_halves(name, vectors, people, seed))
        for share in (0.0, 0.1, 0.3, 0.5):
            for seed in range(arguments.seeds):
                _noise(name, vectors, people, share, seed)
        _whole(name, vectors, people)
    print(f"worst loss by the other half's calibration: {worst:.4f} (target {TARGET})")
    return int(worst > TARGET)


def _halves(name: str, vectors: np.ndarray, people: np.ndarray, seed: int) -> list[float]:
    side = np.random.default_rng(seed).permutation(people.max() + 1) % 2
    halves = [np.flatnonzero(side[people] == half) for half in (0, 1)]
    measured = [_calibrated(vectors[rows], people[rows], seed) for rows in halves]
    losses = []
    for half, rows in enumerate(halves):
        heap = [_heap(vectors[rows], people[rows], found) for found in (measured[half], measured[1 - half])]
        planted = plant(people[rows], 0.3, seed)
        edges = _folder_edges(vectors[rows], planted)
        kept = [_kept(planted, edges, found) for found in (measured[half], measured[1 - half])]
        for what, (own, other) in (("global", heap), ("folders", kept)):
            print(f"{name} seed {seed} half {half} {what}: own {own:.4f}, other {other:.4f}, loss {own - other:+.4f}")
            losses.append(own - other)
    return losses


def _calibrated(vectors: np.ndarray, people: np.ndarray, seed: int) -> Measured:
    """Calibrate as the job does, with samples by a seed instead of hashes."""
    order = np.random.default_rng(seed).permutation(len(people))
    grouped = order[np.argsort(people[order], kind="stable")]
    place = np.arange(len(grouped)) - np.searchsorted(people[grouped], people[grouped])
    some = np.random.default_rng(seed).permutation(grouped[place < IMPOSTORS_EACH])[:IMPOSTORS]
    several = np.bincount(people)[people[grouped]] > 1
    few = grouped[several & (place < PEOPLE_EACH)]
    return measure(Faces(some, people[some], vectors[some]), Faces(few, people[few], vectors[few]))


def _heap(vectors: np.ndarray, people: np.ndarray, measured: Measured) -> float:
    line = measured.found.line
    link, below = (link_cosine(line.intercept, line.slope, met, len(people), MIN_N) for met in (LINK, LINE))
    return bcubed(people, _clusters(len(people), Edges(*_all_pairs(vectors, link)), below)).f


def _all_pairs(vectors: np.ndarray, cosine: float) -> tuple[np.ndarray, ...]:
    found = []
    for start in range(0, len(vectors), 2_048):
        i, j, cosines = hits(vectors[start : start + 2_048], vectors, cosine)
        once = i + start < j
        found.append((i[once] + start, j[once], cosines[once]))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def _clusters(faces: int, edges: Edges, line: float) -> np.ndarray:
    src, dst, cosines = edges
    ends = np.concatenate([src, dst]), np.concatenate([dst, src]), np.concatenate([cosines, cosines])
    scored = scores(src, dst, cosines, line, hoods(*ends, line, MOST))
    votes = scored >= least_vote(CUT)
    return whispers(np.arange(faces), src[votes], dst[votes], scored[votes], Coin(0.75, 0), 500).labels


def plant(people: np.ndarray, share: float, seed: int) -> Folders:
    """Plant impostors into the folders of people with FOLDER and more faces: `share` of each, half of one person."""
    rng = np.random.default_rng(seed)
    sizes = np.bincount(people)
    found = []
    for person in np.flatnonzero(sizes >= FOLDER):
        own = np.flatnonzero(people == person)
        number = round(len(own) * share / (1 - share))
        others = np.flatnonzero((sizes >= min(number // 2, 2 * FOLDER)) & (np.arange(len(sizes)) != person))
        other = rng.choice(others)
        friends = rng.permutation(np.flatnonzero(people == other))[: number // 2]
        crowd = rng.permutation(np.flatnonzero((people != person) & (people != other)))[: number - len(friends)]
        faces = np.concatenate([own, friends, crowd])
        found.append((faces, np.full(len(faces), person), people[faces] == person))
    return Folders(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _folder_edges(vectors: np.ndarray, planted: Folders) -> Edges:
    rows = [np.flatnonzero(planted.folder == one) for one in np.unique(planted.folder)]
    pairs = [(one[i], one[j]) for one in rows for i, j in [np.triu_indices(len(one), 1)]]
    src, dst = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    cosines = np.empty(len(src), np.float32)
    for start in range(0, len(src), 100_000):
        part = slice(start, start + 100_000)
        cosines[part] = pair_cosine(vectors[planted.faces[src[part]]], vectors[planted.faces[dst[part]]])
    return Edges(src, dst, cosines)


def _kept(planted: Folders, edges: Edges, measured: Measured) -> float:
    """F of the kept images: precision and recall of those that belong to their folder."""
    chosen = measured.found.chosen
    linked = Edges(*(column[edges.cosines >= chosen["link"]] for column in edges))
    labels = _clusters(len(planted.folder), linked, chosen["line"])
    kept = np.zeros(len(labels), np.bool_)
    for one in np.unique(planted.folder):
        members = np.flatnonzero(planted.folder == one)
        names, sizes = np.unique(labels[members], return_counts=True)
        if sizes.max() >= KEPT:
            kept[members[labels[members] == names[sizes.argmax()]]] = True
    return 2 * (kept & planted.own).sum() / (kept.sum() + planted.own.sum())


def _noise(name: str, vectors: np.ndarray, people: np.ndarray, share: float, seed: int) -> None:
    planted = plant(people, share, seed)
    measured = _calibrated(vectors[planted.faces], planted.folder, seed)
    kept = _kept(planted, _folder_edges(vectors, planted), measured)
    line, same = measured.found.line, np.round(measured.found.genuine.quantiles(PROBABILITIES), 3)
    print(
        f"{name} {share:.0%} planted, seed {seed}: {line.intercept:.3f} + {line.slope:.3f} z, {measured.found.chosen},"
        f" strange pairs {measured.impostor_share:.3f}, same {same.tolist()}, F {kept:.4f}"
    )


def _whole(name: str, vectors: np.ndarray, people: np.ndarray) -> None:
    measured = _calibrated(vectors, people, 0)
    line, same = measured.found.line, np.round(measured.found.genuine.quantiles(PROBABILITIES), 3)
    print(
        f"{name}, all of LFW: {line.intercept:.4f} + {line.slope:.4f} z, {measured.found.chosen}, same {same.tolist()},"
        f" B-cubed F {_heap(vectors, people, measured):.4f}"
    )


if __name__ == "__main__":
    sys.exit(main())
