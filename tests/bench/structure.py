"""How well the structure score groups LFW, by kernels alone: cuts, neighbourhoods, tolerances, centring.

    python tests/bench/structure.py                   # all tables, a few minutes
    python tests/bench/structure.py cut centring      # some of them

Needs the development data (FACESIEVE_DATA). Edges are exact; nothing is given but each model's impostor line. Every
entry is B-cubed F / pairwise F; "3,000" is the mean over ten draws.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from bench_environment import DATA, LFW_EMBEDDINGS, PROFILES

from facesieve.assess.kernels.agreement import bcubed, pairwise
from facesieve.cluster.kernels.coins import coins, together
from facesieve.cluster.kernels.neighbourhoods import hoods
from facesieve.cluster.kernels.structure import least_vote, scores
from facesieve.cluster.kernels.whispers import Start, finish_all
from facesieve.core import sections
from facesieve.faces.vectors import Cosines, Halves, Indices, Shorts, hits, slices
from facesieve.link.kernels.thresholds import link_cosine

MODELS = {"FaceNet": "facenet", "MobileFaceNet": "mobilefacenet"}
SETS = ("LFW", "62 people", "3,000")
DRAWS, DRAWN, SEVERAL, MIN_N, UNCAPPED = 10, 3_000, 20, 1_000, 1 << 30
CUTS = (0.23, 0.25, 0.26, 0.27, 0.28, 0.29, 0.31, 0.33)
FEW_CUTS = (0.25, 0.27, 0.29)
DEGREES = (50, 100, 200, 500, UNCAPPED)
IMPOSTORS = (1, 2, 3, 5, 7, 10)
LINE_SHARES, LINE_PAIRS = np.linspace(0.80, 0.97, 18), 1_000_000


class Faces(NamedTuple):
    """Faces of one model: unit vectors float32 [n, D], names as numbers, impostor line (intercept, slope)."""

    vectors: Shorts
    people: Indices
    line: tuple[float, float]

    def take(self, rows: Indices) -> Faces:
        """Return some of the faces."""
        return Faces(self.vectors[rows], self.people[rows], self.line)

    def cosine(self, impostors: float) -> float:
        """Return the cosine at which so many impostors per face are tolerated."""
        return link_cosine(*self.line, impostors, len(self.people), MIN_N)


class Linked(NamedTuple):
    """The edges of some faces: row numbers, cosines, the impostor line."""

    people: Indices
    src: Indices
    dst: Indices
    cosines: Cosines
    line: float


def main(tables: list[str]) -> None:
    """Print the tables asked for."""
    for table in tables or TABLES:
        for model in MODELS:
            TABLES[table](model)


def by_cut(model: str) -> None:
    """Vary the cut."""
    faces = load(model)
    for name in SETS:
        table_row(f"{model}, {name}", CUTS, [linked(each) for each in drawn(faces, name)])


def by_degree(model: str) -> None:
    """Vary the neighbours that the score reads."""
    faces = load(model)
    for name in SETS:
        sets = [linked(each) for each in drawn(faces, name)]
        for most in DEGREES:
            degree = "all" if most == UNCAPPED else most
            table_row(f"{model}, {name}, max_degree {degree}", FEW_CUTS, sets, most)


def by_impostors(model: str) -> None:
    """Vary the impostors tolerated per face, on all of LFW."""
    for impostors in IMPOSTORS:
        edges = linked(load(model), impostors)
        table_row(f"{model}, LFW, {impostors} false matches per face, {len(edges.src):,} edges", CUTS, [edges])


def by_centring(model: str) -> None:
    """Subtract the mean of LFW, a constant of the model, first, and fit the impostor line anew."""
    faces = load(model)
    vectors = faces.vectors - faces.vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = Faces(vectors, faces.people, impostors_line(vectors, faces.people))
    for name in SETS:
        line = "{:.3f} + {:.3f} z".format(*centred.line)
        table_row(f"{model}, {name}, centred, line {line}", CUTS, [linked(each) for each in drawn(centred, name)])


TABLES = {"cut": by_cut, "degree": by_degree, "impostors": by_impostors, "centring": by_centring}


def load(model: str) -> Faces:
    """Read the embeddings of LFW, and the line of the model's profile."""
    line = tomllib.loads(Path(PROFILES, f"{MODELS[model]}.toml").read_text())["impostor"]
    stored = np.load(DATA / "lfw" / LFW_EMBEDDINGS[MODELS[model]])
    return Faces(stored["embeddings"], stored["labels"].astype(np.int64), (line["intercept"], line["slope"]))


