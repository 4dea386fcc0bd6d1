"""How far faces probe and in which partition a cell is compared: derived from the faces at hand."""

from __future__ import annotations

import math

import numpy as np
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.faces.blocks import Faces, ListedFaces, code
from facesieve.link.kernels.cells import MOST_RESIDENTS, Cut, Layout, cut_cells
from facesieve.link.kernels.partitioning import lay_out
from facesieve.link.kernels.probe_tuning import Settings, TrueEdges, choose, nearness
from facesieve.link.kernels.voronoi import Pivots
from facesieve.link.routing import Routing

MOST_FACES = 131_072
"""Faces that a task holds, about: with float16 and float32 vectors, lists and cell assignments some 200 MB."""

COST_SAMPLE = 16_384
_COPIES = 3.0
_FEWEST_FACES = 2_048
_WORTH_A_TASK = 4_096


def derived(pivots: Pivots, sample: Faces, faces: int, true: TrueEdges, recall: float) -> tuple[Routing, Settings]:
    """Choose the cheapest probes and margin that reach `recall` on the true edges of a few of the `faces` faces."""
    settings = choose(pivots, sample.vectors[:COST_SAMPLE], faces, true, recall)
    return Routing(pivots, settings.probes, settings.margin), settings


def global_layout(routing: Routing, sample: Faces, faces: int, cores: int) -> Layout:
    """Assign the cells of scope `global` to partitions, from how a sample of the `faces` faces falls into them."""
    if routing.pivots is None:
        pieces = max(math.ceil(faces / MOST_RESIDENTS), min(cores, faces // _WORTH_A_TASK)) | 1
        cell = np.zeros(1, np.int64)
        return Layout(pieces, Cut(cell, np.array([pieces])), cell)
    near = nearness(sample.vectors[:COST_SAMPLE], routing.pivots, routing.probes)
    here = near.gaps <= routing.margin
    scale = faces / max(1, len(near.cells))
    residents = np.bincount(near.cells[:, 0], minlength=len(routing.pivots)) * np.float64(scale)
    present = np.bincount(near.cells[here], minlength=len(routing.pivots)) * scale
    copies = min(_COPIES, here.sum() / max(1, len(here)))
    parts = partitions(faces, copies, cores)
    return lay_out(routing.pivots, residents, residents * present + present, parts)


def identity_layout(faces: ListedFaces, cores: int) -> Layout:
    """Assign identities to partitions by their hash; those with many faces are cut, and their pieces spread.

    Raises ContractError if two identities bear the same hash (one chance in 10^7 among a million).
    """
    counts = (
        faces.where(F.col("identity").isNotNull())
        .groupBy(code().alias("code"))
        .agg(F.count("*").alias("faces"), F.min("identity").alias("first"), F.max("identity").alias("last"))
    )
    double = F.col("first") != F.col("last")
    large = F.when((F.col("faces") > MOST_RESIDENTS) | double, F.struct("code", "faces", double.alias("double")))
    row = counts.agg(F.sum("faces").alias("named"), F.collect_list(large).alias("large")).collect()[0]
    if any(each.double for each in row.large):
        raise ContractError("listing.identity: two identities bear one hash. Rename one of them.")
    listed = sorted((each.code, each.faces) for each in row.large)
    codes, sizes = (np.array([each[part] for each in listed], np.int64) for part in (0, 1))
    cut = cut_cells(codes, sizes) if listed else Cut(codes, sizes)
    copies = float((sizes * (cut.pieces + 1) / 2).sum() - sizes.sum()) if listed else 0.0
    named = row.named or 0
    return Layout(partitions(named, 1 + copies / max(1, named), cores), cut)


def partitions(faces: int, copies: float, cores: int) -> int:
    """Number of partitions: a multiple of the cores, no task holding much over MOST_FACES faces; few for few faces."""
    by_memory = math.ceil(faces * copies / MOST_FACES / cores) * cores
    return max(1, min(max(by_memory, cores), math.ceil(faces / _FEWEST_FACES)))
