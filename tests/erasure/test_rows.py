"""What stays of each table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import erasable
import numpy as np
import pytest
from pyspark.sql import Row, SparkSession

from facesieve.cluster.kernels.cohesion import cohesion
from facesieve.core import tables
from facesieve.erasure.rebase import Rows
from facesieve.erasure.rows import IN_ORDER, Leaving
from facesieve.lake.catalog import Lake

FROM = erasable.FROM


@pytest.fixture(scope="module")
def leaving(spark: SparkSession) -> Leaving:
    lake = erasable.erasable_lake(spark)
    return Leaving(spark, lake, erasable.SUBJECT, (("global", FROM + 101, FROM + 777),), 0.9995, {})


def left(leaving: Leaving, table: tables.Table) -> list[Row]:
    lake: Lake = leaving.lake
    return sorted(leaving.rows(table.name, Rows(lake.read(table, lake.snapshot(table)))).collect(), key=str)


def values(rows: list[Row], *names: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(_small(row[name]) for name in names) for row in rows)


def _small(value: Any) -> Any:
    return erasable.small(value) if isinstance(value, int) else value


def test_images_and_pairs_leave(leaving: Leaving) -> None:
    assert values(left(leaving, tables.LISTING), "image_id") == [(3,), (4,), (5,)]
    assert values(left(leaving, tables.EMBEDDINGS), "face_id") == [(103,), (104,), (105,)]
    assert values(left(leaving, tables.EDGES), "src", "dst") == [(103, 105)]
    assert values(left(leaving, tables.IDENTITY_LINKS), "identity_a", "identity_b") == [("bob", "cid")]


def test_packed_faces_are_packed_anew(leaving: Leaving) -> None:
    rows = left(leaving, tables.EPOCHS)
    faces = [row for row in rows if row.kind == "faces"]
    assert [(row.epoch, row.faces) for row in faces] == [("r1", 3)]
    assert np.frombuffer(faces[0].ids, np.int64).tolist() == [FROM + 103, FROM + 104, FROM + 105]
    halves = np.frombuffer(faces[0].vectors, np.float16).reshape(3, -1)
    assert np.array_equal(halves, np.stack([erasable.VECTORS[image] for image in (3, 4, 5)]).astype(np.float16))
    assert np.frombuffer(faces[0].codes, np.int64).tolist() == [3, 4, 5]
    assert [bytes(row.pivots) for row in rows if row.kind == "settings"] == [erasable.VECTORS[4].tobytes()]


def test_a_pivot_that_is_the_subject_ends_the_epoch(leaving: Leaving) -> None:
    cid = replace(erasable.SUBJECT, vectors=(tuple(map(float, erasable.VECTORS[4] * 2)),))
    assert left(replace(leaving, subject=cid), tables.EPOCHS) == []


def test_a_cluster_that_loses_its_medoid_gets_another_and_its_id_is_replaced(leaving: Leaving) -> None:
    rows = {(row.scope, erasable.small(row.face_id)): row for row in left(leaving, tables.CLUSTERS)}
    assert sorted(rows) == [("global", 103), ("global", 105), ("identity", 104)]
    pair = [rows["global", 103], rows["global", 105]]
    assert {(erasable.small(row.cluster_id), row.cluster_size, row.stability) for row in pair} == {(777, 2, 0.75)}
    assert [row.medoid for row in pair] == [True, False]
    place, mean = cohesion(np.array([FROM + 103, FROM + 105]), np.stack([erasable.VECTORS[3], erasable.VECTORS[5]]))
    assert place == 0
    assert [row.cohesion for row in pair] == pytest.approx([mean, mean], abs=1e-6)
    assert mean != 0.5
    other = rows["identity", 104]
    assert (erasable.small(other.cluster_id), other.cluster_size, other.cohesion, other.medoid) == (104, 3, 0.5, True)


def test_others_do_not_point_at_the_subject_any_more(leaving: Leaving) -> None:
    rows = {erasable.small(row.image_id): row for row in left(leaving, tables.DECISIONS)}
    assert {image: (row.kept_image_id, erasable.small(row.cluster_id)) for image, row in rows.items()} == {
        3: (None, 777),
        4: (None, 104),
        5: (FROM + 3, 777),
    }
    assert {image: row.evidence.nearest_face for image, row in rows.items()} == {3: FROM + 104, 4: FROM + 105, 5: None}
    assert rows[5].evidence.cosine == 0.5
    named = values(left(leaving, tables.CLEANED), "image_id", "identity")
    assert named == [(3, "bob"), (4, f"cluster-{FROM + 104}"), (5, f"cluster-{FROM + 777}")]


def test_every_table_of_the_lake_has_its_turn() -> None:
    assert sorted(IN_ORDER) == sorted(table.name for table in tables.IN_LAKE)
    assert IN_ORDER[-1] == "runs"
    assert IN_ORDER.index("epochs") < IN_ORDER.index("edges"), "edges tell the version of epochs"
