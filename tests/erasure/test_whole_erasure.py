"""erase on a real lake: three people, three runs, an undo, what a killed run leaves, all exports; one person goes."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from erased_lake import GONE, Killed, Killing, Place, hits, leave_as_if_killed, people, verdicts
from pyspark.sql import SparkSession
from searched import Sought
from three_people import three_people
from trainers import records, samples

from facesieve.cli import commands
from facesieve.core import tables

pytestmark = pytest.mark.long

EVERY = 'publish.outputs=["parquet","folders","crops","webdataset","huggingface","recordio","clean_list"]'
PHASES = ("tombstones", "tables", "the table clusters", "versions", "exports", "scratch", "source", "proof")
OTHERS = (
    *(tables.LISTING, tables.EMBEDDINGS, tables.REJECTS, tables.EDGES, tables.VOTES, tables.CLUSTERS),
    *(tables.DECISIONS, tables.CLEANED, tables.IDENTITY_LINKS),
)


@pytest.fixture(scope="module")
def place(spark: SparkSession, photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Three runs, of which the second has more images and the third other settings; the third is undone."""
    folder = tmp_path_factory.mktemp("erase")
    place = Place(spark, folder)
    later = [file for file in three_people(photographs, folder / "images", 6) if file.name == "5.jpg"]
    for file in later:
        file.rename(folder / f"{file.parent.name}.jpg")
    (folder / "images" / GONE / "text.jpg").write_text("no image of madonna")
    assert place.sieve("first", EVERY) == 0
    for file in later:
        (folder / f"{file.parent.name}.jpg").rename(file)
    assert place.sieve("second", EVERY) == 0
    assert place.sieve("third", "decide.min_faces=4", 'publish.outputs=["parquet"]') == 0
    assert commands.run("undo", [*place.arguments(), "--undo", "third"]) == 0
    leave_as_if_killed(place)
    return place


@pytest.fixture(scope="module")
def before(place: Place) -> dict[str, list[dict[str, Any]]]:
    return {table.name: place.rows(table) for table in OTHERS}


@pytest.fixture(scope="module")
def sought(before: dict[str, list[dict[str, Any]]]) -> Sought:
    mine = [row for row in before["listing"] if row["identity"] == GONE]
    ids = {row["image_id"] for row in mine}
    faces = [row for row in before["embeddings"] if row["image_id"] in ids]
    assert len(mine) == 7
    assert len(faces) >= 6
    return Sought(
        (GONE, *(row["uri"] for row in mine), *(row["sha256"] for row in mine)),
        (*ids, *(row["face_id"] for row in faces)),
        tuple(tuple(row["vector"]) for row in faces),
    )


@pytest.fixture(scope="module")
def erased(place: Place, before: dict[str, list[dict[str, Any]]], sought: Sought) -> dict[str, Any]:
    """The person goes: killed at the beginning of each part, then finished by the same command."""
    assert hits(place, sought), "the search itself finds the person where the person is"
    command = ("--identity", GONE, "--apply", "--with-source", "--proof", str(place.folder / "proof.json"))
    for phase in PHASES:
        with pytest.raises(Killed), Killing(phase):
            place.erase(*command)
    assert place.sieve("meanwhile") == 3, "no run begins while an erasure is under way"
    assert place.erase("--identity", "ben_afflek", "--apply") == 3, "nor does another erasure"
    assert place.erase(*command) == 0
    return dict(json.loads((place.folder / "proof.json").read_text()))


def test_an_independent_search_of_all_bytes_finds_nothing(place: Place, erased: dict[str, Any], sought: Sought) -> None:
    assert hits(place, sought) == []
    assert (erased["found"], erased["not_read_as_what_it_is"]) == ([], [])
    assert erased["looked_for"]["images"] == 7
    assert erased["looked_at"]["files"]["avro"] > 10
    proved = (place.folder / "proof.json").stat().st_mtime
    there = [file for file in place.files() if file.stat().st_mtime <= proved]
    assert sum(erased["looked_at"]["files"].values()) >= len(there)
    assert not list((place.folder / "images" / GONE).glob("*"))
    assert not (place.folder / "scratch" / "erasure.json").exists()


