"""How well the structure score groups LFW, by kernels alone: cuts, neighbourhoods, tolerances, centring.

    python tests/bench/structure.py                   # all tables, a few minutes
    python tests/bench/structure.py cut centring      # some of them

Needs the development data (FACESIEVE_DATA). Edges are exact; nothing is given but each model's impostor line. Every
entry is B-cubed F / pairwise F; "3,000" is the mean over ten draws.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lib"))

from facesieve.assess.kernels.agreement import bcubed, pairwise  # noqa: E402
from facesieve.cluster.kernels.structure import hoods, least_vote, scores  # noqa: E402
from facesieve.cluster.kernels.whispers import Coin, split, whispers  # noqa: E402
from facesieve.core import config  # noqa: E402
from facesieve.faces.vectors import hits, slices  # noqa: E402
from facesieve.link.kernels.thresholds import link_cosine  # noqa: E402

DATA = Path(os.environ.get("FACESIEVE_DATA", ROOT.parent / "shared" / "data"))
MODELS = {"FaceNet": ("facenet", "facenet_embeddings.npz"), "MobileFaceNet": ("mobilefacenet", "embeddings.npz")}
SETS = ("LFW", "62 people", "3,000")
DRAWS, DRAWN, SEVERAL, MIN_N, UNCAPPED = 10, 3_000, 20, 1_000, 1 << 30
CUTS = (0.23, 0.25, 0.26, 0.27, 0.28, 0.29, 0.31, 0.33)
FEW_CUTS = (0.25, 0.27, 0.29)
DEGREES = (50, 100, 200, 500, UNCAPPED)
IMPOSTORS = (1, 2, 3, 5, 7, 10)
LINE_SHARES, LINE_PAIRS = np.linspace(0.80, 0.97, 18), 1_000_000


class Faces(NamedTuple):
    """Faces of one model: unit vectors float32 [n, D], names as numbers, impostor line (intercept, slope)."""

    vectors: np.ndarray
    people: np.ndarray
    line: tuple[float, float]

    def take(self, rows: np.ndarray) -> Faces:
        """Return some of the faces."""
        return Faces(self.vectors[rows], self.people[rows], self.line)


class Linked(NamedTuple):
    """The edges of some faces: row numbers, cosines, the impostor line."""

    people: np.ndarray
    src: np.ndarray
    dst: np.ndarray
    cosines: np.ndarray
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
            said = "all" if most == UNCAPPED else most
            table_row(f"{model}, {name}, max_degree {said}", FEW_CUTS, sets, most)


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
    profile, file = MODELS[model]
    line = tomllib.loads((ROOT / "conf" / "models" / f"{profile}.toml").read_text())["impostor"]
    stored = np.load(DATA / "lfw" / file)
    return Faces(stored["embeddings"], stored["labels"], (line["intercept"], line["slope"]))


def drawn(faces: Faces, name: str) -> list[Faces]:
    """Choose the faces of a set; of "3,000" every draw."""
    count = len(faces.people)
    if name == "LFW":
        return [faces]
    if name == "62 people":
        return [faces.take(np.flatnonzero(np.bincount(faces.people)[faces.people] >= SEVERAL))]
    return [faces.take(np.random.default_rng(seed).choice(count, DRAWN, replace=False)) for seed in range(DRAWS)]


def impostors_line(vectors: np.ndarray, people: np.ndarray) -> tuple[float, float]:
    """Fit the impostor line on random pairs of two people."""
    one, other = np.random.default_rng(0).integers(0, len(people), (2, LINE_PAIRS))
    apart = people[one] != people[other]
    cosines = np.einsum("nd,nd->n", vectors[one[apart]], vectors[other[apart]])
    z = [NormalDist().inv_cdf(share) for share in LINE_SHARES]
    slope, intercept = np.polyfit(z, np.quantile(cosines, LINE_SHARES), 1)
    return float(intercept), float(slope)


def linked(faces: Faces, impostors: float | None = None) -> Linked:
    """Link the faces by brute force at the derived cosine; both tolerances scale together."""
    tolerated = config.Link().false_matches
    impostors = tolerated if impostors is None else impostors
    line_impostors = config.Cluster().false_matches * impostors / tolerated
    count, vectors = len(faces.people), faces.vectors.astype(np.float16)
    link, line = (link_cosine(*faces.line, each, count, MIN_N) for each in (impostors, line_impostors))
    found = []
    for rows in slices(count, 2_048):
        one, other, cosines = hits(vectors[rows], vectors, link)
        once = one + rows.start < other
        found.append((one[once] + rows.start, other[once], cosines[once]))
    return Linked(faces.people, *(np.concatenate(column) for column in zip(*found, strict=True)), line)


def table_row(name: str, cuts: tuple[float, ...], sets: list[Linked], most: int = config.Cluster().max_degree) -> None:
    """Print one row: agreement at each cut, averaged over the sets."""
    scored = [(each, scored_edges(each, most)) for each in sets]
    found = {cut: np.mean([agreement(each, votes, cut) for each, votes in scored], axis=0) for cut in cuts}
    print(f"{name}: " + "  ".join(f"{cut:.2f} {f[0]:.4f}/{f[1]:.4f}" for cut, f in found.items()), flush=True)


def scored_edges(edges: Linked, most: int) -> np.ndarray:
    """Score all edges."""
    src, dst, cosines, line = edges[1:]
    known = hoods(np.append(src, dst), np.append(dst, src), np.append(cosines, cosines), line, most)
    return scores(src, dst, cosines, line, known)


def agreement(edges: Linked, votes: np.ndarray, cut: float) -> tuple[float, float]:
    """Let the faces vote, and compare with the names: B-cubed F, pairwise F."""
    settings, ids, kept = config.Cluster(), np.arange(len(edges.people)), votes >= least_vote(cut)
    src, dst = edges.src[kept], edges.dst[kept]
    coin = Coin(settings.update_fraction, settings.seed)
    labels = whispers(ids, src, dst, votes[kept], coin, settings.max_supersteps).labels
    clusters = split(ids, labels, src, dst)
    return bcubed(edges.people, clusters).f, pairwise(edges.people, clusters).f


if __name__ == "__main__":
    main(sys.argv[1:])
