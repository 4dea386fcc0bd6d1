"""Face blocks: nothing lost or changed on the way, whatever is wrong is named before a vector is shuffled."""

from __future__ import annotations

import math

import numpy as np
import oracle
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ContractError
from facesieve.faces import blocks as stage
from facesieve.faces.blocks import (
    FaceBlocks,
    ListedFaces,
    blocks_in,
    face_blocks,
    gathered,
    inventory,
    refuse_double_ids,
    sample,
)
from facesieve.faces.hashing import id_hash

Vector = list[float] | list[float | None] | None

NAN, INF = math.nan, math.inf
USABLE: list[Vector] = [[1.0, 0.0], [3e4, -6e4], [0.0, 1e-7]]
"""Also as float16."""


def rows(spark: SparkSession, *vectors: Vector, partitions: int = 1) -> FaceBlocks:
    faces = [(number, "a", vector) for number, vector in enumerate(vectors)]
    return face_blocks(ListedFaces(spark.createDataFrame(faces, oracle.FACES).repartition(partitions)))


@pytest.fixture(scope="module")
def faces() -> oracle.Crowd:
    return oracle.crowd(90, 5, seed=1)


def by_face(frame: FaceBlocks) -> dict[int, tuple[int, bytes]]:
    blocks = list(blocks_in(frame.collect()))
    faces = {
        int(face): (int(code), vector.tobytes())
        for block in blocks
        for face, code, vector in zip(block.ids, block.codes, block.vectors, strict=True)
    }
    assert len(faces) == sum(len(block.ids) for block in blocks)
    return faces


def test_faces_are_in_blocks_whole_with_a_code_for_their_identity(spark: SparkSession, faces: oracle.Crowd) -> None:
    frame = oracle.frame(spark, faces, 2)
    stored = by_face(face_blocks(frame))
    names = dict(zip(faces.ids.tolist(), faces.names, strict=True))
    assert {face: vector for face, (_, vector) in stored.items()} == {
        face: vector.tobytes() for face, vector in zip(faces.ids.tolist(), faces.halves, strict=True)
    }
    assert {face for face, (code, _) in stored.items() if code == 0} == {
        face for face, name in names.items() if not name
    }
    hashes = {(names[face], code) for face, (code, _) in stored.items()}
    codes = {row.identity: row.code for row in frame.selectExpr("identity", "xxhash64(identity) code").collect()}
    assert hashes == {(name, code if name else 0) for name, code in codes.items()}


