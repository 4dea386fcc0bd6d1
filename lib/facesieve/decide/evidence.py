"""One face speaks for each image, and what is near to it is the evidence: folder by folder, in a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from facesieve.decide.keep_policy import FOLDER
from facesieve.decide.kernels.membership import DOUBTFUL, Flags, Indices, Scale, Shorts, belonging, home
from facesieve.decide.kernels.nearest import nearest, speakers
from facesieve.faces.arrow_groups import Array, as_matrix, as_numpy, groups, whole_groups
from facesieve.faces.vectors import medoid, pair_cosine

_FOUND = (
    T.StructField("nearest_face", T.LongType()),
    T.StructField("cosine", T.FloatType()),
    T.StructField("belonging", T.FloatType()),
    T.StructField("home", T.LongType()),
    T.StructField("at_home", T.BooleanType()),
    T.StructField("near", T.BooleanType()),
    T.StructField("weak", T.BooleanType()),
)


@dataclass(frozen=True)
class Terms:
    """What is asked of a folder: what the model's cosines mean (None: not known), and the cosine from which the medoid
    of a mode is near that of the largest; `near_only`: of the faces that may be kept, those in such modes are."""

    scale: Scale | None
    medoid_cosine: float
    near_only: bool


def with_evidence(faces: DataFrame, terms: Terms) -> DataFrame:
    """Keep, of the rows of `policy.in_folders`, the one of the face that speaks for its image; add the evidence.

    `faces` has also `may_keep` (boolean) and `vector`, null where an image failed. Returns its columns without
    `vector`, and of the speaking face: nearest_face and cosine (of the faces that the folder rule keeps the one
    that is nearest, other than itself; null if none), belonging (to the folder's core: `kernels.belonging`; null where
    unknown), home (the heap cluster that holds most of the folder's main cluster), at_home (the face is in it, or there
    is no heap), near (its cluster's medoid is near that of the main cluster) and weak (of the main cluster, not
    at home, and of too little belonging to be kept).
    """
    ordered = faces.repartition(*FOLDER).sortWithinPartitions(*FOLDER, "image_id", "face_id")
    told = [field for field in faces.schema if field.name != "vector"]

    def testimonies(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in whole_groups(batches, FOLDER):
            yield from _testimony(rows, terms).to_batches()

    return ordered.mapInArrow(testimonies, T.StructType([*told, *_FOUND]))


class _Folder(NamedTuple):
    """The faces of one folder; `homes` is the heap cluster of each, `clusters` that in which it is judged."""

    ids: Indices
    vectors: Shorts
    homes: Indices
    in_global: Flags
    clusters: Indices
    main: Flags
    mode: Flags
    counted: Flags
    may_keep: Flags

    def take(self, rows: Array) -> _Folder:
        return self._replace(**{name: column[rows] for name, column in self._asdict().items()})


class _Told(NamedTuple):
    """What is found of the faces of one folder: row number of the nearest (-1: none), and as in `with_evidence`."""

    nearest: Indices
    cosine: Shorts
    belonging: Shorts
    home: Indices
    at_home: Flags
    near: Flags
    weak: Flags


def _testimony(rows: pa.Table, terms: Terms) -> pa.Table:
    names = ("main", "mode", "counted", "may_keep")
    flags = [as_numpy(rows[name]).astype(np.bool_) for name in names]
    heap = as_numpy(pc.is_valid(rows["in_global"]))
    clusters = (as_numpy(rows["in_global"]), heap, as_numpy(rows["cluster_id"]))
    every = _Folder(as_numpy(rows["face_id"]), as_matrix(rows["vector"]), *clusters, *flags)
    images, ranks = as_numpy(rows["image_id"]), as_numpy(rows["face_rank"])
    spoken, found = [], []
    for part in groups(rows, FOLDER):
        chosen = part.start + speakers(
            images[part], ranks[part], every.ids[part], every.vectors[part], every.main[part]
        )
        told = _told(every.take(chosen), terms)
        spoken.append(chosen)
        found.append(told._replace(nearest=np.where(told.nearest < 0, -1, chosen[told.nearest])))
    told = _Told(*(np.concatenate(column) for column in zip(*found, strict=True)))
    return _with_columns(rows.drop_columns(["vector"]).take(np.concatenate(spoken)), told, every.ids)


def _told(folder: _Folder, terms: Terms) -> _Told:
    """Ask about all faces of one folder; a core is what counts of the main cluster and is at the folder's home."""
    count = len(folder.ids)
    central = folder.main & folder.counted
    where = home(folder.homes, central & folder.in_global)
    at_home = folder.in_global & (folder.homes == where) if where is not None else np.ones(count, np.bool_)
    belongs = np.full(count, np.nan, np.float32)
    if terms.scale is not None:
        belongs = belonging(folder.ids, folder.vectors, central & at_home, terms.scale)
    near = _near(folder, terms.medoid_cosine)
    weak = folder.main & ~at_home & (belongs < DOUBTFUL)
    kept = folder.may_keep & (near | (not terms.near_only)) & ~weak
    row, cosine = nearest(folder.ids, folder.vectors, kept)
    homes = np.full(count, 0 if where is None else where)
    return _Told(row, cosine, belongs, homes, at_home, near, weak)


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


def _with_columns(rows: pa.Table, told: _Told, ids: Indices) -> pa.Table:
    alone = told.nearest < 0
    failed = as_numpy(pc.is_null(rows["face_id"]))
    heapless = as_numpy(pc.is_null(rows["in_global"]))
    columns = (
        pa.array(ids[told.nearest], pa.int64(), mask=alone),
        pa.array(told.cosine, pa.float32(), mask=alone),
        pa.array(told.belonging, pa.float32(), mask=np.isnan(told.belonging)),
        pa.array(told.home, pa.int64(), mask=heapless),
        pa.array(told.at_home, pa.bool_(), mask=failed),
        pa.array(told.near, pa.bool_(), mask=failed),
        pa.array(told.weak, pa.bool_(), mask=failed),
    )
    for field, column in zip(_FOUND, columns, strict=True):
        rows = rows.append_column(field.name, column)
    return rows
