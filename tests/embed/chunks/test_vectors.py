from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core import ids
from facesieve.core.errors import ConfigError
from facesieve.core.profiles import Profile
from facesieve.embed.chunks import vectors
from facesieve.embed.chunks.vectors import SCALED, Basis, check_dimension, vector_batches
from facesieve.embed.embeddings import TO_EMBED
from facesieve.embed.worker import OUTCOMES
from facesieve.images.vectors.vector_set import VectorSet

BASIS = Basis(3, "m")


def _content(*numbers: float) -> bytes:
    return np.array(numbers, "<f4").tobytes()


def _batch(contents: list[bytes | None], sha256: str | None = None) -> pa.RecordBatch:
    rows = [{"uri": f"a#{number}", "content": each, "sha256": sha256} for number, each in enumerate(contents)]
    return pa.RecordBatch.from_pylist(rows, schema=to_arrow_schema(TO_EMBED))


def _outcomes(*contents: bytes | None) -> list[dict[str, Any]]:
    batches = list(vector_batches([_batch(list(contents))], BASIS))
    assert all(batch.schema == to_arrow_schema(OUTCOMES) for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


def test_a_vector_is_the_only_face_of_its_image() -> None:
    (row,) = _outcomes(_content(0.6, 0, 0.8))
    digest = hashlib.sha256(_content(0.6, 0, 0.8)).hexdigest()
    image = ids.image_id("a#0", digest)
    assert (row["uri"], row["sha256"], row["image_id"], row["model"]) == ("a#0", digest, image, "m")
    assert (row["face_id"], row["face_rank"], row["reasons"]) == (ids.face_id(image, "m", 0), 0, [])
    assert row["vector"] == np.array([0.6, 0, 0.8], np.float32).tolist()
    assert {row[name] for name in ("box", "landmarks", "sharpness", "phash", "reason", "detail")} == {None}


@pytest.mark.parametrize("factor", [1e-30, 0.5, 1.002, 1e30])
def test_a_vector_of_another_length_is_scaled_and_marked(factor: float) -> None:
    (row,) = _outcomes(_content(3 * factor / 5, 0, 4 * factor / 5))
    assert np.allclose(row["vector"], [0.6, 0, 0.8], atol=1e-6)
    assert (row["reason"], row["detail"]) == (None, SCALED)


@pytest.mark.parametrize("factor", [1 + 5e-7, 1.0005])
def test_what_precision_rounds_is_of_unit_length(factor: float) -> None:
    (row,) = _outcomes(_content(0.6 * factor, 0, 0.8 * factor))
    assert (row["reason"], row["detail"]) == (None, None)
    assert abs(np.linalg.norm(row["vector"]) - 1) < 1e-6


def test_what_is_no_vector_is_a_reject_and_others_stand() -> None:
    inf, nan = float("inf"), float("nan")
    rows = _outcomes(
        None, b"", _content(1, 2), bytes(5), _content(nan, 1, 0), _content(0, inf, 0), bytes(12), _content(1, 0, 0)
    )
    assert [(row["reason"], row["detail"]) for row in rows] == [
        ("empty", "the row has no vector"),
        ("undecodable", "the vector has 0 numbers, the profile says 3"),
        ("undecodable", "the vector has 2 numbers, the profile says 3"),
        ("undecodable", "the vector has 1.25 numbers, the profile says 3"),
        ("undecodable", "the vector holds a number that is not finite"),
        ("undecodable", "the vector holds a number that is not finite"),
        ("undecodable", "all numbers of the vector are 0"),
        (None, None),
    ]
    assert [row["vector"] for row in rows] == [None] * 7 + [[1, 0, 0]]
    assert [row["face_id"] is None for row in rows] == [True] * 7 + [False]
    assert {row["image_id"] is None for row in rows} == {False}


def test_what_changed_since_it_was_listed_is_unread() -> None:
    (batch,) = vector_batches([_batch([_content(1, 0, 0)], sha256="0" * 64)], BASIS)
    (row,) = batch.to_pylist()
    assert (row["reason"], row["vector"], row["image_id"]) == ("unread", None, ids.image_id("a#0", "0" * 64))


def test_small_batches_are_joined_and_large_ones_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_MOST_ROWS", 4)
    sizes = (1, 2, 3, 9, 1)
    batches = list(vector_batches([_batch([_content(1, 0, 0)] * size) for size in sizes], BASIS))
    assert [batch.num_rows for batch in batches] == [4, 2, 4, 4, 1, 1]
    assert list(vector_batches([], BASIS)) == []


def test_vectors_of_another_model_are_refused_before_they_are_read(tmp_path: Path) -> None:
    profile = Profile("", "0" * 64, "vectors", (8, 8), "none", 3, name="mine")
    np.save(tmp_path / "a.npy", np.ones((2, 3), np.float32))
    check_dimension(VectorSet(str(tmp_path)), profile)
    np.save(tmp_path / "a.npy", np.ones((2, 512), np.float32))
    with pytest.raises(ConfigError, match=r"the profile mine has 3 numbers a vector, images\.root has 512"):
        check_dimension(VectorSet(str(tmp_path)), profile)
