"""How well a calibration travels: line and folder thresholds from one half of LFW's people, tested on the other half.

    python tests/bench/calibration.py            # three seeds, both models
    python tests/bench/calibration.py --seeds 1

Needs the development data (FACESIEVE_DATA). Prints for each model and seed, by the other half's calibration and by its
own: B-cubed F of the collection (structure score at the cosines that the line gives); F of the kept images of folders
with planted impostors (30 % of the folder, half of them one other person; the largest cluster of at least 5 is kept).
Then what noise in the folders does to a calibration, and what both models come to on all of LFW. Exits 1 if a
calibration of the other half costs more than 0.005 F.
"""

from __future__ import annotations

import argparse
import sys
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from bench_environment import DATA, LFW_EMBEDDINGS
from structure import MODELS, Linked, pairs, scored_edges

from facesieve.assess.calibrate import IMPOSTORS, IMPOSTORS_EACH, PEOPLE_EACH, PROBABILITIES, Measured, measure
from facesieve.assess.kernels.agreement import bcubed
from facesieve.cluster.kernels.structure import least_vote
from facesieve.cluster.kernels.whispers import Coin, whispers
from facesieve.core import sections
from facesieve.faces.blocks import Faces
from facesieve.faces.vectors import Cosines, Halves, Indices, pair_cosine
from facesieve.link.kernels.thresholds import link_cosine

Flags = npt.NDArray[np.bool_]

TARGET, LINK, LINE, MIN_N, FOLDER, FEWEST = 0.005, 3, 10, 1_000, 10, 5


class Folders(NamedTuple):
    """Folders with impostors in them: which face each image shows, its folder, and whether it belongs there."""

    faces: Indices
    folder: Indices
    own: Flags


