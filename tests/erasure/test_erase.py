"""erase as a command: dry run, refusals, a kill, a proof that finds something, and the end."""

from __future__ import annotations

import json
import logging
import shutil
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import erasable
import pytest
from pyspark.sql import SparkSession
from searched import Sought

from facesieve.cli import commands
from facesieve.core import tables
from facesieve.core.errors import ConfigError
from facesieve.core.side_sections import Audit
from facesieve.erasure.erase import refuse_naming
from facesieve.erasure.subject import Subject
from facesieve.lake.catalog import Lake

ROOT = Path(__file__).resolve().parents[2]
ANN = ("--identity", "ann", "--json")


@pytest.mark.parametrize(("text", "names"), [("ann asked", True), ("see ann/1.jpg", True), ("form 7, annual", False)])
def test_what_stays_in_the_lake_may_not_name_the_subject(text: str, names: bool) -> None:
    subject = Subject(names=("ann", "7"), uris=("ann/1.jpg",))
    given = Namespace(by="desk 4", basis=text)
    for arguments, audit, key in (
        (given, Audit(), "--basis"),
        (Namespace(by="", basis=""), Audit(basis=text), "run.basis"),
    ):
        if names:
            with pytest.raises(ConfigError, match=f"{key}: names who is to be erased"):
                refuse_naming(subject, arguments, audit)
        else:
            refuse_naming(subject, arguments, audit)


class Killed(BaseException):
    """The process ends here."""


@dataclass(frozen=True)
class Place:
    """The small lake, with exports, a scratch folder and a key of its own."""

    spark: SparkSession
    lake: Lake
    folder: Path

    @property
    def tables(self) -> Path:
        warehouse = str(self.spark.conf.get("spark.sql.catalog.lake.warehouse"))
        return Path(warehouse) / self.lake._settings.namespace

    def run(self, name: str, *extra: str, **sets: Any) -> int:
        values = {
            "lake.root": self.tables.parent,
            "lake.namespace": self.tables.name,
            "lake.scratch": self.folder / "scratch",
            "publish.export_root": self.folder / "export",
            "erase.key_file": self.folder / "erase.key",
            **{name.replace("__", "."): value for name, value in sets.items()},
        }
        pairs = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
        return commands.run(name, ["--config", str(ROOT / "conf/pipeline.toml"), *pairs, *extra])

    def ends(self, run: str, status: str) -> None:
        row = self.spark.table(self.lake.name_of(tables.RUNS)).where(f"run = '{run}'").drop("status")
        ended = row.selectExpr("run", f"'{status}' AS status", "started", "ended", "before", "after", "record")
        self.lake.put_row(tables.RUNS, ended.localCheckpoint(), "run", run)

    def files(self) -> list[Path]:
        return [file for root in (self.tables, self.folder) for file in sorted(root.rglob("*")) if file.is_file()]


@pytest.fixture(scope="module")
def place(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(spark, erasable.erasable_lake(spark), tmp_path_factory.mktemp("erase"))
    data = next((place.tables / "embeddings").rglob("*.parquet"))
    shutil.copyfile(data, data.with_name("00000-0-killed.parquet"))
    rdd = place.folder / "scratch" / "01234567-89ab-cdef-0123-456789abcdef" / "rdd-7"
    rdd.mkdir(parents=True)
    (rdd / "part-00000").write_bytes(data.read_bytes())
    files = place.folder / "export" / "r1" / "folders"
    for name in ("ann/1.jpg", "bob/3.jpg"):
        (files / name).parent.mkdir(parents=True)
        (files / name).write_text(name)
    first = erasable.FROM + 1
    rows = f"ann/1.jpg,ann/1.jpg,ann,0,{first},101,x\nbob/3.jpg,bob/3.jpg,bob,1,3,103,x\n"
    (files / "manifest.csv").write_text("path,uri,identity,label,image_id,face_id,sha256\n" + rows)
    (files / "_SUCCESS").write_text("7")
    (files.parent / ".facesieve").touch()
    (files.parents[1] / "CURRENT").write_text("r1")
    return place


def hits(place: Place) -> list[str]:
    """Search every file for ann, without a line of the product's proof."""
    ann = erasable.SUBJECT
    texts = (*ann.uris, *ann.digests, "copies", '"ann"')
    return Sought(texts, (*ann.images, *ann.faces), ann.vectors).hits(place.files())


def state(place: Place) -> dict[str, list[int]]:
    here = [table for table in tables.IN_LAKE if place.lake.current(table)]
    return {table.name: [each.id for each in place.lake.versions(table)] for table in here}


def kill(record: logging.LogRecord) -> bool:
    if record.getMessage() == "erase: versions":
        raise Killed
    return True


def test_a_dry_run_and_a_refusal_change_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before, files = state(place), place.files()
    assert place.run("erase", *ANN) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["applied"], record["images"], record["faces"], record["scratch"]) == (False, 4, 3, 1)
    assert record["exports"] == [{"run": "r1", "form": "folders", "action": "rewritten", "rows": 1}]
    assert place.run("erase", *ANN, "--apply", erase__max_images=3) == 3
    assert place.run("erase", "--apply") == 2
    place.ends("r1", "started")
    assert place.run("erase", *ANN, "--apply") == 3
    assert "runs are at work, or were killed: r1. Nothing was erased" in capsys.readouterr().err
    place.ends("r1", "done")
    assert {**state(place), "runs": []} == {**before, "runs": []}
    assert not set(files) - set(place.files())


