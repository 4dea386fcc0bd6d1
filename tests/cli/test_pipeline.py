"""The whole job, in this process, on real photographs: reuse, going back, crashes, two runs at once, bad input."""

from __future__ import annotations

import dataclasses
import json
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from three_people import three_people

from facesieve.cli import main
from facesieve.cluster.step import cluster
from facesieve.core import sections, tables
from facesieve.core.tables import Decisions
from facesieve.decide import step as decide_module
from facesieve.decide.decisions import Outcome, decisions
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.images.files import FileTree
from facesieve.lake import publication
from facesieve.lake import run as run_module
from facesieve.lake.catalog import Lake, Stamp
from facesieve.link.step import link
from facesieve.publish.step import publish

ROOT = Path(__file__).resolve().parents[2]
STEPS = (embed, link, cluster, decide, publish)
LATER = (tables.EDGES, tables.VOTES, tables.CLUSTERS, tables.DECISIONS, tables.CLEANED)


@dataclass(frozen=True)
class Place:
    """A namespace of the test catalog, with images and exports of its own."""

    spark: SparkSession
    images: Path
    export: Path
    namespace: str = field(default_factory=lambda: f"ns_{uuid.uuid4().hex[:8]}")

    def sieve(self, *sets: str, steps: tuple[main.Step, ...] = STEPS, extra: tuple[str, ...] = ()) -> int:
        settings = {
            "lake.root": self.spark.conf.get("spark.sql.catalog.lake.warehouse"),
            "lake.namespace": self.namespace,
            "images.root": self.images,
            "embed.chunk_images": 12,
            "link.threshold_global": 0.5,
            "decide.min_faces": 3,
            "publish.export_root": self.export,
        }
        arguments = ["--config", str(ROOT / "conf" / "pipeline.toml"), *extra]
        for pair in [*(f"{name}={value}" for name, value in settings.items()), *sets]:
            arguments += ["--set", pair]
        return main.main(steps, "", arguments)

    def runs(self) -> list[dict[str, Any]]:
        rows = self.spark.table(f"lake.{self.namespace}.runs").orderBy("started").collect()
        return [json.loads(row.record) for row in rows]

    def reused(self) -> dict[str, bool]:
        return {name: stage["reused"] for name, stage in self.runs()[-1]["stages"].items()}

    def snapshots(self) -> dict[str, int]:
        lake = Lake(self.spark, _lake(self.namespace))
        return {table.name: lake.snapshot(table).id for table in (tables.LISTING, tables.EMBEDDINGS, *LATER)}

    def rows(self, table: tables.Table) -> list[str]:
        frame = self.spark.table(f"lake.{self.namespace}.{table.name}")
        return sorted(row.value for row in frame.select(F.to_json(F.struct("*")).alias("value")).collect())


def apart(rows: list[str]) -> tuple[list[Any], list[float]]:
    """Rows in JSON without their floats, and these floats in order."""
    floats: list[float] = []
    return [json.loads(row, parse_float=lambda text: floats.append(float(text))) for row in rows], floats


def _hiccup(fetch: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """A storage that cannot read one image today."""

    def read(uri: str) -> bytes:
        if uri == "madonna/2.jpg":
            raise OSError("not today")
        return fetch(uri)

    return read


def _lake(namespace: str) -> sections.Lake:
    return sections.Lake(namespace=namespace)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, facenet_weights: Path, photographs: Path) -> Path:
    """Nine photographs each of three people; two copies, one under another name; one file that is no image."""
    root = tmp_path_factory.mktemp("photographs")
    three_people(photographs, root, 9)
    shutil.copyfile(root / "madonna" / "0.jpg", root / "madonna" / "copy.jpg")
    shutil.copyfile(root / "madonna" / "1.jpg", root / "mindy_kaling" / "double.jpg")
    (root / "ben_afflek" / "text.jpg").write_text("no image")
    (root / "notes.txt").write_text("ignored")
    return root


