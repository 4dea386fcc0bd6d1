"""Edges: the pairs of faces whose cosine reaches the link threshold.

Scope `identity` compares the faces inside one identity, all with all. Scope `heap` compares across the whole heap, by
Voronoi LSH or, as its oracle, all with all; both take the same way: each face is sent to its cells, and a cell compares
the faces at home there with each other and with its visitors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.kernels import voronoi
from facesieve.kernels.vectors import Hits
from facesieve.kernels.voronoi import Pivots, Probes
from facesieve.stages.cells import Faces, Group, RowBatches, blocks, meetings, pack, packed_schema
from facesieve.stages.sampling import sample
from facesieve.tables import EDGES, Edges, conform

_SAMPLE_SEED = 0
_FACES_PER_EXACT_CELL = 32_768
_LEAST_EXACT_CELLS = 9
_PAIRS = "src bigint, dst bigint, cosine float, same_identity boolean"


@dataclass(frozen=True)
class Plan:
    """How the edges of one scope are found; everything that workers need, so that all route faces alike.

    scope: `identity` or `heap`. cosine: an edge has at least this. method: `voronoi` or `exact` (`identity` is always
    exact). pivots: float32 [m, D] for `voronoi`, else None. probes: cells that a face is sent to.
    """

    scope: str
    cosine: float
    method: str
    pivots: Pivots | None
    probes: int


def plan(faces: DataFrame, scope: str, cosine: float, method: str) -> Plan:
    """Plan the edges of `faces` (face_id bigint, identity string, vector array<float>), learning pivots if needed.

    Reads the faces and checks their vectors: ContractError when some are missing, zero, not finite or of other length.
    """
    total = faces.count()
    if scope == "identity" or method == "exact":
        sample(faces, 0, _SAMPLE_SEED, total)
        cells = max(_LEAST_EXACT_CELLS, total // _FACES_PER_EXACT_CELL | 1)
        return Plan(scope, cosine, "exact", None, 1 if scope == "identity" else (cells + 1) // 2)
    count = voronoi.pivot_count(total)
    taught = sample(faces, count * voronoi.SAMPLE_PER_PIVOT, _SAMPLE_SEED, total)
    pivots = voronoi.learn_pivots(taught.ids, taught.vectors, count)
    return Plan(scope, cosine, method, pivots, min(voronoi.PROBES, len(pivots)))


def edges(faces: DataFrame, plan: Plan) -> Edges:
    """Find the edges of `plan.scope` among `faces`, lazily: each pair once, src < dst, cosine at or above the link.

    The same to the bit for any partitioning and row order. Faces without an identity have no edge in scope `identity`.
    """
    cells = _sent(faces, plan)
    partitions = max(
        faces.sparkSession.sparkContext.defaultParallelism,
        int(faces.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1),
    )
    pairs = (
        cells.repartition(partitions, "cell")
        .sortWithinPartitions("cell", "visiting")
        .mapInArrow(_compare(plan.cosine), _PAIRS)
        .withColumn("scope", F.lit(plan.scope))
    )
    return Edges(conform(pairs, EDGES))


def comparisons(faces: DataFrame, plan: Plan) -> tuple[int, int]:
    """Count the cells that are home to a face, and the candidate pairs: distinct pairs of faces that are compared.

    For `voronoi` the faces are routed once more and counted by home and probe, without comparing anything.
    """
    if plan.scope == "identity":
        inside = faces.where(F.col("identity").isNotNull()).groupBy("identity").agg(F.count("*").alias("residents"))
        return _sums(inside.withColumn("visitors", F.lit(0)).select(*_meetings()))
    if plan.pivots is None:
        total = faces.count()
        return min(total, 2 * plan.probes - 1), total * (total - 1) // 2
    routed = faces.select("face_id", "identity", "vector").mapInArrow(_stays(plan), "home bigint, probe bigint")
    stays = routed.groupBy("home", "probe").agg(F.count("*").alias("size"))
    return _sums(_met(stays).unionAll(_met_twice(stays)))


def _met(stays: DataFrame) -> DataFrame:
    """Per cell, the pairs that meet there: residents with each other and with visitors."""
    at_home = F.col("home") == F.col("probe")
    residents, visitors = F.when(at_home, F.col("size")), F.when(~at_home, F.col("size"))
    sums = [F.coalesce(F.sum(size), F.lit(0)) for size in (residents, visitors)]
    cells = stays.groupBy("probe").agg(sums[0].alias("residents"), sums[1].alias("visitors"))
    return cells.where(F.col("residents") > 0).select(*_meetings())


def _meetings() -> tuple[Column, Column]:
    return F.lit(1).alias("cells"), F.expr("residents * (residents - 1) div 2 + residents * visitors").alias("pairs")


def _met_twice(stays: DataFrame) -> DataFrame:
    """Per two cells, less the pairs whose faces probe each other's homes: they meet in both cells and count once."""
    there, back = F.col("home") < F.col("probe"), F.col("home") > F.col("probe")
    crossed = stays.groupBy(F.least("home", "probe").alias("low"), F.greatest("home", "probe").alias("high"))
    sums = [F.coalesce(F.sum(F.when(way, F.col("size"))), F.lit(0)) for way in (there, back)]
    return crossed.agg((-sums[0] * sums[1]).alias("pairs")).select(F.lit(0).alias("cells"), "pairs")


