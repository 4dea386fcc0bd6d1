"""A whole scope clustered by one task, which holds its edges, faces and vectors: `kernels.whole` behind one read.

The task gets edges and faces as rows of one frame. A row with a vector is a face. Example of two edges, the second of
which does not vote, and of a face that begins with label 1:

    first second vote  vector  image
        1      2    5    null   null
        1      3 null    null   null
        4      1 null   [...]   null
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.cluster.constraints import Constraints
from facesieve.cluster.edge_weights import vote_integer
from facesieve.cluster.frames import CLUSTERED_FACES, ClusteredFaces, Voters
from facesieve.cluster.guards import doubled_faces, stray_ends
from facesieve.cluster.kernels.apart import Limits
from facesieve.cluster.kernels.constraints import VotingEdges
from facesieve.cluster.kernels.whole import Rule, Whole, clustered
from facesieve.cluster.kernels.whole import Voters as FacesHere
from facesieve.core.frames import columns
from facesieve.core.tables import Votes
from facesieve.faces.arrow_groups import as_matrix, as_numpy
from facesieve.faces.blocks import RowBatches

_INPUT = columns("first bigint, second bigint, vote bigint, vector array<float>, image bigint")
_FACTS = "facts"
_ARROW = {"bigint": pa.int64(), "boolean": pa.bool_(), "float": pa.float32(), "array<float>": pa.list_(pa.float32())}
_NOBODY = pa.table({each.name: pa.array([], _ARROW[each.dataType.simpleString()]) for each in _INPUT})
_OUTPUT = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in CLUSTERED_FACES) + f", {_FACTS} string"

Ints = npt.NDArray[np.int64]


class OneTask(NamedTuple):
    """What one task came to: all faces with their clusters, persisted, and what it tells of them.

    histories, unstable: as of `kernels.whole.Whole`. leftovers: the fields of the ledger's AttachmentRecord, or None.
    faces: how many there are; apart: the edges, voting or not, whose ends are of two clusters.
    """

    rows: ClusteredFaces
    histories: list[list[int]]
    unstable: list[int]
    leftovers: dict[str, Any] | None
    faces: int
    apart: int


def in_one_task(scope: str, voters: Voters, votes: Votes, constraints: Constraints, rule: Rule) -> OneTask:
    """Cluster the faces of a scope in one task, now.

    Raises ContractError where a face stands twice, or where an edge ends at a face that is not among the voters.
    """
    task = _task(constraints.must, constraints.cannot, rule)
    rows = _input(voters, votes, constraints).coalesce(1).mapInArrow(task, _OUTPUT)
    rows = rows.persist(StorageLevel.MEMORY_AND_DISK)
    collected = rows.where(F.col(_FACTS).isNotNull()).select(_FACTS).collect()
    # For no rows Spark may start no task.
    text = collected[0][0] if collected else next(iter(task([]))).column(_FACTS)[0].as_py()
    facts: dict[str, Any] = json.loads(text)
    if "doubled" in facts:
        raise doubled_faces(scope, *facts["doubled"])
    if "strays" in facts:
        raise stray_ends(*facts["strays"])
    return OneTask(ClusteredFaces(rows.where(F.col(_FACTS).isNull()).drop(_FACTS)), **facts)


def _input(voters: Voters, votes: Votes, constraints: Constraints) -> DataFrame:
    vote = F.when(F.col("votes"), vote_integer(F.col("score"))).alias("vote")
    edges = votes.select(F.col("src").alias("first"), F.col("dst").alias("second"), vote)
    faces = voters.select(F.col("face_id").alias("first"), F.col("label").alias("second"), "vector")
    if constraints.photos is not None:
        images = constraints.photos.select(F.col("face_id").alias("first"), F.col("image_id").alias("image"))
        faces = faces.join(images, "first", how="left")
    return _with_all(edges).unionByName(_with_all(faces))


def _with_all(rows: DataFrame) -> DataFrame:
    """Add the columns of `_INPUT` that are not there, as null."""
    missing = {each.name: F.lit(None).cast(each.dataType) for each in _INPUT if each.name not in rows.columns}
    return rows.withColumns(missing).select(*_INPUT.names)


def _task(must: Ints, cannot: Ints, rule: Rule) -> RowBatches:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        (src, dst, votes), faces = _received(batches)
        ids = as_numpy(faces["first"])
        facts = _refused(ids, np.append(src, dst))
        if facts:
            yield _facts_row(facts)
            return
        graph = VotingEdges(*(column[votes > 0] for column in (src, dst, votes)))
        there = as_numpy(pc.is_valid(faces["image"]))
        limits = Limits(must, cannot, ids[there], as_numpy(faces["image"])[there])
        order = np.argsort(ids)
        columns = (ids, as_numpy(faces["second"]), as_matrix(faces["vector"]))
        voters = FacesHere(*(column[order] for column in columns))
        end = clustered(voters, graph, limits, rule)
        first, second = (end.of.clusters[np.searchsorted(voters.ids, ends)] for ends in (src, dst))
        yield _facts_row(_facts(end, int(np.count_nonzero(first != second))))
        yield _face_rows(voters.ids, end)

    return run


def _received(batches: Iterable[pa.RecordBatch]) -> tuple[list[Ints], pa.Table]:
    """Part the rows: ends and votes of edges, int64 [E] (vote 0: the edge does not vote); rows of faces."""
    edges: list[list[Ints]] = [[np.empty(0, np.int64)] for _ in range(3)]
    faces: list[pa.RecordBatch] = []
    for batch in batches:
        of_face = batch.column("vector").is_valid()
        if batch.column("vector").null_count:
            rows = batch.filter(pc.invert(of_face))
            for column, name in zip(edges, _INPUT.names, strict=False):
                column.append(as_numpy(rows.column(name)))
        if batch.column("vector").null_count < batch.num_rows:
            faces.append(batch.filter(of_face))
    return [np.concatenate(column) for column in edges], pa.Table.from_batches(faces) if faces else _NOBODY


def _refused(ids: Ints, ends: Ints) -> dict[str, Any]:
    """Tell what is not as GraphFrames would take it for granted (see `guards`): how many, and the smallest face."""
    faces, counts = np.unique(ids, return_counts=True)
    doubled = faces[counts > 1]
    if len(doubled):
        return {"doubled": (len(doubled), int(doubled[0]))}
    strays = ends[~np.isin(ends, faces)]
    return {"strays": (len(strays), int(strays.min()))} if len(strays) else {}


def _facts(end: Whole, apart: int) -> dict[str, Any]:
    return {
        "histories": end.histories,
        "unstable": end.unstable,
        "leftovers": None if end.leftovers is None else end.leftovers.facts,
        "faces": len(end.attached),
        "apart": apart,
    }


def _facts_row(facts: dict[str, Any]) -> pa.RecordBatch:
    empty = {each.name: pa.nulls(1, _ARROW[each.dataType.simpleString()]) for each in CLUSTERED_FACES}
    return pa.RecordBatch.from_pydict({**empty, _FACTS: pa.array([json.dumps(facts)])})


def _face_rows(ids: Ints, end: Whole) -> pa.RecordBatch:
    values = {
        "face_id": ids,
        "settled": end.settled,
        "cluster_id": end.of.clusters,
        "cluster_size": end.of.sizes,
        "cohesion": end.of.cohesion,
        "medoid": end.of.medoids,
        "stability": end.of.stability,
        "attached": end.attached,
    }
    return pa.RecordBatch.from_pydict({**values, _FACTS: pa.nulls(len(ids), pa.string())})
