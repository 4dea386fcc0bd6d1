"""Calibration of a lake of synthetic people: the profile it writes, the same again, noisy folders, and refusals."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from factories import faces
from finished import ROOT, Finished
from pyspark.sql import SparkSession

from facesieve.assess import calibrate
from facesieve.core import profiles, tables
from facesieve.core.sections import Embed
from facesieve.link.kernels.thresholds import link_cosine

PEOPLE, EACH = 60, 6


def _fill(place: Finished, people: int, each: int, impostors: int = 0) -> dict[str, int]:
    """People with folders; the first `impostors` images of each folder lie in the next person's."""
    ids, names, vectors = faces(people, each, seed=1)
    person = [int(name[-4:]) for name in names]
    seen = dict.fromkeys(person, 0)
    folders = []
    for number in person:
        seen[number] += 1
        folders.append(f"person {(number + (seen[number] <= impostors)) % people}")
    listing = [{"image_id": i, "uri": f"{folder}/{i}", "identity": folder} for i, folder in enumerate(folders)] + [
        {"image_id": len(ids), "uri": "nobody", "identity": None}
    ]
    embedded = [
        {
            "image_id": i,
            "face_id": int(face),
            "face_rank": 0,
            "sha256": str(i),
            "vector": vector.tolist(),
            "model": place.model,
        }
        for i, (face, vector) in enumerate(zip(ids, vectors, strict=True))
    ]
    # A copy of one image in the same folder, a second face of another, and a face without identity count for nothing.
    copy = embedded[0] | {"image_id": 1, "face_id": 2, "face_rank": 1}
    embedded += [copy, embedded[0] | {"image_id": len(ids), "face_id": 3}]
    return {"listing": place.put(tables.LISTING, listing), "embeddings": place.put(tables.EMBEDDINGS, embedded)}


@pytest.fixture(scope="module")
def place(spark: SparkSession) -> Finished:
    finished_lake = Finished(spark)
    finished_lake.run("clean", _fill(finished_lake, PEOPLE, EACH))
    finished_lake.run("noisy", _fill(finished_lake, PEOPLE, EACH, impostors=1))
    return finished_lake


def _calibrated(
    place: Finished, folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    out = folder / f"{name}.toml"
    arguments = ("--json", "--run", name, "--out", str(out), "--svg", str(folder / f"{name}.svg"))
    assert place.ask(calibrate, *arguments) == 0
    return json.loads(capsys.readouterr().out), tomllib.loads(out.read_text())


def test_the_profile_holds_what_the_faces_say_and_is_of_the_same_model(
    place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = place.history()
    record, written = _calibrated(place, tmp_path, "clean", capsys)
    assert place.history() == before
    loaded = profiles.load(str(tmp_path / "clean.toml"), "")
    assert profiles.model_id(loaded, Embed()) == place.model
    assert loaded.crop == profiles.load("facenet", str(ROOT / "conf/models")).crop
    # Impostors of 128 random numbers: mean 0, deviation 1 / sqrt(128).
    line, folder, genuine = loaded.impostor, loaded.identity, loaded.genuine
    assert line is not None and folder is not None and genuine is not None  # noqa: PT018 - for the types
    assert (line.intercept, line.slope) == pytest.approx((0, 128**-0.5), abs=0.01)
    assert folder.cosine == pytest.approx(link_cosine(line.intercept, line.slope, 10, 1000, 1000), abs=1e-3)
    assert folder.impostor_line == pytest.approx(line.intercept + 1.645 * line.slope, abs=1e-3)
    assert genuine.cosines[5] == pytest.approx(0.77, abs=0.02)
    assert written["impostor"]["measured_on"].endswith("pairs inside 60 identities")
    assert f"{PEOPLE * EACH} faces" in written["impostor"]["measured_on"]
    assert record["impostor_share"] < 0.01
    assert (record["warnings"], record["former"]["identity"]) == ([], {"cosine": 0.4, "impostor_line": 0.3})


def test_noise_in_folders_is_told_and_taken_away(
    place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, clean = _calibrated(place, tmp_path, "clean", capsys)
    record, noisy = _calibrated(place, tmp_path, "noisy", capsys)
    # One of six images of a folder is another person's: five of fifteen pairs.
    assert record["impostor_share"] == pytest.approx(1 / 3, abs=0.03)
    assert "quantiles" in record["warnings"][0]
    for section, key, within in (("impostor", "slope", 0.003), ("identity", "cosine", 0.02)):
        assert noisy[section][key] == pytest.approx(clean[section][key], abs=within)
    assert noisy["genuine"]["cosines"][3:] == pytest.approx(clean["genuine"]["cosines"][3:], abs=0.02)


def test_equal_input_gives_equal_files(place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _calibrated(place, tmp_path / name, "clean", capsys)
        files.append([(tmp_path / name / f"clean.{kind}").read_bytes() for kind in ("toml", "svg")])
    assert files[0] == files[1]
    root = ElementTree.fromstring(files[0][1])
    assert root.tag.endswith("svg")
    for word in ("false non-matches", "genuine", "normal quantile z", "link"):
        assert word in files[0][1].decode()


def test_text(place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert place.ask(calibrate, "--run", "clean", "--out", f"{tmp_path}/p.toml", "--svg", f"{tmp_path}/p.svg") == 0
    text = capsys.readouterr().out
    for part in ("Run clean", "identity.impostor_line", "genuine scores below", f"embed.model={tmp_path}/p.toml"):
        assert part in text


def test_files_that_are_there_or_cannot_be_written(
    place: Finished, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "there.toml").write_text("mine")
    assert place.ask(calibrate, "--out", f"{tmp_path}/there.toml", "--svg", f"{tmp_path}/no/p.svg") == 2
    text = capsys.readouterr().err
    assert "there.toml is there already" in text
    assert "does not exist" in text
    assert (tmp_path / "there.toml").read_text() == "mine"
    assert place.ask(calibrate, "--out", f"{tmp_path}/p.txt", "--svg", f"{tmp_path}/p.txt") == 2
    assert capsys.readouterr().err.count("error: ") == 2
    assert not (tmp_path / "p.txt").exists()


def test_few_people_give_a_profile_with_its_uncertainty(
    spark: SparkSession, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    few = Finished(spark)
    few.run("few", _fill(few, 6, 12))
    record, written = _calibrated(few, tmp_path, "few", capsys)
    low, high = record["uncertain"]
    # Impostors of 128 random numbers: 1 % lie above 2.326 / sqrt(128).
    assert low < 2.326 * 128**-0.5 < high
    assert low < record["identity"]["cosine"] < high
    assert "few faces (60 of 6 people)" in record["warnings"][0]
    assert f"with 95 % between {low:g} and {high:g}" in written["impostor"]["measured_on"]
    profiles.load(str(tmp_path / "few.toml"), "")


def test_too_few_people(spark: SparkSession, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    few = Finished(spark)
    few.run("few", _fill(few, 4, 50))
    assert few.ask(calibrate, "--out", f"{tmp_path}/p.toml", "--svg", f"{tmp_path}/p.svg") == 2
    text = capsys.readouterr().err
    assert "40 faces (at most 10 of an identity), 4 identities" in text
    assert "jobs/describe.py MODEL" in text
    assert list(tmp_path.iterdir()) == []
