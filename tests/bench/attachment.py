"""What attaching leftovers does to LFW, and to few people with many hard faces, by kernels alone.

    python tests/bench/attachment.py

Needs the development data (FACESIEVE_DATA). Edges are exact, the vote is by structure score, and nothing is given but
each model's impostor line. "Pushed apart": of the 12 largest people, every face moved away from its person's mean by
the factor at which plain Chinese Whispers, at its best cosine in hindsight, comes down to a B-cubed F of 0.97.
"""

from __future__ import annotations

import numpy as np
from bench_environment import DATA
from structure import MODELS, SETS, Faces, clustered, drawn, linked, load, pairs, scored_edges

from facesieve.assess.kernels.agreement import bcubed
from facesieve.cluster.kernels.attachment import admission
from facesieve.cluster.kernels.exemplars import Links, exemplars, links, with_joined
from facesieve.cluster.kernels.nearest_cluster import nearest_cluster
from facesieve.cluster.kernels.neighbourhoods import SCORE_SCALE
from facesieve.cluster.kernels.whispers import Coin, whispers
from facesieve.core import sections
from facesieve.faces.vectors import Indices, medoid

LINK_IMPOSTORS, ERROR = sections.Link().false_matches, sections.Cluster().attach_error
NOTHING = np.zeros((2, 0), np.int64)
LARGE, PEOPLE, TARGET = 10, 12, 0.97
COIN, SUPERSTEPS = (
    Coin(sections.Cluster().update_fraction, sections.Cluster().seed),
    sections.Cluster().max_supersteps,
)


def main() -> None:
    """Measure both models on all sets."""
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return
    for model in MODELS:
        faces = load(model)
        for name in SETS:
            report(f"{model}, {name}", drawn(faces, name))
        pushed, factor, best = pushed_to_target(faces)
        report(f"{model}, pushed apart by {factor:.3f}, plain {best:.4f}", [pushed])


def report(name: str, sets: list[Faces]) -> None:
    """Print the mean B-cubed F before and after, and what the attachment says of the last set."""
    before, after = [], []
    for faces in sets:
        labels = voted(faces)
        joined, summary = attached(faces, labels)
        before.append(bcubed(faces.people, labels).f)
        after.append(bcubed(faces.people, joined).f)
    print(f"{name}: F {np.mean(before):.4f} -> {np.mean(after):.4f}; {summary}", flush=True)


def voted(faces: Faces) -> Indices:
    """Clusters by structure score."""
    edges = linked(faces)
    return clustered(edges, scored_edges(edges), sections.Cluster().score_cut)


def attached(faces: Faces, labels: Indices) -> tuple[Indices, str]:
    """Labels after attachment; every face of a large cluster is an exemplar and behind the null."""
    ids, halves = np.arange(len(labels)), faces.vectors.astype(np.float16)
    sizes = np.bincount(labels, minlength=len(labels))[labels]
    large, medoids = np.flatnonzero(sizes >= LARGE), []
    for cluster in np.unique(labels[sizes < LARGE]):
        rows = np.flatnonzero(labels == cluster)
        medoids.append(rows[medoid(rows, faces.vectors[rows])])
    left = np.array(medoids, np.int64)
    crowd = exemplars(labels[large], ids[large], halves[large])
    linked, own = links(crowd, faces.cosine(LINK_IMPOSTORS)), np.searchsorted(crowd.clusters, labels[large])
    targets, near = nearest_cluster(left, halves[left], np.full(len(left), -1), crowd, linked)
    other, null = nearest_cluster(large, halves[large], own, crowd, linked)
    admitted, _ = admission(near, null[other >= 0], labels[large][other >= 0], ERROR)
    some, moved = left[admitted.joins], labels.copy()
    larger, unlinked = with_joined(crowd, targets[admitted.joins], some, halves[some]), Links(*NOTHING)
    settled, _ = nearest_cluster(some, halves[some], np.full(len(some), -1), larger, unlinked)
    for cluster, target in zip(labels[some], crowd.clusters[settled], strict=True):
        moved[labels == cluster] = target
    summary = f"{len(some)} of {len(left)} leftovers joined {len(crowd.clusters)} large clusters"
    return moved, f"{summary}, pi0 {admitted.pi0}, p {admitted.p}"


def pushed_to_target(faces: Faces) -> tuple[Faces, float, float]:
    """Find the factor by bisection; returns the faces, the factor and the best plain F."""
    low, high = 1.0, 4.0
    for _ in range(10):
        factor = (low + high) / 2
        pushed = pushed_apart(faces, factor)
        best = best_plain(pushed)
        if abs(best - TARGET) < 5e-4:
            break
        low, high = (factor, high) if best > TARGET else (low, factor)
    return pushed, factor, best


def pushed_apart(faces: Faces, factor: float, people: int = PEOPLE) -> Faces:
    """Move the faces of the largest people away from their person's mean."""
    largest = np.argsort(-np.bincount(faces.people), kind="stable")[:people]
    chosen = faces.take(np.flatnonzero(np.isin(faces.people, largest)))
    vectors = chosen.vectors.astype(np.float64)
    for person in largest:
        rows = chosen.people == person
        mean = vectors[rows].mean(axis=0)
        vectors[rows] = mean + factor * (vectors[rows] - mean)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Faces(vectors.astype(np.float32), chosen.people, faces.line)


def best_plain(faces: Faces) -> float:
    """B-cubed F of Chinese Whispers by cosine, at the best of many thresholds."""
    i, j, near = pairs(faces.vectors.astype(np.float16), 0.16)
    votes, ids = np.floor(SCORE_SCALE * near.astype(np.float64)).astype(np.int64), np.arange(len(faces.people))

    def agreement(cosine: float) -> float:
        high = near >= cosine
        return bcubed(faces.people, whispers(ids, i[high], j[high], votes[high], COIN, SUPERSTEPS).labels).f

    coarse = max(np.arange(0.16, 0.90, 0.05), key=agreement)
    return max(agreement(cosine) for cosine in coarse + np.arange(-0.04, 0.05, 0.01))


if __name__ == "__main__":
    main()
