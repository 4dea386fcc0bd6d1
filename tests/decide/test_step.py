"""The step on a lake: people's verdicts and protected people reach the tables, and what is decided is published."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deciding import MODEL, Face, Photo
from PIL import Image
from publishing import Shop, writing
from pyspark.sql import SparkSession
from scenes import encoded, scene

from facesieve.core import tables
from facesieve.decide.step import decide
from facesieve.embed.perceptual_hash import perceptual_hash
from facesieve.lake.run import Run
from facesieve.publish.step import publish


def photos(name: str, count: int, axis: int, start: int = 0) -> list[Photo]:
    vector = tuple(np.eye(8)[axis].tolist())
    return [Photo(f"{name}/{start + i}.jpg", name, (Face(vector, axis, 100 + axis),)) for i in range(count)]


PHOTOS = [*photos("ann", 6, 0), *photos("bob", 6, 1), *photos("cleo", 6, 2), *photos("ann", 1, 1, start=9)]


def written(every: list[Photo], hashed: dict[str, dict[str, Any]] | None = None) -> Callable[[Run], None]:
    """A step that writes all that decide reads; `hashed` adds to embeddings by uri, and an edge joins those images."""
    more = hashed or {}
    ends = sorted(photo.face_id(photo.faces[0]) for photo in every if photo.uri in more)
    images = [{"image_id": photo.image_id, "uri": photo.uri, "sha256": photo.sha256} for photo in every]
    faces = [{"face_id": photo.face_id(photo.faces[0])} for photo in every]
    of_image = list(zip(every, images, faces, strict=True))
    rows: dict[tables.Table, list[dict[str, Any]]] = {
        tables.LISTING: [image | {"identity": photo.identity} for photo, image, _ in of_image],
        tables.EMBEDDINGS: [
            image
            | face
            | {"face_rank": 0, "vector": list(photo.faces[0].vector), "face_phash": b"\0"}
            | more.get(photo.uri, {})
            for photo, image, face in of_image
        ],
        tables.REJECTS: [],
        tables.EDGES: [dict(zip(("src", "dst"), ends, strict=True)) | {"scope": "identity", "cosine": 0.95}]
        if ends
        else [],
        tables.CLUSTERS: [
            face | {"scope": scope, "cluster_id": cluster}
            for photo, _, face in of_image
            for scope, cluster in (("identity", photo.faces[0].identity), ("global", photo.faces[0].in_global))
        ],
    }

    def step(run: Run) -> None:
        for table, rows_of_table in rows.items():
            writing(table, rows_of_table)(run)

    return step


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    return Shop(spark, tmp_path)


def run(shop: Shop, name: str, *sets: str) -> dict[str, Any]:
    assert shop.run(name, written(PHOTOS), decide, publish, sets=sets) == 0
    return shop.record(name)


def verdicts(shop: Shop) -> dict[str, str]:
    rows = shop.lake.read(tables.DECISIONS, shop.lake.snapshot(tables.DECISIONS)).collect()
    return {row.uri: " ".join([row.verdict, *row.reasons]) for row in rows}


def test_the_face_ids_of_this_file_belong_to_no_model() -> None:
    assert MODEL == "test@0"


def test_verdicts_by_hand_hold_and_are_published(shop: Shop, tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.csv"
    overrides.write_text("uri,verdict,moved_to\nann/0.jpg,drop,\nbob/0.jpg,move,cleo\nnobody/1.jpg,keep,\n")
    first = run(shop, "first", f"decide.overrides={overrides}", "publish.apply=true")
    decided = verdicts(shop)
    assert (decided["ann/0.jpg"], decided["bob/0.jpg"]) == ("drop overridden", "move overridden")
    assert decided["ann/9.jpg"] == "move flip"
    facts = first["stages"]["decide"]
    assert facts["verdicts"] == {"keep": 16, "drop": 1, "move": 2, "quarantine": 0, "fail": 0}
    assert (facts["contradicted"], facts["policies"]["largest"]) == (2, 19)
    assert len(first["warnings"]) == 2
    cleaned = shop.cleaned()
    assert (len(cleaned), cleaned["bob/0.jpg"], cleaned["ann/9.jpg"]) == (18, "cleo", "bob")

    overrides.write_text(
        "moved_to,uri,verdict,who\n,nobody/1.jpg,keep,mia\ncleo,bob/0.jpg,move,mia\n,ann/0.jpg,drop,mia\n"
    )
    assert run(shop, "again", f"decide.overrides={overrides}", "publish.apply=true")["stages"]["decide"]["reused"]
    overrides.write_text("uri,verdict\nann/0.jpg,keep\n")
    changed = run(shop, "changed", f"decide.overrides={overrides}")
    assert not changed["stages"]["decide"]["reused"]
    assert (verdicts(shop)["ann/0.jpg"], verdicts(shop)["bob/0.jpg"]) == ("keep overridden", "keep")


def test_images_of_protected_people_are_kept_out(shop: Shop, tmp_path: Path) -> None:
    listed = tmp_path / "listed.csv"
    listed.write_text("identity\nbob\n")
    run(shop, "first", f"decide.protected={listed}")
    decided = verdicts(shop)
    assert {verdict for uri, verdict in decided.items() if uri.startswith("bob/")} == {"drop overlap"}
    assert decided["ann/9.jpg"] == "drop overlap"
    assert {verdict for uri, verdict in decided.items() if uri.startswith("cleo/")} == {"keep"}


def test_without_what_cosines_mean_nothing_is_moved(shop: Shop, tmp_path: Path) -> None:
    profile = Path(__file__).resolve().parents[2] / "conf/models/facenet.toml"
    bare = tmp_path / "bare.toml"
    bare.write_text(profile.read_text().partition("[genuine]")[0])
    record = run(shop, "bare", f"embed.model={bare}")
    assert verdicts(shop)["ann/9.jpg"] == "quarantine flip"
    assert "no [impostor] or [genuine]" in record["warnings"][0]


def test_what_is_wrong_with_the_side_tables_is_said(shop: Shop, tmp_path: Path, capsys: Any) -> None:
    overrides = tmp_path / "overrides.csv"
    overrides.write_text("uri,verdict\nann/0.jpg,perhaps\n")
    wrong = (f"decide.overrides={overrides}", "decide.protected=/nowhere/at/all")
    assert shop.run("wrong", written(PHOTOS), decide, sets=wrong) == 2
    assert "decide.overrides" in capsys.readouterr().err


def test_copies_are_shown_once_the_source_can_be_read_and_then_it_is_read_no_more(shop: Shop) -> None:
    """Unread pictures leave a burst and a warning; the next run decides anew, and what it decides is reused."""
    files = {f"ann/{place}.jpg": encoded(scene(3), quality) for place, quality in ((0, 90), (1, 60))}
    digests = {uri: hashlib.sha256(content).hexdigest() for uri, content in files.items()}
    every = [replace(photo, content=digests.get(photo.uri)) for photo in PHOTOS]
    step = written(every, {uri: measured(content) for uri, content in files.items()})
    assert shop.run("gone", step, decide) == 0
    assert {verdicts(shop)[uri] for uri in files} == {"keep burst"}
    assert [text.split(":")[1] for text in shop.record("gone")["warnings"]] == [
        " the pictures of 2 images that may be copies cannot be read from images.root"
    ]
    for uri, content in files.items():
        (shop.images / uri).parent.mkdir(exist_ok=True)
        (shop.images / uri).write_bytes(content)
    assert shop.run("seen", step, decide) == 0
    assert [verdicts(shop)[uri] for uri in files] == ["keep", "drop near_duplicate"]
    for uri in files:
        (shop.images / uri).unlink()
    assert shop.run("again", step, decide) == 0
    again = shop.record("again")
    assert (again["stages"]["decide"]["reused"], again["warnings"]) == (True, [])


def measured(content: bytes) -> dict[str, Any]:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    box = dict(zip(("x", "y", "width", "height"), (90.0, 60.0, 110.0, 120.0), strict=True))
    size = {"image_width": picture.width, "image_height": picture.height}
    return size | {"box": box, "phash": perceptual_hash(np.asarray(picture))}


def test_folders_that_are_too_small_are_told_with_their_key(shop: Shop) -> None:
    record = run(shop, "small", "decide.min_faces=7")
    warnings = [text for text in record["warnings"] if text.startswith("decide: ")]
    little = "decide: 0 of 19 images with an identity would be published: the median folder has 6 images"
    small = "decide: 3 folders have no cluster of decide.min_faces = 7 images"
    assert [text.startswith(expected) for text, expected in zip(warnings, (little, small), strict=True)] == [True, True]
    # The folder ann has seven images, one of which is of another person.
    folders = record["stages"]["decide"]["folders"]
    assert {name: folders[name] for name in ("small", "few", "split")} == {"small": 3, "few": 2, "split": 1}
    assert run(shop, "again", "decide.min_faces=7")["warnings"] == record["warnings"], "a reused step warns as well"
    spared = run(shop, "spared", "decide.min_faces=7", 'decide.small_folders="quarantine"')
    assert set(verdicts(shop).values()) == {"quarantine identity_too_small"}
    assert "decide.small_folders = quarantine takes 19 images out" in " ".join(spared["warnings"])
    quiet = run(shop, "quiet", "decide.min_faces=7", 'decide.small_folders="keep"')
    assert quiet["stages"]["decide"]["verdicts"]["keep"] == 18
    assert "decide.min_faces" not in " ".join(quiet["warnings"])