@pytest.fixture(scope="module")
def place(spark: SparkSession, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A lake in which the job has run once, applied, with both exports."""
    place = Place(spark, images, tmp_path_factory.mktemp("export"))
    assert place.sieve("publish.apply=true", 'publish.outputs=["parquet","folders"]') == 0
    return place


APPLIED = ("publish.apply=true", 'publish.outputs=["parquet","folders"]')


def test_every_image_has_its_verdict(place: Place) -> None:
    rows = {row.uri: row for row in place.spark.table(f"lake.{place.namespace}.decisions").collect()}
    record = place.runs()[0]
    assert len(rows) == 30
    assert rows["ben_afflek/text.jpg"].verdict == "fail"
    assert rows["ben_afflek/text.jpg"].reasons == ["wrong_type"]
    assert (rows["madonna/copy.jpg"].verdict, rows["madonna/0.jpg"].verdict) == ("drop", "keep")
    assert rows["madonna/copy.jpg"].kept_image_id == rows["madonna/0.jpg"].image_id
    assert {rows[name].verdict for name in ("madonna/1.jpg", "mindy_kaling/double.jpg")} == {"quarantine"}
    assert sum(row.verdict == "keep" for row in rows.values()) >= 24
    facts = record["stages"]["decide"]
    assert (facts["given"], sum(facts["verdicts"].values()), facts["missing"], facts["extra"]) == (30, 30, 0, 0)
    assert record["stages"]["listing"]["ignored"] == 1
    link = record["stages"]["link"]
    assert link["recall"] == 1.0, "so small a collection is joined exactly"


def test_tables_are_as_declared_and_the_ledger_tells_the_reading_point(place: Place) -> None:
    record = next(record for record in reversed(place.runs()) if record["status"] == "done")
    for table in (tables.LISTING, tables.EMBEDDINGS, tables.REJECTS, *LATER):
        assert table.name in record["after"]
        frame = place.spark.read.option("snapshot-id", record["after"][table.name])
        assert tables.differences(table, frame.table(f"lake.{place.namespace}.{table.name}").schema) == []


def test_the_exports_hold_what_was_kept(place: Place) -> None:
    run = (place.export / "CURRENT").read_text().strip()
    published = {row.image_id for row in place.spark.table(f"lake.{place.namespace}.cleaned").collect()}
    files = list((place.export / run / "folders").rglob("*.jpg"))
    plain = place.spark.read.parquet(str(place.export / run / "parquet"))
    assert len(files) == len(published)
    assert {row.image_id for row in plain.select("image_id").collect()} == published


def test_the_same_command_again_is_up_to_date(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before = place.snapshots()
    assert place.sieve(*APPLIED) == 0
    assert "up to date" in capsys.readouterr().out
    assert all(place.reused().values())
    assert place.snapshots() == before


@pytest.mark.long
def test_dry_run_then_apply_computes_nothing_again(spark: SparkSession, images: Path, tmp_path: Path) -> None:
    place = Place(spark, images, tmp_path)
    assert place.sieve() == 0
    assert "publish" not in place.reused()
    assert not (tmp_path / "CURRENT").exists()
    assert place.sieve(*APPLIED) == 0
    assert [name for name, reused in place.reused().items() if not reused] == ["publish"]


@pytest.mark.long
def test_going_back_to_an_earlier_configuration_goes_back_to_its_tables(place: Place) -> None:
    assert place.sieve(*APPLIED) == 0
    first = place.snapshots()
    assert place.sieve(*APPLIED, "link.threshold_global=0.7", "decide.min_faces=2", "publish.max_change=1") == 0
    assert not all(place.reused().values())
    assert place.snapshots() != first
    assert place.sieve(*APPLIED) == 0
    assert all(place.reused().values())
    assert place.snapshots() == first


@pytest.mark.long
def test_later_tables_do_not_depend_on_how_spark_plans(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.sieve(*APPLIED) == 0
    before = {table.name: place.rows(table) for table in LATER}

    def seven(spark: SparkSession, rows: int) -> None:
        spark.conf.set("spark.sql.shuffle.partitions", "7")
        spark.conf.set("spark.sql.adaptive.enabled", "true")
        spark.conf.set("spark.sql.codegen.wholeStage", "true")
        spark.conf.set("spark.sql.codegen.factoryMode", "FALLBACK")

    monkeypatch.setattr(run_module, "follow_rows", seven)
    assert place.sieve(*APPLIED, extra=("--full",)) == 0
    assert {table.name: place.rows(table) for table in LATER} == before


@pytest.mark.long
def test_work_does_not_depend_on_what_spark_is_given(place: Place) -> None:
    tasks = []
    for partitions in (2, 200):
        place.spark.conf.set("spark.sql.shuffle.partitions", partitions)
        assert place.sieve(*APPLIED, extra=("--full",)) == 0
        tasks.append({name: stage["tasks"] for name, stage in place.runs()[-1]["stages"].items()})
    few, many = tasks
    # The lake has a version more then, which costs a few; a single shuffle in 200 parts would be 198.
    assert {name: number for name, number in many.items() if number > few[name] + 50} == {}


@pytest.mark.parametrize(
    "name",
    [pytest.param("embeddings", marks=pytest.mark.long), "edges", pytest.param("cleaned", marks=pytest.mark.long)],
)
def test_a_run_that_dies_at_a_commit_goes_on(
    place: Place, spark: SparkSession, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The driver dies between writing a table's rows and the commit; the same command then completes."""
    fresh = Place(spark, images, tmp_path) if name == "embeddings" else place
    extra = () if fresh is not place else ("--full",)
    fast_forward = Lake._fast_forward
    commits: list[str] = []

    def dying(lake: Lake, table: tables.Table, branch: str) -> None:
        if table.name == name:
            commits.append(table.name)
            if len(commits) == (2 if fresh is not place else 1):
                raise KeyboardInterrupt
        fast_forward(lake, table, branch)

    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "_fast_forward", dying)
        patched.setattr(publication, "commit", killed)  # what makes cleaned current
        assert fresh.sieve(*APPLIED, extra=extra) == 130
    assert fresh.runs()[-1]["status"] == "interrupted"
    assert fresh.sieve(*APPLIED) == 0
    resumed, floats = apart(fresh.rows(tables.DECISIONS))
    undisturbed, expected = apart(place.rows(tables.DECISIONS))
    assert resumed == undisturbed
    # What is embedded anew is in other batches, on which inference depends a little; from link on all is to the bit.
    assert floats == (pytest.approx(expected, abs=1e-5) if fresh is not place else expected)
    embedded = fresh.spark.table(f"lake.{fresh.namespace}.embeddings")
    assert embedded.count() == embedded.select("face_id").distinct().count()