def test_rows_are_as_many_as_blocks_and_no_larger_than_need_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 faces come at a time, as Spark sends them, and are gathered."""
    monkeypatch.setattr(stage, "BLOCK_FACES", 100)
    vectors = pa.array([[1.0, 2.0]] * 64, pa.list_(pa.float32()))
    batches = [
        pa.record_batch([np.arange(64) + 64 * number, np.zeros(64, np.int64), vectors], ["face_id", "code", "vector"])
        for number in range(5)
    ]
    blocks = [row for batch in stage._gather(batches) for row in batch.to_pylist()]
    assert [row["faces"] for row in blocks] == [128, 128, 64]
    assert b"".join(row["ids"] for row in blocks) == np.arange(320).tobytes()


def test_no_vector_is_shuffled(spark: SparkSession) -> None:
    frame = ListedFaces(spark.createDataFrame([(1, "a", [1.0])], oracle.FACES))
    plan = face_blocks(frame)._jdf.queryExecution().executedPlan().toString()
    assert "MapInArrow" in plan
    assert "Exchange" not in plan


@pytest.mark.parametrize("partitions", [1, 3])
def test_usable_vectors_are_counted(spark: SparkSession, partitions: int) -> None:
    assert inventory(rows(spark, *USABLE, partitions=partitions), 2) == 3
    assert inventory(rows(spark, *USABLE, partitions=partitions)) == 3
    assert inventory(face_blocks(ListedFaces(spark.createDataFrame([], oracle.FACES))), 2) == 0


@pytest.mark.parametrize(
    ("bad", "count"),
    [
        ([[NAN, 1.0]], 1),
        ([[INF, 0.0], [-INF, 1.0]], 2),
        ([[0.0, 0.0], [0.0, -0.0]], 2),
        ([None, []], 2),
        ([[None, 1.0]], 1),
        ([[1e-8, -2e-8]], 1),
        ([[0.0, 65_520.0], [1e30, 1.0]], 2),
        ([[NAN, NAN], [0.0, 0.0], [-1e5, 0.0]], 3),
        ([None, [NAN, 1.0]], 2),
    ],
    ids=["nan", "infinite", "zero", "none", "null inside", "underflow", "overflow", "mixed", "none and nan"],
)
def test_vectors_that_cannot_be_compared_are_counted(bad: list[Vector], count: int) -> None:
    vectors = [*USABLE, *bad]
    columns = [np.arange(len(vectors)), np.zeros(len(vectors), np.int64), pa.array(vectors, pa.list_(pa.float32()))]
    batch = pa.record_batch(columns, ["face_id", "code", "vector"])
    (block,) = [row for blocks in stage._gather([batch]) for row in blocks.to_pylist()]
    assert (block["faces"], block["unusable"], block["nameless"]) == (len(vectors), count, 0)


def test_unusable_vectors_are_an_error_that_counts_them(spark: SparkSession) -> None:
    bad: list[Vector] = [[NAN, NAN], [0.0, 0.0], [None, 1.0], None, [-1e5, 0.0]]
    with pytest.raises(ContractError, match=r"^embeddings\.vector: 5 of 8 faces are without"):
        inventory(rows(spark, *USABLE, *bad, partitions=3), 2)


@pytest.mark.parametrize("partitions", [1, 4])
def test_vectors_of_several_lengths_are_named(spark: SparkSession, partitions: int) -> None:
    mixed = rows(spark, *USABLE, [1.0, 0.0, 0.0], partitions=partitions)
    with pytest.raises(ContractError, match=r"^embeddings\.vector: .*from 2 to 3 numbers, among 4 faces\)"):
        inventory(mixed)


def test_vectors_of_another_model_are_named(spark: SparkSession) -> None:
    with pytest.raises(ContractError, match=r"from 2 to 2 numbers, among 3 faces, and the model makes 128"):
        inventory(rows(spark, *USABLE), 128)


@pytest.mark.parametrize("by_the_driver", [0, 4_000_000])
def test_double_ids_are_counted(
    spark: SparkSession, faces: oracle.Crowd, by_the_driver: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_COUNTED_BY_THE_DRIVER", by_the_driver)
    frame = oracle.frame(spark, faces)
    refuse_double_ids(face_blocks(ListedFaces(frame)), len(faces.ids))
    twice = frame.union(frame.where("face_id > 0").limit(3)).union(frame.limit(2))
    ids = [row.face_id for row in twice.select("face_id").collect()]
    double = len([face for face in set(ids) if ids.count(face) > 1])
    with pytest.raises(ContractError, match=rf"^embeddings\.face_id: {double} ids come more than once$"):
        refuse_double_ids(face_blocks(ListedFaces(twice)), len(ids))


@pytest.mark.parametrize("count", [40, 10_000])
def test_a_sample_is_drawn_by_id_hash_whatever_the_partitioning(
    spark: SparkSession, faces: oracle.Crowd, count: int
) -> None:
    total = len(faces.ids)
    hashes = id_hash(faces.ids, 7) / 2.0**64
    expected = [row for row in np.argsort(hashes) if hashes[row] < count / total]
    assert count < total or len(expected) == total
    for partitions in (1, 5):
        drawn = sample(face_blocks(oracle.frame(spark, faces, partitions, seed=partitions)), count, 7, total)
        assert drawn.ids.tolist() == faces.ids[expected].tolist()
        assert drawn.vectors.tobytes() == faces.halves[expected].tobytes()
        assert (drawn.codes == 0).tolist() == [faces.names[row] is None for row in expected]


def test_a_sample_of_nothing_is_empty(spark: SparkSession) -> None:
    drawn = sample(face_blocks(ListedFaces(spark.createDataFrame([], oracle.FACES))), 10, 0, 0)
    assert (len(drawn.ids), len(drawn.codes), drawn.vectors.shape) == (0, 0, (0, 0))


def test_gathering_is_in_order_and_loses_nothing() -> None:
    assert list(gathered([3, 1, 1, 5, 2], lambda weight: weight, 4)) == [[3, 1], [1, 5], [2]]
    assert list(gathered([], len, 4)) == []
