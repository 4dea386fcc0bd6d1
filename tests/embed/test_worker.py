"""What a worker does with one batch of images that give no face: no model is loaded for them."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core import ids
from facesieve.core.errors import StoreError
from facesieve.core.profiles import Profile
from facesieve.core.sections import Embed
from facesieve.embed.embeddings import TO_EMBED
from facesieve.embed.worker import OUTCOMES, Plan, outcome_batches
from facesieve.images.protocol import BadContent, Fetch
from facesieve.images.store_errors import Unanswered

PROFILE = Profile("", "0" * 64, "tflite", (8, 8), "none", 2, name="any")
TEXT = b"no image"
DIGEST = hashlib.sha256(TEXT).hexdigest()


def gone(uri: str) -> bytes:
    raise FileNotFoundError(uri)


def outcome(fetch: Fetch | None, **image: Any) -> dict[str, Any]:
    """What becomes of one image, given some of its columns."""
    row = {"image_id": None, "uri": "a.jpg", "sha256": None, "size": 8, "content": None} | image
    batch = pa.RecordBatch.from_pylist([row], schema=to_arrow_schema(TO_EMBED))
    (answer,) = outcome_batches([batch], Plan(PROFILE, Embed(detector="aligned", max_bytes=9), "m", fetch))
    assert answer.schema == to_arrow_schema(OUTCOMES)
    row = dict(answer.to_pylist()[0])
    assert (row["uri"], row["model"], row["vector"], row["face_id"]) == ("a.jpg", "m", None, None)
    return row


def test_an_image_that_is_not_listed_yet_gets_its_digest_and_id_from_one_read() -> None:
    reads: list[str] = []

    def fetch(uri: str) -> bytes:
        reads.append(uri)
        return TEXT

    fetched, carried = outcome(fetch), outcome(None, content=TEXT)
    assert fetched == carried
    assert (fetched["sha256"], fetched["image_id"]) == (DIGEST, ids.image_id("a.jpg", DIGEST))
    assert fetched["reason"] == "wrong_type"
    assert reads == ["a.jpg"]


@pytest.mark.parametrize(
    ("image", "reason", "sha256"),
    [
        ({"size": 0}, "empty", DIGEST),
        ({"size": 10}, "too_large", DIGEST),
        ({"size": 1 << 31}, "too_large", None),
        ({"size": None}, "wrong_type", DIGEST),
    ],
)
def test_what_is_not_decoded_has_its_digest_unless_it_is_huge(
    image: dict[str, Any], reason: str, sha256: str | None
) -> None:
    row = outcome(lambda uri: TEXT, **image)
    assert (row["reason"], row["sha256"]) == (reason, sha256)


@pytest.mark.parametrize(
    ("fetch", "sha256", "reason"),
    [
        (gone, DIGEST, "unread"),
        (None, DIGEST, "unread"),
        (gone, None, "undecodable"),
        (lambda uri: b"another", DIGEST, "unread"),
        (lambda uri: TEXT, DIGEST, "wrong_type"),
    ],
)
def test_a_listed_image_whose_content_cannot_be_had_is_unread(
    fetch: Fetch | None, sha256: str | None, reason: str
) -> None:
    row = outcome(fetch, image_id=7, sha256=sha256)
    assert (row["image_id"], row["sha256"], row["reason"]) == (7, sha256, reason)


def test_a_new_image_that_cannot_be_read_is_undecodable() -> None:
    row = outcome(gone)
    assert (row["image_id"], row["sha256"]) == (ids.image_id("a.jpg", None), None)
    assert (row["reason"], row["detail"]) == ("undecodable", "cannot be read (FileNotFoundError)")


def test_a_store_that_does_not_answer_is_asked_once_and_named() -> None:
    asked: list[str] = []

    def silent(uri: str) -> bytes:
        asked.append(uri)
        raise Unanswered(110, "HTTP status 503", uri)

    row = outcome(silent)
    assert (row["reason"], row["detail"]) == ("undecodable", "cannot be read (Unanswered: HTTP status 503)")
    assert asked == ["a.jpg"]
    assert outcome(silent, size=0)["reason"] == "empty"


@pytest.mark.parametrize("image_id", [None, 7])
def test_what_the_source_can_never_give_is_a_reject_in_its_words(image_id: int | None) -> None:
    def bad(uri: str) -> bytes:
        raise BadContent("the member is encrypted")

    row = outcome(bad, size=0, image_id=image_id)
    assert (row["reason"], row["detail"], row["sha256"]) == ("undecodable", "the member is encrypted", None)


def test_an_outage_is_no_fault_of_an_image() -> None:
    def down(uri: str) -> bytes:
        raise StoreError("s3://a cannot be read any more")

    with pytest.raises(StoreError):
        outcome(down)


@pytest.mark.parametrize("size", [0, None])
def test_a_row_without_bytes_says_what_to_do(size: int | None) -> None:
    row = outcome(None, size=size)
    assert row["reason"] == "empty"
    assert "embed the pictures first" in row["detail"]
    assert outcome(None, size=0, content=b"")["detail"] == "0 bytes"