@pytest.mark.long
def test_an_image_that_cannot_be_read_for_once_is_tried_again(
    spark: SparkSession, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A passing fault between listing and embedding costs a warning, not the image."""
    place, fetch = Place(spark, images, tmp_path), FileTree.fetch
    assert place.sieve("embed.min_face=30", steps=(embed,)) == 0  # all are listed, and embedded with other settings
    with monkeypatch.context() as patched:
        patched.setattr(FileTree, "fetch", lambda tree: _hiccup(fetch(tree)))
        assert place.sieve("link.scope=identity") == 0
    row = place.spark.table(f"lake.{place.namespace}.decisions").where("uri = 'madonna/2.jpg'").collect()[0]
    assert (row.verdict, row.reasons) == ("fail", ["undecodable"])
    assert "1 images could not be read" in place.runs()[-1]["warnings"][0]
    assert place.sieve("link.scope=identity") == 0
    row = place.spark.table(f"lake.{place.namespace}.decisions").where("uri = 'madonna/2.jpg'").collect()[0]
    assert row.verdict == "keep"


@pytest.mark.long
def test_of_two_runs_at_once_one_is_refused_and_the_tables_are_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other: dict[str, Any] = {"exit": None}
    commit = Lake._fast_forward

    def late(lake: Lake, table: tables.Table, branch: str) -> None:
        if table.name == "edges" and other["exit"] is None:
            other["exit"] = -1
            other["exit"] = place.sieve(*APPLIED, "link.threshold_global=0.6", "publish.max_change=1")
            other["tables"] = place.snapshots()
        commit(lake, table, branch)

    monkeypatch.setattr(Lake, "_fast_forward", late)
    assert place.sieve(*APPLIED, "link.threshold_global=0.65", "publish.max_change=1") == 3
    assert other["exit"] == 0
    assert place.snapshots() == other["tables"]
    assert "moved by another run" in capsys.readouterr().err


def test_too_large_a_change_is_refused_and_moves_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.sieve(*APPLIED, "publish.max_change=1") == 0
    before = place.snapshots()
    assert place.sieve(*APPLIED, "decide.min_faces=1000") == 3
    assert "publish.max_change" in capsys.readouterr().err
    assert place.snapshots() == before


def without(decided: Outcome, uri: str) -> Outcome:
    return dataclasses.replace(decided, rows=Decisions(decided.rows.where(F.col("uri") != uri)))


def test_a_lost_row_is_seen_and_never_committed(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = place.snapshots()
    whole = decisions
    with monkeypatch.context() as patched:
        patched.setattr(decide_module, "decisions", lambda *inputs: without(whole(*inputs), "madonna/2.jpg"))
        assert place.sieve("decide.min_faces=4") == 1
    assert "reconciliation failed: 30 images given, 29 decided" in capsys.readouterr().err
    assert place.snapshots() == before
    assert place.sieve("decide.min_faces=4") == 0


@pytest.mark.long
def test_a_table_corrupted_in_the_lake_is_seen(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The proof is about the table as it stands: a row deleted behind the job's back fails the next run."""
    assert place.sieve() == 0
    good = Lake(place.spark, _lake(place.namespace))
    written = good.snapshot(tables.DECISIONS)
    rows = good.read(tables.DECISIONS, written).where("uri <> 'madonna/2.jpg'")
    good.overwrite(tables.DECISIONS, rows, Stamp("other hands", written.key, written.inputs), written)
    assert place.sieve() == 1
    assert "reconciliation failed: 30 images given, 29 decided" in capsys.readouterr().err
    assert place.sieve(extra=("--full",)) == 0


def test_a_stage_alone_says_what_must_run_before(
    spark: SparkSession, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(spark, images, tmp_path)
    assert place.sieve(steps=(cluster,)) == 2
    assert "jobs/embed.py" in capsys.readouterr().err


def test_a_finished_name_is_refused_and_an_unfinished_one_goes_on(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.sieve(extra=("--run", "mine")) == 0
    assert place.sieve(extra=("--run", "mine")) == 2
    assert "--run" in capsys.readouterr().err
    assert place.sieve(extra=("--run", "../up")) == 2


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("images.root={tmp}/absent", "images.root"),
        ("images.root={tmp}", "images.root"),
        ("embed.model=unknown", "embed.model"),
        ("embed.model={tmp}/wrong.toml", "sha256"),
        ("embed.model={tmp}/missing.toml", "file"),
        ("publish.export_root={tmp}/file/x", "publish.export_root"),
        ("lnk.scope=global", "lnk"),
    ],
)
def test_bad_input_ends_with_2_and_names_the_key(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, named: str
) -> None:
    (tmp_path / "file").write_text("")
    facenet = (ROOT / "conf" / "models" / "facenet.toml").read_text()
    digest = next(line for line in facenet.splitlines() if line.startswith("sha256"))
    (tmp_path / "wrong.toml").write_text(facenet.replace(digest, f'sha256 = "{"0" * 64}"'))
    file = next(line for line in facenet.splitlines() if line.startswith("file"))
    (tmp_path / "missing.toml").write_text(facenet.replace(file, f'file = "{tmp_path}/absent.h5"'))
    assert place.sieve(*APPLIED, setting.format(tmp=tmp_path)) == 2
    assert named in capsys.readouterr().err
