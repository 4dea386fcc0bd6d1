"""Of a photograph with several faces no face is told as the person's; every model is compared with itself alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Row

from facesieve.erasure.access.collection import Collected
from facesieve.erasure.access.images import images_of
from facesieve.erasure.access.shown import Shown
from facesieve.erasure.selectors import Selectors
from facesieve.erasure.subject import Subject

_NAMES = ("listing", "rejects", "decisions", "cleaned", "idle")


def face(number: int, image: int, model: str = "m") -> Row:
    facts: dict[str, Any] = {"face_id": number, "image_id": image, "uri": f"{image}.jpg", "sha256": "ab"}
    facts |= {"model": model, "box": Row(x=1.26, y=2.0), "confidence": 0.9, "sharpness": None, "reasons": ["blurred"]}
    return Row(**facts, image_width=10, image_height=20, vector=[1.0, 0.0] if number % 2 else [0.0, 1.0])


def told(*faces: Row) -> dict[int, dict[str, Any]]:
    images = tuple(sorted({row.image_id for row in faces}))
    by_image = {image: [row for row in faces if row.image_id == image] for image in images}
    idle = {1: [Row(kind="gone", since=datetime(2026, 5, 3, tzinfo=UTC))]}
    clusters = {
        row.face_id: [Row(scope="global", cluster_id=77, cluster_size=9, medoid=False, attached=True)] for row in faces
    }
    rows: dict[str, dict[int, list[Row]]] = {name: {} for name in _NAMES} | {"embeddings": by_image, "idle": idle}
    collected = Collected(rows, clusters, {("global", 77): len(faces)}, (0, 0), {3: ["bob"]})
    return {each["image_id"]: each for each in images_of(collected, Shown(Selectors(), Subject(images=images)))}


def test_faces_of_a_group_photograph_may_be_of_others() -> None:
    images = told(face(1, 1), face(2, 2), face(4, 2))
    assert [(each["face_id"], each["vector"], each["clusters"]) for each in images[2]["faces"]] == [
        (None, None, [])
    ] * 2
    assert all(each["one_of_several"] for each in images[2]["faces"])
    alone = images[1]["faces"][0]
    assert (alone["face_id"], alone["vector"], alone["nearest_own"]) == (1, [1.0, 0.0], None)
    assert (alone["box"], alone["notes"][0]["words"]) == ({"x": 1.3, "y": 2.0}, "The face is blurred.")
    assert alone["clusters"][0].items() >= {"faces": 9, "own_faces": 3, "other_faces": 6}.items()
    assert images[1]["idle"] == [{"kind": "gone", "since": "2026-05-03T00:00:00+00:00"}]


def test_the_path_of_an_image_that_was_listed_under_the_name_of_another_is_not_told() -> None:
    images = told(face(1, 1), face(3, 3))
    assert (images[1]["uri"], images[1]["uri_hidden"], images[1]["names"]) == ("1.jpg", False, [])
    assert (images[3]["uri"], images[3]["uri_hidden"], images[3]["names"]) == (None, True, ["another name"])


def test_each_model_is_compared_with_itself() -> None:
    images = told(face(1, 1), face(3, 3), face(5, 5, "other"))
    assert images[1]["faces"][0]["nearest_own"] == {"image_id": 3, "cosine": 1.0}
    assert images[5]["faces"][0]["nearest_own"] is None
