"""An erasure and an access by a photograph of a person, with the real detector and FaceNet."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from probed import Probed
from pyspark.sql import SparkSession
from three_people import three_people

from facesieve.core import tables
from facesieve.erasure.candidates import Candidate, Candidates

PERSON, BACK, OTHER = "madonna", "ben_afflek", "mindy_kaling"
NEAR = ("--cosine", "0.5")


@pytest.fixture(scope="module")
def place(
    spark: SparkSession, photographs: Path, facenet_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Probed:
    assert facenet_weights.exists()
    place = Probed(spark, tmp_path_factory.mktemp("probed"))
    three_people(photographs, place.images, 2)
    assert place.run("embed") == 0
    return place


@pytest.fixture(scope="module")
def photograph(photographs: Path) -> Path:
    return sorted((photographs / "val" / PERSON).glob("*.jpg"))[0]


def persons(place: Probed) -> dict[str, set[int]]:
    rows = place.lake.read(tables.LISTING, place.lake.snapshot(tables.LISTING)).collect()
    return {name: {row.image_id for row in rows if row.identity == name} for name in {row.identity for row in rows}}


def embedded(place: Probed) -> dict[str, list[float]]:
    rows = place.lake.read(tables.EMBEDDINGS, place.lake.snapshot(tables.EMBEDDINGS)).collect()
    return {row.uri: row.vector for row in rows}


def test_what_cannot_be_a_probe_is_said_of_all_at_once(
    place: Probed, photograph: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair, face = Image.new("RGB", (600, 320)), Image.open(photograph).convert("RGB")
    for column, side in ((0, 300), (340, 220)):
        pair.paste(face.resize((side, side)), (column, 0))
    pair.save(tmp_path / "pair.png")
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "grey.png")
    (tmp_path / "text.jpg").write_text("no picture")
    files = [part for name in ("pair.png", "grey.png", "text.jpg") for part in ("--probe", str(tmp_path / name))]
    assert place.run("erase", *files, *NEAR) == 2
    said = capsys.readouterr().err
    assert "--probe: file 1 shows 2 faces (1 is " in said
    assert "--probe: file 2 shows no face (" in said
    assert "--probe: file 3 cannot be used (wrong_type: " in said
    assert place.run("erase", *files[:2], *NEAR, "--face", "3") == 2
    assert "--face: is 3, and file 1 shows 2 faces" in capsys.readouterr().err
    assert place.run("erase", *files[:2], *NEAR, "--face", "2", "--json") == 0
    assert json.loads(capsys.readouterr().out)["compared"] == 6


def test_a_model_by_which_the_lake_has_no_face_is_refused(
    place: Probed, photograph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.run("erase", "--probe", str(photograph), *NEAR, embed__min_face=25) == 2
    assert "embed.model: no face of the lake is of facenet@" in capsys.readouterr().err
    assert place.run("erase", "--probe", str(photograph), *NEAR, images__format="vectors") == 2
    assert "--probe: the vectors of this lake came without images" in capsys.readouterr().err


def test_names_are_shown_where_names_are_stored(
    place: Probed, photograph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place.folder / "names.key").write_text("k" * 40)
    hidden = {"lake__store_names": "false", "lake__names_key": place.folder / "names.key"}
    assert place.run("erase", "--probe", str(photograph), *NEAR, **hidden) == 0
    assert PERSON not in capsys.readouterr().out.partition("images of the source")[0]


def test_a_photograph_is_answered_once_it_is_confirmed_and_tells_of_nobody_else(
    place: Probed, photograph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, out = persons(place), place.folder / "answer"
    command = ("--probe", str(photograph), *NEAR, "--out", str(out))
    assert place.run("subject", *command, "--json") == 0
    shown = capsys.readouterr().out
    record = json.loads(shown)
    assert {each["image_id"] for each in record["candidates"]} == images[PERSON]
    assert 0 < record["false_matches"] < 1, "how many of them are expected to be other people"
    assert not any(name in shown for name in images), "no name is told before the candidates are confirmed"
    assert not out.exists(), "and nothing is written"
    assert place.run("subject", *command, "--confirm", "0123456789abcdef") == 2
    assert "other images are chosen than those that were shown" in capsys.readouterr().err
    assert not out.exists()
    assert place.run("subject", *command, "--confirm", record["digest"]) == 0
    answer = {file.name: file.read_text(encoding="utf-8") for file in out.iterdir()}
    record = json.loads(answer["subject.json"])
    assert {image["image_id"] for image in record["images"]} == images.pop(PERSON)
    assert {image["faces"][0]["nearest_own"]["image_id"] for image in record["images"]} == {
        image["image_id"] for image in record["images"]
    }, "each is compared with the other, and not with the photograph"
    assert record["asked_for"] == {"probe": ["photographs: 1, cosine: 0.5"]}
    secrets = {photograph.name, str(photograph), *images, *(str(each) for ids in images.values() for each in ids)}
    assert {secret for secret in secrets for text in answer.values() if secret in text} == set()


def test_a_confirmed_photograph_erases_the_person(
    place: Probed, photograph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("--probe", str(photograph), *NEAR, "--json")
    images = persons(place)
    assert place.run("erase", *command) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {each["image_id"] for each in shown["candidates"]} == images[PERSON]
    assert {each["identity"] for each in shown["candidates"]} == {PERSON}
    assert [each["cosine"] for each in shown["candidates"]] == sorted(
        (each["cosine"] for each in shown["candidates"]), reverse=True
    )
    assert 0 < shown["false_matches"] < 1
    assert shown["false_share"] == pytest.approx(shown["false_matches"] / 2)
    assert 0 < shown["genuine_below"] < 1
    assert place.run("erase", *command, "--apply") == 2
    assert place.run("erase", *command, "--apply", "--confirm", "0123456789abcdef") == 2
    assert "other images are chosen than those that were shown" in capsys.readouterr().err
    assert persons(place) == images, "nothing was changed"
    capsys.readouterr()
    assert place.run("erase", *command, "--apply", "--confirm", shown["digest"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 2
    assert persons(place) == {name: ids for name, ids in images.items() if name != PERSON}


def test_copies_of_an_erased_picture_that_come_back_are_not_embedded(
    place: Probed, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exact copy and a smaller one of another quality, under another name; everybody else is as before."""
    mine = sorted((place.images / BACK).glob("*.jpg"))
    content, again = [file.read_bytes() for file in mine], place.images / "somebody"
    assert place.run("erase", "--identity", BACK, "--apply", erase__block_similar="true") == 0
    before = embedded(place)
    for file in mine:
        file.unlink()
    again.mkdir()
    (again / "exact.jpg").write_bytes(content[0])
    picture = Image.open(io.BytesIO(content[1])).convert("RGB")
    picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(again / "near.jpg", quality=70)
    shutil.copyfile(next((place.images / OTHER).glob("*.jpg")), again / "stays.jpg")
    capsys.readouterr()
    assert place.run("embed") == 0
    rows = place.lake.read(tables.REJECTS, place.lake.snapshot(tables.REJECTS)).collect()
    reasons = {row.uri: row.reason for row in rows if row.uri.startswith("somebody/")}
    assert reasons == {"somebody/exact.jpg": "erased", "somebody/near.jpg": "erased"}
    after = embedded(place)
    assert after.pop("somebody/stays.jpg"), "the picture of another is no copy"
    assert after == before, "nobody else is affected"


def test_candidates_are_shown_with_what_they_are_worth() -> None:
    faces = (Candidate(7, 8, 0.91, "ann", 5), Candidate(3, 4, 0.55, None, None), Candidate(3, 5, 0.51, None, None))
    shown = Candidates(faces, 2, 1_000, 0.5, 1.5, 0.12)
    assert shown.images == (3, 7)
    assert shown.false_share == 0.5
    assert "Up to 1.5 of them are expected to be other people, a share of 50%." in shown.text()
    assert "\n7      0.9100       ann        5\n" in shown.text()
    assert Candidates(faces, 9, 1_000, 0.5, 4.5, 0.12).false_share == 1.0
    silent = Candidates(faces, 1, 1_000, 0.5, None, None)
    assert "the profile has no impostor line. Look at all." in silent.text()
