"""Histograms of scores on the data at hand: pairs inside folders and across, or inside clusters and across."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.assess.kernels.calibration import EDGES, Spread, across, within
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.assess.samples import NAMED_FACES, NamedFaces, named_faces, sample_by_identity
from facesieve.faces.blocks import FaceBlocks, ListedFaces, face_blocks, inventory, sample

PEOPLE, EACH = 300, 10
"""People whose pairs are counted, and the most faces of each: 3,000 faces, 4.5 million pairs."""
BIN = 0.05
"""Width of a bin."""
_DUST = 1e-9
"""A share that comes from rounding alone."""


def histograms(run: RunTables) -> list[dict[str, Any]]:
    """Count genuine and impostor pairs by cosine, with the line and the cut; nothing where no two faces are alike.

    People are the folders where the source has them, else the clusters: then genuine pairs are near by their making.
    Copies of one file count once. The same faces are drawn for each scope.
    """
    named = _people(run)
    chosen = sample_by_identity(named, PEOPLE, EACH, 2)
    faces = run.embeddings.select("face_id", "vector").join(F.broadcast(chosen), "face_id", how="inner").persist()
    first = faces.select(F.size("vector").alias("size")).head()
    if first is None:
        faces.unpersist()
        return []
    blocks = FaceBlocks(face_blocks(ListedFaces(faces)).persist())
    total = inventory(blocks, first["size"])
    drawn = sample(blocks, total, 0, total)
    blocks.unpersist()
    faces.unpersist()
    codes = np.unique(drawn.codes, return_inverse=True)[1].astype(np.int64)
    genuine, impostor = within(drawn.vectors, codes), across(drawn.vectors, codes)
    bins = of_spreads(genuine, impostor)
    return [_of_scope(run, scope, bins) for scope in run.scopes]


def of_spreads(genuine: Spread, impostor: Spread) -> list[dict[str, Any]]:
    """Share of genuine and of impostor pairs per bin of cosines, from the first to the last bin that holds a pair."""
    edges = np.round(np.arange(-1.0, 1.0 + BIN / 2, BIN), 2)
    shares = [np.diff(np.interp(edges, EDGES, spread.below)) for spread in (genuine, impostor)]
    filled = np.flatnonzero(shares[0] + shares[1] > _DUST)
    if not len(filled):
        return []
    return [
        {
            "low": float(edges[at]),
            "high": float(edges[at + 1]),
            "genuine": float(shares[0][at]),
            "impostor": float(shares[1][at]),
        }
        for at in range(filled[0], filled[-1] + 1)
    ]


def _people(run: RunTables) -> NamedFaces:
    listing, embeddings = run.listing, run.embeddings
    named = named_faces(listing, embeddings)
    if not named.isEmpty() or not run.scopes:
        return named
    clusters = run.clusters.where(F.col("scope") == run.scopes[0])
    people = clusters.select("face_id", F.col("cluster_id").cast("string").alias("identity"))
    return NamedFaces(people.select(*NAMED_FACES.names))


def _of_scope(run: RunTables, scope: str, bins: list[dict[str, Any]]) -> dict[str, Any]:
    cluster = run.record.stages.get("cluster")
    facts = getattr(cluster, "scopes", {}).get(scope)
    return {
        "scope": scope,
        "bins": bins,
        "link_cosine": run.link_cosine(scope),
        "cut": facts.impostor_line if facts else None,
    }


def cosine_of(a: str, b: str) -> Column:
    """Multiply two columns of unit vectors, in double precision; null where either is."""
    products = F.zip_with(a, b, lambda x, y: x.cast("double") * y.cast("double"))
    return F.aggregate(products, F.lit(0.0), lambda total, each: total + each)
