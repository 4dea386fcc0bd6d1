"""One face speaks for each image, and what is near to it is the evidence: folder by folder, in a stream.

The margin, how much nearer an image is to its people than to anybody else's, comes from the edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, NewType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core.frames import broadcast_if_few, columns, count_if_many
from facesieve.core.tables import Edges, Embeddings
from facesieve.decide.keep_policy import FOLDER, FOLDER_FACES, FolderFaces
from facesieve.decide.kernels.membership import DOUBTFUL, Flags, Indices, Scale, Shorts, main_cluster, membership
from facesieve.decide.kernels.nearest import nearest, speakers
from facesieve.faces.arrow_groups import Array, as_matrix, as_numpy, groups, whole_groups
from facesieve.faces.edge_frames import both_directions, touching
from facesieve.faces.join_vectors import vectors_of
from facesieve.faces.vectors import medoid, pair_cosine

_EVIDENCE = columns(
    "may_keep boolean, nearest_face bigint, cosine float, membership float, main_global bigint, "
    "in_main_global boolean, near boolean, weak boolean, core_left_out float"
)
SpeakingFaces = NewType("SpeakingFaces", DataFrame)
SPEAKING = T.StructType([*FOLDER_FACES, *_EVIDENCE])
"""One row per image: the face that speaks for it. nearest_face, cosine: of the faces that the keep policy keeps, the
nearest one, other than itself; null if none. membership: its score for the folder's core (`kernels.membership`); null
where unknown. main_global: the cluster of the scope `global` that holds most of the folder's main cluster.
in_main_global: the face is in it, or the scope is missing. near: the medoid of its cluster is near that of the main
cluster. weak: in the main cluster, not in main_global, and of too low a membership score to be kept. core_left_out:
share of the images that count in the main cluster in which faces were left out; 0 without such images."""

Speakers = NewType("Speakers", DataFrame)
SPEAKERS = columns("face_id bigint, people string, moved boolean")
"""Faces and whose they are; moved: these people are not those of its folder."""

Margins = NewType("Margins", DataFrame)
MARGINS = columns("face_id bigint, other_cosine float")
"""The greatest cosine of a face to a face of other people."""


@dataclass(frozen=True)
class Terms:
    """What is asked of a folder: what the model's cosines mean (None: not known), and the cosine from which the medoid
    of a mode is near that of the largest; `near_only`: of the faces that may be kept, those in such modes are."""

    scale: Scale | None
    medoid_cosine: float
    near_only: bool


def with_evidence(faces: FolderFaces, may_keep: Column, embeddings: Embeddings, terms: Terms) -> SpeakingFaces:
    """Keep the row of the face that speaks for its image, and add the evidence.

    may_keep: whether the keep policy keeps an image, as far as that can be told without vectors.
    """
    seen = vectors_of(faces.withColumn("may_keep", may_keep), embeddings)
    ordered = seen.repartition(*FOLDER).sortWithinPartitions(*FOLDER, "image_id", "face_id")

    def speaking(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in whole_groups(batches, FOLDER):
            yield from _speaking(rows, terms).to_batches()

    return SpeakingFaces(ordered.select(*FOLDER_FACES.names, "may_keep", "vector").mapInArrow(speaking, SPEAKING))


def nearest_of_others(edges: Edges, asked: Speakers, offered: Speakers) -> Margins:
    """Find the greatest cosine of each asked face to an offered face of other people.

    Faces without such an edge of the scope `global` have no row: whoever else there is is below the link cosine.
    """
    count = count_if_many(asked) + count_if_many(offered)
    mine = broadcast_if_few(asked.select("face_id", "people"), count)
    others = broadcast_if_few(offered.select(F.col("face_id").alias("other"), F.col("people").alias("others")), count)
    ends = both_directions(_across(edges, asked), "cosine").toDF("face_id", "other", "cosine")
    met = ends.join(mine, on="face_id", how="inner").join(others, on="other", how="inner")
    of_others = met.where("people <> others").groupBy("face_id")
    return Margins(of_others.agg(F.max("cosine").alias("other_cosine")))


def _across(edges: Edges, asked: Speakers) -> DataFrame:
    """The edges that may lead to other people: within a folder only those of a face that has left it."""
    everywhere = edges.where(F.col("scope") == "global").select("src", "dst", "cosine", "same_identity")
    within = F.coalesce("same_identity", F.lit(False))
    leaving = touching(everywhere.where(within), asked.where("moved"))
    return everywhere.where(~within).unionByName(leaving)


class _Folder(NamedTuple):
    """The faces of one folder; `in_global` is the cluster of each there, `clusters` that in which it is judged."""

    ids: Indices
    vectors: Shorts
    in_global: Indices
    has_global: Flags
    clusters: Indices
    main: Flags
    mode: Flags
    counted: Flags
    may_keep: Flags
    left_out: Flags

    def take(self, rows: Array) -> _Folder:
        return self._replace(**{name: column[rows] for name, column in self._asdict().items()})


class _Evidence(NamedTuple):
    """The evidence of the faces of one folder: row number of the nearest (-1: none), and as in SPEAKING."""

    nearest: Indices
    cosine: Shorts
    membership: Shorts
    main_global: Indices
    in_main_global: Flags
    near: Flags
    weak: Flags
    core_left_out: Shorts


def _speaking(rows: pa.Table, terms: Terms) -> pa.Table:
    names = ("main", "mode", "counted", "may_keep", "left_out")
    flags = [as_numpy(pc.fill_null(rows[name], False)).astype(np.bool_) for name in names]
    clusters = (as_numpy(rows["in_global"]), as_numpy(pc.is_valid(rows["in_global"])), as_numpy(rows["cluster_id"]))
    every = _Folder(as_numpy(rows["face_id"]), as_matrix(rows["vector"]), *clusters, *flags)
    images, ranks = as_numpy(rows["image_id"]), as_numpy(rows["face_rank"])
    spoken, evidence = [], []
    for part in groups(rows, FOLDER):
        chosen = part.start + speakers(
            images[part], ranks[part], every.ids[part], every.vectors[part], every.main[part]
        )
        of_folder = _evidence(every.take(chosen), terms)
        spoken.append(chosen)
        evidence.append(of_folder._replace(nearest=np.where(of_folder.nearest < 0, -1, chosen[of_folder.nearest])))
    columns_of = _Evidence(*(np.concatenate(column) for column in zip(*evidence, strict=True)))
    return _with_columns(rows.drop_columns(["vector"]).take(np.concatenate(spoken)), columns_of, every.ids)


def _evidence(folder: _Folder, terms: Terms) -> _Evidence:
    """Ask about all faces of one folder; its core is what counts of the main cluster and is in main_global."""
    count = len(folder.ids)
    central = folder.main & folder.counted
    cluster = main_cluster(folder.in_global, central & folder.has_global)
    inside = folder.has_global & (folder.in_global == cluster) if cluster is not None else np.ones(count, np.bool_)
    score = np.full(count, np.nan, np.float32)
    if terms.scale is not None:
        score = membership(folder.ids, folder.vectors, central & inside, terms.scale)
    near = _near(folder, terms.medoid_cosine)
    weak = folder.main & ~inside & (score < DOUBTFUL)
    offered = folder.may_keep & (near | (not terms.near_only)) & ~weak
    row, cosine = nearest(folder.ids, folder.vectors, offered)
    main_global = np.full(count, 0 if cluster is None else cluster)
    unseen = np.full(count, folder.left_out[central].mean() if central.any() else 0.0, np.float32)
    return _Evidence(row, cosine, score, main_global, inside, near, weak, unseen)


def _near(folder: _Folder, cosine: float) -> Flags:
    """Flag the faces in modes whose medoid is near that of the main cluster; all of a folder with a single mode."""
    near = folder.main.copy()
    others = np.unique(folder.clusters[folder.mode & ~folder.main])
    if not len(others) or not near.any():
        return near
    middle = _medoid(folder, folder.main)
    for cluster in others:
        members = folder.clusters == cluster
        near |= members & bool(pair_cosine(_medoid(folder, members), middle)[0] >= cosine)
    return near


def _medoid(folder: _Folder, members: Flags) -> Shorts:
    rows = np.flatnonzero(members)
    return folder.vectors[rows[[medoid(folder.ids[rows], folder.vectors[rows])]]]


def _with_columns(rows: pa.Table, evidence: _Evidence, ids: Indices) -> pa.Table:
    alone = evidence.nearest < 0
    failed = as_numpy(pc.is_null(rows["face_id"]))
    no_global = as_numpy(pc.is_null(rows["in_global"]))
    arrays = (
        pa.array(ids[evidence.nearest], pa.int64(), mask=alone),
        pa.array(evidence.cosine, pa.float32(), mask=alone),
        pa.array(evidence.membership, pa.float32(), mask=np.isnan(evidence.membership)),
        pa.array(evidence.main_global, pa.int64(), mask=no_global),
        pa.array(evidence.in_main_global, pa.bool_(), mask=failed),
        pa.array(evidence.near, pa.bool_(), mask=failed),
        pa.array(evidence.weak, pa.bool_(), mask=failed),
        pa.array(evidence.core_left_out, pa.float32(), mask=failed),
    )
    for name, column in zip(_EVIDENCE.names[1:], arrays, strict=True):
        rows = rows.append_column(name, column)
    return rows
