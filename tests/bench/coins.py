"""How much the clusters hang on `cluster.seed`, by one coin and by several, by kernels alone.

    python tests/bench/coins.py                                    # LFW's sets, both models, coins 1 and 8
    python tests/bench/coins.py --coins 1,4,8,16 --sets 3,000
    python tests/bench/coins.py --sets none --pushed 24x1.4,39x1.5                  # people pushed apart
    python tests/bench/coins.py --sets none --models FaceNet --more DENSE.npz --capped    # a set of one's own
    python tests/bench/coins.py --attached                         # leftovers attached, which takes longer

Needs the development data (FACESIEVE_DATA). Edges are exact, and nothing is given but each model's impostor line. Each
row is B-cubed F over the seeds 0 to 9: least, median, mean, greatest, range. "3,000" is the mean over ten draws; beside
it stand the greatest and the mean range of a single draw. "24x1.4": the 24 people of most faces, every face moved away
from its person's mean by 1.4. A set of one's own has the arrays `vector` (by the model that is named) and `identity`.
--capped caps the edges of all sets as `link.max_neighbours` says; without it every edge counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attachment import attached, pushed_apart
from bench_environment import DATA
from structure import MODELS, SETS, Faces, Linked, drawn, linked, load, scored_edges

from facesieve.assess.kernels.agreement import bcubed
from facesieve.cluster.kernels.coins import coins, together
from facesieve.cluster.kernels.structure import least_vote
from facesieve.cluster.kernels.whispers import Start, finish_all
from facesieve.core import sections
from facesieve.faces.vectors import Indices

SEEDS = range(10)
SETTINGS = sections.Cluster()


def main() -> None:
    """Measure every set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coins", default=f"1,{SETTINGS.coins}")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--sets", default=None, help="a set of LFW; every one if this is left out")
    parser.add_argument("--pushed", default="")
    parser.add_argument("--more", default="")
    parser.add_argument("--capped", action="store_true")
    parser.add_argument("--attached", action="store_true")
    options = parser.parse_args()
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return
    numbers = [int(number) for number in options.coins.split(",")]
    for name, sets in _sets(options):
        # By set, number of coins and seed.
        f = np.array([agreements(faces, numbers, options) for faces in sets])
        for number, of_sets in zip(numbers, f.transpose(1, 0, 2), strict=True):
            print(f"{name}, {number:2} coins: {row(of_sets)}", flush=True)


def _sets(options: argparse.Namespace) -> Iterator[tuple[str, list[Faces]]]:
    for model in filter(None, options.models.split(",")):
        faces = load(model)
        for name in (options.sets,) if options.sets else SETS:
            if name in SETS:
                yield f"{model}, {name}", drawn(faces, name)
        for name in filter(None, options.pushed.split(",")):
            people, factor = name.split("x")
            yield f"{model}, {name}", [pushed_apart(faces, float(factor), int(people))]
        for file in filter(None, options.more.split(",")):
            stored = np.load(file)
            people = np.unique(stored["identity"], return_inverse=True)[1].astype(np.int64)
            yield f"{model}, {Path(file).stem}", [Faces(stored["vector"], people, faces.line)]


def row(of_sets: np.ndarray) -> str:
    """Write one row: B-cubed F [sets, seeds] as figures over the seeds."""
    f = of_sets.mean(axis=0)
    figures = {"least": f.min(), "median": np.median(f), "mean": f.mean(), "greatest": f.max(), "range": np.ptp(f)}
    ranges = np.ptp(of_sets, axis=1)
    of_one = f"  range of one draw up to {ranges.max():.4f}, mean {ranges.mean():.4f}" if len(of_sets) > 1 else ""
    return "  ".join(f"{name} {value:.4f}" for name, value in figures.items()) + of_one


def agreements(faces: Faces, numbers: list[int], options: argparse.Namespace) -> list[list[float]]:
    """Return B-cubed F by number of coins and seed; the votes of more coins are those of fewer and some besides."""
    edges = capped(linked(faces)) if options.capped else linked(faces)
    score = scored_edges(edges)
    voting = score >= least_vote(SETTINGS.score_cut)
    src, dst, votes = edges.src[voting], edges.dst[voting], score[voting]
    ids = np.arange(len(faces.people))

    def agreement(labels: Indices) -> float:
        clusters = together(ids, labels, src, dst)
        if options.attached:
            clusters, _ = attached(faces, clusters)
        return bcubed(faces.people, clusters).f

    f: list[list[float]] = [[] for _ in numbers]
    for seed in SEEDS:
        minted = coins(SETTINGS.update_fraction, seed, max(numbers))
        ends = finish_all(ids, (src, dst, votes), [Start(ids)] * len(minted), minted, SETTINGS.max_supersteps)
        labels = np.stack([end.labels for end in ends], axis=1)
        for of_number, number in zip(f, numbers, strict=True):
            of_number.append(agreement(labels[:, :number]))
    return f


def capped(edges: Linked) -> Linked:
    """Drop the edges that neither end counts among its `link.max_neighbours` strongest, ties to the smaller id."""
    face, other = np.append(edges.src, edges.dst), np.append(edges.dst, edges.src)
    order = np.lexsort((other, -np.tile(edges.cosines, 2), face))
    rank = np.arange(len(face)) - np.searchsorted(face[order], face[order])
    strong = np.zeros(len(edges.src), np.bool_)
    strong[order[rank < sections.Link().max_neighbours] % len(edges.src)] = True
    return edges._replace(src=edges.src[strong], dst=edges.dst[strong], cosines=edges.cosines[strong])


if __name__ == "__main__":
    main()
