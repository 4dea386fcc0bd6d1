"""Numbers of samples: without a gap, the same whatever the order of rows, and a sample of a person's faces is one."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core.tables import CLEANED, Cleaned
from facesieve.publish.shards.numbering import NUMBERED, Layout, numbered

FACES = 60


def faces(spark: SparkSession) -> Cleaned:
    """Sixty faces of six people on forty images; an image shows the same person twice, or two people."""
    rows = [
        (f"p{label}", face % 40, face, f"{face % 40}.jpg", "ab", None, None, label)
        for face in range(FACES)
        for label in [face % 40 % 6 if face % 4 else face % 6]
    ]
    return Cleaned(spark.createDataFrame(rows, CLEANED.columns))


def rows_of(frame: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.select("split", "number", "shard", "leads", "face_id").collect())


def test_numbers_run_from_0_in_each_split_and_fill_the_shards(spark: SparkSession) -> None:
    split = F.when(F.col("image_id") < 10, "test").otherwise("train")
    rows = numbered(faces(spark), Layout(split, False, 7, False))
    assert {field.name: field.dataType for field in rows.schema} == {field.name: field.dataType for field in NUMBERED}
    samples = rows.collect()
    assert len(samples) == FACES
    for name in ("train", "test"):
        leading = sorted((row.number, row.shard) for row in samples if row.split == name and row.leads)
        assert leading == [(number, number // 7) for number in range(len(leading))]
    by_sample: dict[object, list[int]] = {}
    for row in samples:
        by_sample.setdefault((row.image_id, row.label), []).append(row.face_id)
    assert len(by_sample) == len({(row.split, row.number) for row in samples}) < FACES
    assert {row.face_id for row in samples if row.leads} == {min(each) for each in by_sample.values()}


def test_the_order_of_rows_and_partitions_changes_nothing(spark: SparkSession) -> None:
    layout = Layout(None, False, 7, False)
    cleaned = faces(spark)
    other = Cleaned(cleaned.orderBy(F.desc("face_id")).repartition(5))
    assert rows_of(numbered(cleaned, layout)) == rows_of(numbered(other, layout))


def test_by_label_a_shard_holds_few_people_and_by_face_each_face_is_a_sample(spark: SparkSession) -> None:
    rows = numbered(faces(spark), Layout(None, True, 7, True)).orderBy("number").collect()
    assert [row.number for row in rows] == list(range(FACES))
    assert all(row.leads for row in rows)
    labels = [row.label for row in rows]
    assert labels == sorted(labels)
    shuffled = numbered(faces(spark), Layout(None, False, 7, True)).orderBy("number").collect()
    assert [row.label for row in shuffled] != labels