def main() -> int:
    """Measure both models; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="ways to halve LFW's people")
    arguments = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return 0
    worst = 0.0
    for name, profile in MODELS.items():
        stored = np.load(DATA / "lfw" / LFW_EMBEDDINGS[profile])
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


def _halves(name: str, vectors: Halves, people: Indices, seed: int) -> list[float]:
    side = np.random.default_rng(seed).permutation(people.max() + 1) % 2
    halves = [np.flatnonzero(side[people] == half) for half in (0, 1)]
    measured = [_calibrated(vectors[rows], people[rows], seed) for rows in halves]
    losses = []
    for half, rows in enumerate(halves):
        collection = [_collection_f(vectors[rows], people[rows], part) for part in (measured[half], measured[1 - half])]
        planted = plant(people[rows], 0.3, seed)
        edges = _folder_edges(vectors[rows], planted)
        folders = [_kept_f(planted, edges, part) for part in (measured[half], measured[1 - half])]
        for what, (own, other) in (("global", collection), ("folders", folders)):
            print(f"{name} seed {seed} half {half} {what}: own {own:.4f}, other {other:.4f}, loss {own - other:+.4f}")
            losses.append(own - other)
    return losses


def _calibrated(vectors: Halves, people: Indices, seed: int) -> Measured:
    """Calibrate as the job does, with samples by a seed instead of hashes."""
    order = np.random.default_rng(seed).permutation(len(people))
    ordered = order[np.argsort(people[order], kind="stable")]
    place = np.arange(len(ordered)) - np.searchsorted(people[ordered], people[ordered])
    some = np.random.default_rng(seed).permutation(ordered[place < IMPOSTORS_EACH])[:IMPOSTORS]
    several = np.bincount(people)[people[ordered]] > 1
    few = ordered[several & (place < PEOPLE_EACH)]
    return measure(Faces(some, people[some], vectors[some]), Faces(few, people[few], vectors[few]))


def _collection_f(vectors: Halves, people: Indices, measured: Measured) -> float:
    line = measured.calibration.line
    link, below = (link_cosine(line.intercept, line.slope, met, len(people), MIN_N) for met in (LINK, LINE))
    return bcubed(people, _clusters(Linked(people, *pairs(vectors, link), below))).f


def _clusters(edges: Linked) -> Indices:
    score = scored_edges(edges)
    votes, ids = score >= least_vote(sections.Cluster().score_cut), np.arange(len(edges.people))
    return whispers(ids, edges.src[votes], edges.dst[votes], score[votes], Coin(0.75, 0), 500).labels


def plant(people: Indices, share: float, seed: int) -> Folders:
    """Plant impostors into the folders of people with FOLDER and more faces: `share` of each, half of one person."""
    rng = np.random.default_rng(seed)
    sizes = np.bincount(people)
    parts = []
    for person in np.flatnonzero(sizes >= FOLDER):
        own = np.flatnonzero(people == person)
        number = round(len(own) * share / (1 - share))
        others = np.flatnonzero((sizes >= min(number // 2, 2 * FOLDER)) & (np.arange(len(sizes)) != person))
        other = rng.choice(others)
        friends = rng.permutation(np.flatnonzero(people == other))[: number // 2]
        crowd = rng.permutation(np.flatnonzero((people != person) & (people != other)))[: number - len(friends)]
        faces = np.concatenate([own, friends, crowd])
        parts.append((faces, np.full(len(faces), person), people[faces] == person))
    return Folders(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _folder_edges(vectors: Halves, planted: Folders) -> tuple[Indices, Indices, Cosines]:
    members = [np.flatnonzero(planted.folder == folder) for folder in np.unique(planted.folder)]
    both = [(rows[i], rows[j]) for rows in members for i, j in [np.triu_indices(len(rows), 1)]]
    src, dst = (np.concatenate(ends) for ends in zip(*both, strict=True))
    cosines = np.empty(len(src), np.float32)
    for start in range(0, len(src), 100_000):
        part = slice(start, start + 100_000)
        cosines[part] = pair_cosine(vectors[planted.faces[src[part]]], vectors[planted.faces[dst[part]]])
    return src, dst, cosines


def _kept_f(planted: Folders, edges: tuple[Indices, Indices, Cosines], measured: Measured) -> float:
    """F of the kept images: precision and recall of those that belong to their folder."""
    chosen = measured.calibration.chosen
    src, dst, cosines = edges
    linked = cosines >= chosen["link"]
    labels = _clusters(Linked(planted.folder, src[linked], dst[linked], cosines[linked], chosen["line"]))
    keep = np.zeros(len(labels), np.bool_)
    for folder in np.unique(planted.folder):
        members = np.flatnonzero(planted.folder == folder)
        names, sizes = np.unique(labels[members], return_counts=True)
        if sizes.max() >= FEWEST:
            keep[members[labels[members] == names[sizes.argmax()]]] = True
    return float(2 * (keep & planted.own).sum() / (keep.sum() + planted.own.sum()))


def _noise(name: str, vectors: Halves, people: Indices, share: float, seed: int) -> None:
    planted = plant(people, share, seed)
    measured = _calibrated(vectors[planted.faces], planted.folder, seed)
    kept_f = _kept_f(planted, _folder_edges(vectors, planted), measured)
    line, genuine = measured.calibration.line, np.round(measured.calibration.genuine.quantiles(PROBABILITIES), 3)
    print(
        f"{name} {share:.0%} planted, seed {seed}: {line.intercept:.3f} + {line.slope:.3f} z,"
        f" {measured.calibration.chosen}, impostor pairs {measured.impostor_share:.3f}, genuine {genuine.tolist()},"
        f" F {kept_f:.4f}"
    )


def _whole(name: str, vectors: Halves, people: Indices) -> None:
    measured = _calibrated(vectors, people, 0)
    line, genuine = measured.calibration.line, np.round(measured.calibration.genuine.quantiles(PROBABILITIES), 3)
    print(
        f"{name}, all of LFW: {line.intercept:.4f} + {line.slope:.4f} z, {measured.calibration.chosen},"
        f" genuine {genuine.tolist()}, B-cubed F {_collection_f(vectors, people, measured):.4f}"
    )


if __name__ == "__main__":
    sys.exit(main())