def test_a_killed_erasure_is_finished_and_nothing_is_left(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(hits(place)) > 10, "the search finds ann where ann is"
    proof = place.folder.parent / f"{place.folder.name}.json"
    command = (*ANN, "--apply", "--proof", str(proof), "--by", "me", "--basis", "request")
    logger = logging.getLogger("facesieve.erasure.erase")
    logger.addFilter(kill)
    with pytest.raises(Killed):
        place.run("erase", *command)
    logger.removeFilter(kill)
    assert place.run("maintain", "--apply") == 3, "other jobs refuse"
    assert place.run("erase", "--identity", "bob", "--apply") == 3, "and so does another erasure"
    foreign = place.folder / "scratch" / "notes.txt"
    foreign.write_text("to do: ann/2.jpg")
    assert place.run("erase", *command) == 1
    assert [found["file"] for found in json.loads(proof.read_text())["found"]] == [str(foreign)]
    foreign.unlink()
    capsys.readouterr()
    assert place.run("erase", *command) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["proof"]["found"] == json.loads(proof.read_text())["found"] == []
    assert record["proof"]["looked_for"] == {
        **{"images": 4, "faces": 3, "uris": 5, "digests": 3, "names": 2, "vectors": 3}
    }
    assert hits(place) == []
    versions = state(place)
    assert len(versions.pop("runs")) == 2, "the ledger anew, and how the erasure ended"
    assert {len(ids) for ids in versions.values()} == {1}
    assert not (place.folder / "scratch" / "erasure.json").exists()
    assert place.run("erase", *command) == 0
    assert json.loads(capsys.readouterr().out) == {"applied": False, "images": 0}


def test_others_stay_and_the_next_job_finds_a_consistent_lake(place: Place) -> None:
    lake = place.lake
    listed = lake.read(tables.LISTING, lake.snapshot(tables.LISTING)).collect()
    assert sorted(erasable.small(row.image_id) for row in listed) == [3, 4, 5]
    vectors = lake.read(tables.EMBEDDINGS, lake.snapshot(tables.EMBEDDINGS)).select("image_id", "vector").collect()
    assert {erasable.small(row.image_id): row.vector for row in vectors} == {
        image: [float(each) for each in erasable.VECTORS[image]] for image in (3, 4, 5)
    }
    clusters = lake.read(tables.CLUSTERS, lake.snapshot(tables.CLUSTERS)).collect()
    assert {(row.scope, erasable.small(row.face_id)): erasable.small(row.cluster_id) for row in clusters} == {
        ("global", 103): 103,
        ("global", 105): 103,
        ("identity", 104): 104,
    }
    assert lake.snapshot(tables.CLUSTERS).run == "made", "the version is still that of its run"
    erased = lake.read(tables.ERASED, lake.snapshot(tables.ERASED)).collect()
    assert sorted(row.kind for row in erased) == ["content"] * 3 + ["image"] * 4 + ["key"]
    assert (place.folder / "export" / "CURRENT").read_text() == "r1"
    assert [file.name for file in (place.folder / "export" / "r1" / "folders").rglob("*.jpg")] == ["3.jpg"]