def drawn(faces: Faces, name: str) -> list[Faces]:
    """Choose the faces of a set; of "3,000" every draw."""
    count = len(faces.people)
    if name == "LFW":
        return [faces]
    if name == "62 people":
        return [faces.take(np.flatnonzero(np.bincount(faces.people)[faces.people] >= SEVERAL))]
    return [faces.take(np.random.default_rng(seed).choice(count, DRAWN, replace=False)) for seed in range(DRAWS)]


def impostors_line(vectors: Shorts, people: Indices) -> tuple[float, float]:
    """Fit the impostor line on random pairs of two people."""
    one, other = np.random.default_rng(0).integers(0, len(people), (2, LINE_PAIRS))
    apart = people[one] != people[other]
    cosines = np.einsum("nd,nd->n", vectors[one[apart]], vectors[other[apart]])
    z = [NormalDist().inv_cdf(share) for share in LINE_SHARES]
    slope, intercept = np.polyfit(z, np.quantile(cosines, LINE_SHARES), 1)
    return float(intercept), float(slope)


def linked(faces: Faces, impostors: float | None = None) -> Linked:
    """Link the faces by brute force at the derived cosine; both tolerances scale together."""
    tolerated = sections.Link().false_matches
    impostors = tolerated if impostors is None else impostors
    line_impostors = sections.Cluster().false_matches * impostors / tolerated
    edges = pairs(faces.vectors.astype(np.float16), faces.cosine(impostors))
    return Linked(faces.people, *edges, faces.cosine(line_impostors))


def pairs(vectors: Halves, cosine: float) -> tuple[Indices, Indices, Cosines]:
    """All pairs at or above a cosine, by brute force: row numbers, the first the smaller one, and cosines."""
    parts = []
    for rows in slices(len(vectors), 2_048):
        src, dst, cosines = hits(vectors[rows], vectors, cosine)
        once = src + rows.start < dst
        parts.append((src[once] + rows.start, dst[once], cosines[once]))
    src, dst, cosines = (np.concatenate(column) for column in zip(*parts, strict=True))
    return src, dst, cosines


def table_row(
    name: str, cuts: tuple[float, ...], sets: list[Linked], most: int = sections.Cluster().max_degree
) -> None:
    """Print one row: agreement at each cut, averaged over the sets."""
    scored = [(each, scored_edges(each, most)) for each in sets]
    means = {cut: np.mean([agreement(each, score, cut) for each, score in scored], axis=0) for cut in cuts}
    print(f"{name}: " + "  ".join(f"{cut:.2f} {f[0]:.4f}/{f[1]:.4f}" for cut, f in means.items()), flush=True)


def scored_edges(edges: Linked, most: int = sections.Cluster().max_degree) -> Indices:
    """Score all edges."""
    _, src, dst, cosines, line = edges
    near = hoods(np.append(src, dst), np.append(dst, src), np.append(cosines, cosines), line, most)
    return scores(src, dst, cosines, line, near)


def clustered(edges: Linked, score: Indices, cut: float) -> Indices:
    """Let the faces vote by the edges that score enough, as the job does."""
    settings, votes = sections.Cluster(), score >= least_vote(cut)
    ids, src, dst = np.arange(len(edges.people)), edges.src[votes], edges.dst[votes]
    minted = coins(settings.update_fraction, settings.seed, settings.coins)
    starts = [Start(ids)] * len(minted)
    ends = finish_all(ids, (src, dst, score[votes]), starts, minted, settings.max_supersteps)
    return together(ids, np.stack([end.labels for end in ends], axis=1), src, dst)


def agreement(edges: Linked, score: Indices, cut: float) -> tuple[float, float]:
    """Compare the clusters with the names: B-cubed F, pairwise F."""
    labels = clustered(edges, score, cut)
    return bcubed(edges.people, labels).f, pairwise(edges.people, labels).f


if __name__ == "__main__":
    main(sys.argv[1:])
