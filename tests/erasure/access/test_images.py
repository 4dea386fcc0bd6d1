"""Of a photograph with several faces no face is told as the person's; every model is compared with itself alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Row

from facesieve.erasure.access.collection import Collected
from facesieve.erasure.access.images import images_of
from facesieve.erasure.access.shown import Shown
from facesieve.erasure.access.words import GROUPED, MOVED, SEVERAL
from facesieve.erasure.selectors import Selectors
from facesieve.erasure.subject import Subject

_NAMES = ("listing", "rejects", "decisions", "cleaned", "idle")

IMAGE = {"uri": "1.jpg", "sha256": "ab"}


def face(number: int, image: int, model: str = "m") -> Row:
    facts: dict[str, Any] = {"face_id": number, "image_id": image, "uri": f"{image}.jpg", "sha256": "ab"}
    facts |= {"model": model, "box": Row(x=1.26, y=2.0), "confidence": 0.9, "sharpness": None, "reasons": ["blurred"]}
    stored = {"landmarks": [1.5] * 10, "phash": bytearray(b"\x01\xff"), "face_phash": bytearray(b"\x02")}
    vector = [1.0, 0.0] if number % 2 else [0.0, 1.0]
    return Row(**facts, **stored, image_width=10, image_height=20, vector=vector, turned_phash=None)


def decision(*, name: str = "ann", moved_to: str | None = None) -> Row:
    evidence = Row(share=0.25, nearest_face=9)
    facts: dict[str, Any] = {"verdict": "keep", "reasons": [], "identity": name, "moved_to": moved_to}
    return Row(**facts, **IMAGE, kept_image_id=None, confidence=0.5, evidence=evidence, proposal=None)


def told(*faces: Row, mostly: str = "", asked: str = "", **more: dict[int, list[Row]]) -> dict[int, dict[str, Any]]:
    """mostly: the name of most faces of the one cluster; asked: the name asked for; more: rows of further tables."""
    images = tuple(sorted({row.image_id for row in faces}))
    by_image = {image: [row for row in faces if row.image_id == image] for image in images}
    idle = {1: [Row(kind="gone", since=datetime(2026, 5, 3, tzinfo=UTC))]}
    clusters = {
        row.face_id: [Row(scope="global", cluster_id=77, cluster_size=9, medoid=False, attached=True)] for row in faces
    }
    rows: dict[str, dict[int, list[Row]]] = (
        {name: {} for name in _NAMES} | {"embeddings": by_image, "idle": idle} | more
    )
    most = {("global", 77): mostly} if mostly else {}
    collected = Collected(rows, clusters, {("global", 77): len(faces)}, (0, 0), {3: ["bob"]}, most)
    shown = Shown(Selectors(identity=(asked,) if asked else ()), Subject(images=images))
    return {each["image_id"]: each for each in images_of(collected, shown)}


def test_faces_of_a_group_photograph_may_be_of_others() -> None:
    images = told(face(1, 1), face(2, 2), face(4, 2))
    assert [(each["face_id"], each["vector"], each["clusters"]) for each in images[2]["faces"]] == [
        (None, None, [])
    ] * 2
    assert {each["withheld"] for each in images[2]["faces"]} == {SEVERAL}
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


def withheld(image: dict[str, Any]) -> tuple[Any, ...]:
    (only,) = image["faces"]
    return tuple(only[name] for name in ("withheld", "face_id", "vector", "landmarks", "face_phash", "nearest_own"))


def test_a_face_that_was_moved_to_another_name_is_withheld() -> None:
    published = {1: [Row(**IMAGE, identity="bob", label=7)], 5: [Row(**IMAGE, identity="ann", label=3)]}
    decisions = {1: [decision(moved_to="bob")], 5: [decision(name="bob", moved_to="ann")]}
    faces = (face(1, 1), face(5, 5), face(7, 7))
    images = told(*faces, asked="ann", decisions=decisions, cleaned=published)
    assert withheld(images[1]) == (MOVED, None, None, None, None, None)
    assert images[1]["faces"][0]["clusters"] == []
    assert images[1]["published"] == [{"name": "another name", "label": None}]
    assert images[5]["published"] == [{"name": "ann", "label": 3}]
    near = [images[image]["faces"][0]["nearest_own"]["image_id"] for image in (5, 7)]
    assert near == [7, 5], "no face of the person is compared with it either"
    assert images[5]["faces"][0]["vector"] == [1.0, 0.0]


def test_a_face_in_a_cluster_of_another_name_is_withheld() -> None:
    listed = {1: [decision()], 2: [decision(name="bob")]}
    images = told(face(1, 1), face(2, 2), mostly="bob", asked="ann", decisions=listed)
    assert withheld(images[1]) == (GROUPED, None, None, None, None, None)
    assert images[2]["faces"][0]["withheld"] is None, "its own image bears the name"
    assert told(face(1, 1), mostly="ann", asked="ann", decisions=listed)[1]["faces"][0]["withheld"] is None


def test_all_that_is_stored_of_a_face_is_told() -> None:
    images = told(face(1, 1), face(2, 2), face(4, 2))
    alone, (several, _) = images[1]["faces"][0], images[2]["faces"]
    assert [alone[name] for name in ("landmarks", "phash", "face_phash", "turned_phash")] == [
        *([1.5] * 10, "01ff", "02", None)
    ]
    assert [several[name] for name in ("landmarks", "phash", "face_phash")] == [None, "01ff", None]