def test_the_rows_of_all_others_are_as_they_were(
    place: Place, before: dict[str, list[dict[str, Any]]], erased: dict[str, Any], sought: Sought
) -> None:
    for table in OTHERS:
        staying = [row for row in before[table.name] if not _names(row, sought)]
        after = place.rows(table)
        if table is tables.CLUSTERS:
            touched = {(row["scope"], row["cluster_id"]) for row in before[table.name] if _names(row, sought)}
            after = [row for row in after if (row["scope"], row["cluster_id"]) not in touched]
            staying = [row for row in staying if (row["scope"], row["cluster_id"]) not in touched]
        assert after == staying, table.name
        assert after or table is tables.IDENTITY_LINKS or table is tables.REJECTS


def _names(row: dict[str, Any], sought: Sought) -> bool:
    values = [row.get(name) for name in ("image_id", "face_id", "src", "dst", "identity_a", "identity_b")]
    return any(value in sought.ids or value == GONE for value in values)


def test_what_is_left_of_the_exports_is_whole_and_current(place: Place, erased: dict[str, Any]) -> None:
    export = place.folder / "export"
    assert (export / "CURRENT").read_text() == "second"
    assert sorted(each.name for each in (export / "second").iterdir() if each.is_dir()) == [
        *("clean_list", "crops", "folders", "huggingface", "parquet", "recordio", "webdataset")
    ]
    manifest = list(csv.DictReader((export / "second/folders/manifest.csv").open()))
    published = {str(row["image_id"]) for row in place.rows(tables.CLEANED)}
    assert {row["image_id"] for row in manifest} == published
    assert all((export / "second" / "folders" / row["path"]).is_file() for row in manifest)
    shards = {form: export / "second" / form for form in ("webdataset", "huggingface", "recordio")}
    packed = [sample["json"]["image_id"] for tar in shards["webdataset"].glob("*.tar") for sample in samples(tar)]
    assert {str(image) for image in packed} == published
    faces = pq.read_table(shards["huggingface"] / "data")
    assert {str(image) for image in faces["image_id"].to_pylist()} == published
    assert len(records(shards["recordio"], "train")) == len(published)
    rows = pq.read_table(export / "second" / "parquet").to_pylist()
    assert {str(row["image_id"]) for row in rows} == published
    labels = list(csv.DictReader((export / "second/labels.csv").open()))
    assert sum(int(row["images"]) for row in labels) == len(published)
    assert not (export / "third" / "folders").exists(), "what a killed export has left goes"


def test_earlier_runs_cannot_be_undone_and_the_answer_says_why(
    place: Place, erased: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run("undo", [*place.arguments(), "--undo", "second"]) == 3
    assert "An erasure of 20" in capsys.readouterr().err


def test_each_table_has_one_version_and_the_newest_run_points_at_it(place: Place, erased: dict[str, Any]) -> None:
    lake = place.lake()
    stands = {table.name: lake.versions(table) for table in tables.IN_LAKE if lake.current(table)}
    assert {name: len(versions) for name, versions in stands.items() if name != "runs"} == dict.fromkeys(
        [name for name in stands if name != "runs"], 1
    )
    run = place.spark.table(f"lake.{place.namespace}.runs").where("run = 'second'").collect()[0]
    assert run.after == {name: versions[-1].id for name, versions in stands.items() if name in run.after}
    assert json.loads(run.record)["after"] == run.after


def test_the_job_goes_on_as_if_the_person_had_never_been_there(
    place: Place, erased: dict[str, Any], photographs: Path, tmp_path: Path
) -> None:
    """Against a lake that never had the person; then copies come back, and are rejected."""
    never = Place(place.spark, tmp_path)
    three_people(photographs, tmp_path / "images", 6)
    shutil.rmtree(tmp_path / "images" / GONE)
    assert [place.sieve("after"), never.sieve("fresh")] == [0, 0]
    assert people(place) == people(never)
    assert verdicts(place) == verdicts(never)
    shutil.copytree(tmp_path / "images", place.folder / "images", dirs_exist_ok=True)
    again = place.folder / "images" / "somebody"
    again.mkdir()
    shutil.copyfile(sorted((photographs / "train" / GONE).glob("*.jpg"))[0], again / "back.jpg")
    assert place.sieve("again") == 0
    assert [(row["uri"], row["reason"]) for row in place.rows(tables.REJECTS)] == [("somebody/back.jpg", "erased")]
    assert {uri: each for uri, each in verdicts(place).items() if uri != "somebody/back.jpg"} == verdicts(never)
    assert verdicts(place)["somebody/back.jpg"] == ("fail", ["erased"])