def _sums(met: DataFrame) -> tuple[int, int]:
    cells, pairs = met.agg(F.sum("cells"), F.sum("pairs")).collect()[0]
    return cells or 0, pairs or 0


def _stays(plan: Plan) -> RowBatches:
    def stay(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in blocks(batches):
            probes = _probes(block, plan).astype(np.int64)
            columns = [pa.array(np.repeat(probes[:, 0], plan.probes)), pa.array(probes.ravel())]
            yield pa.record_batch(columns, names=["home", "probe"])

    return stay


def _sent(faces: DataFrame, plan: Plan) -> DataFrame:
    compared = faces.select("face_id", "identity", "vector")
    if plan.scope == "identity":
        return compared.where(F.col("identity").isNotNull()).mapInArrow(_by_identity, packed_schema("string"))
    return compared.mapInArrow(_by_probes(plan), packed_schema("bigint"))


def _by_identity(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for block in blocks(batches):
        names = block.identities.to_numpy(zero_copy_only=False)
        yield pack(block, names[:, None], np.zeros((len(names), 1), np.int32))


def _by_probes(plan: Plan) -> RowBatches:
    def send(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in blocks(batches):
            probes = _probes(block, plan)
            yield pack(block, probes.astype(np.int64), probes)

    return send


def _probes(block: Faces, plan: Plan) -> Probes:
    if plan.pivots is None:
        return voronoi.tournament(block.ids, 2 * plan.probes - 1)
    return voronoi.nearest(block.vectors, plan.pivots, plan.probes)


def _compare(cosine: float) -> RowBatches:
    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for residents, visitors in meetings(batches):
            for hits in voronoi.home_pairs(residents.members, cosine):
                yield _pairs(residents, residents, hits)
            for group in visitors:
                for hits in voronoi.visitor_pairs(residents.members, group.members, cosine):
                    yield _pairs(residents, group, hits)

    return compare


def _pairs(left: Group, right: Group, hits: Hits) -> pa.RecordBatch:
    i, j, cosine = hits
    a, b = left.members.ids[i], right.members.ids[j]
    names, others = left.identities[i], right.identities[j]
    same = np.asarray((names == others) & (names != None), dtype=bool)  # noqa: E711 (elementwise)
    columns = [np.minimum(a, b), np.maximum(a, b), cosine, same]
    return pa.record_batch([pa.array(column) for column in columns], names=["src", "dst", "cosine", "same_identity"])
