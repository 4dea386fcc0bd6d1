from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import compare
import published
import pytest
from compare import Planted, aligned, findings, in_picture, mixed, others_table, people_table
from faults import Kind
from pyspark.sql import SparkSession

Row = dict[str, Any]


def _row(verdict: str, *reasons: str, identity: str | None = None, face: int | None = None) -> Row:
    return {"identity": identity, "verdict": verdict, "reasons": list(reasons), "face_id": face, "moved_to": None}


FAULTS = [
    Planted(Kind.MOVED, "bob/m.jpg", "ann/m.jpg"),
    Planted(Kind.COPY_BESIDE, "ann/c_copy.jpg", "ann/c.jpg"),
    Planted(Kind.COPY_ELSEWHERE, "bob/e.jpg", "ann/e.jpg"),
    Planted(Kind.CUT, "ann/k_cut.jpg", "ann/k.jpg"),
    Planted(Kind.TEXT, "bob/t.jpg", ""),
    Planted(Kind.BOMB, "bob/b.png", ""),
    Planted(Kind.FACELESS, "bob/f.jpg", ""),
]
GOOD = {
    "bob/m.jpg": _row("drop", "outlier", identity="bob", face=1),
    "ann/c.jpg": _row("keep", identity="ann", face=2),
    "ann/c_copy.jpg": _row("drop", "duplicate", identity="ann", face=3),
    "bob/e.jpg": _row("quarantine", "two_identities", identity="bob", face=4),
    "ann/e.jpg": _row("quarantine", "two_identities", identity="ann", face=5),
    "ann/k.jpg": _row("keep", "blurred", identity="ann", face=6),
    "ann/k_cut.jpg": _row("fail", "undecodable", identity="ann"),
    "bob/t.jpg": _row("fail", "wrong_type", identity="bob"),
    "bob/b.png": _row("fail", "too_large", identity="bob"),
    "bob/f.jpg": _row("fail", "no_face", identity="bob"),
    "bob/1.jpg": _row("keep", identity="bob", face=7),
    "bob/2.jpg": _row("drop", "outlier", identity="bob", face=8),
}
CLUSTERS = {1: 10, 2: 10, 3: 10, 4: 10, 5: 10, 6: 11, 7: 20, 8: 10}


def test_what_counts_as_found() -> None:
    results = findings(FAULTS, GOOD)
    assert all(finding.detected for finding in results)
    assert [finding.summary for finding in results] == [
        "drop outlier",
        "drop duplicate",
        "quarantine two_identities",
        "fail undecodable",
        "fail wrong_type",
        "fail too_large",
        "fail no_face",
    ]


@pytest.mark.parametrize(
    ("kind", "uri", "row"),
    [
        (Kind.MOVED, "bob/m.jpg", _row("keep")),
        (Kind.MOVED, "bob/m.jpg", _row("fail", "no_face")),
        (Kind.COPY_BESIDE, "ann/c_copy.jpg", _row("drop", "outlier")),
        (Kind.COPY_BESIDE, "ann/c_copy.jpg", _row("keep", "duplicate")),
        (Kind.COPY_ELSEWHERE, "ann/e.jpg", _row("keep")),
        (Kind.COPY_ELSEWHERE, "bob/e.jpg", _row("drop", "two_identities")),
        (Kind.CUT, "ann/k_cut.jpg", _row("keep")),
        (Kind.TEXT, "bob/t.jpg", _row("fail", "undecodable")),
        (Kind.BOMB, "bob/b.png", _row("fail", "undecodable")),
        (Kind.FACELESS, "bob/f.jpg", _row("quarantine", "no_face")),
    ],
)
def test_what_does_not_count_as_found(kind: Kind, uri: str, row: Row) -> None:
    missed = [finding for finding in findings(FAULTS, {**GOOD, uri: row}) if not finding.detected]
    assert [finding.fault.kind for finding in missed] == [kind]
    lacking = {other: row_of for other, row_of in GOOD.items() if other != uri}
    missed = [finding for finding in findings(FAULTS, lacking) if not finding.detected]
    assert [finding.fault.kind for finding in missed] == [kind]
    assert "no row" in missed[0].summary


def test_what_was_not_planted_and_is_not_kept() -> None:
    assert list(others_table(FAULTS, GOOD))[1:] == [("drop outlier", "1"), ("all", "1")]


def test_people_by_who_is_in_the_picture() -> None:
    person = in_picture(FAULTS, GOOD)
    assert "bob/t.jpg" not in person
    assert person["bob/m.jpg"] == person["bob/e.jpg"] == "ann"
    assert list(people_table(person, GOOD, CLUSTERS))[1:] == [
        ("ann", "7", "2", "0", "5, 1"),
        ("bob", "2", "1", "0", "1, 1"),
    ]
    wrong = {**GOOD, "bob/m.jpg": _row("keep", identity="bob", face=1)}
    assert list(people_table(person, wrong, CLUSTERS))[1] == ("ann", "7", "3", "1", "5, 1")
    assert mixed(person, GOOD, CLUSTERS) == 1


def test_tables_are_aligned() -> None:
    assert aligned([("What", "n", ""), ("a", "10", "x"), ("bcdef", "9", "yy")]).splitlines() == [
        "What    n",
        "-----  --  --",
        "a      10  x",
        "bcdef   9  yy",
    ]


@pytest.fixture
def demo(spark: SparkSession, tmp_path: Path) -> Path:
    """A lake of its own, with runs and tables as the job leaves them, and a list of what was planted."""
    settings = {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "hadoop", ".warehouse": str(tmp_path / "lake")}
    for name, value in settings.items():
        spark.conf.set(f"spark.sql.catalog.{tmp_path.name}{name}", value)
    with (tmp_path / "planted.csv").open("w", newline="") as listed:
        rows = csv.writer(listed)
        rows.writerows([("kind", "uri", "origin"), *((fault.kind.value, fault.uri, fault.origin) for fault in FAULTS)])
    return tmp_path


def _decide(spark: SparkSession, demo: Path, decisions: dict[str, Row]) -> int:
    columns = "uri string, identity string, verdict string, reasons array<string>, face_id bigint, moved_to string"
    rows = [(uri, *row.values()) for uri, row in decisions.items()]
    return _overwrite(spark, f"{demo.name}.faces.decisions", rows, columns)


def _cluster(spark: SparkSession, demo: Path) -> int:
    faces = [(scope, face, cluster) for face, cluster in CLUSTERS.items() for scope in ("global", "identity")]
    return _overwrite(spark, f"{demo.name}.faces.clusters", faces, "scope string, face_id bigint, cluster_id bigint")


def _overwrite(spark: SparkSession, name: str, rows: list[tuple[Any, ...]], columns: str) -> int:
    spark.createDataFrame(rows, columns).coalesce(1).writeTo(name).using("iceberg").createOrReplace()
    history = spark.sql(f"SELECT snapshot_id FROM {name}.snapshots ORDER BY committed_at DESC LIMIT 1")
    return int(history.collect()[0][0])


def _end(spark: SparkSession, demo: Path, runs: dict[str, tuple[str, dict[str, int]]]) -> None:
    columns = "run string, status string, started timestamp, ended timestamp, after map<string,bigint>"
    moments = [datetime(2020, 1, 1, 12, minute) for minute in range(len(runs))]
    rows = [(run, *ending, moment) for (run, ending), moment in zip(runs.items(), moments, strict=True)]
    frame = spark.createDataFrame([(run, how, moment, moment, after) for run, how, after, moment in rows], columns)
    writer = frame.writeTo(f"{demo.name}.faces.runs").using("iceberg")
    writer.tableProperty("write.metadata.compression-codec", "gzip").createOrReplace()


def test_the_newest_finished_run_is_read_where_it_left_the_tables(
    spark: SparkSession, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clusters = {"clusters": _cluster(spark, demo)}
    bad = _decide(spark, demo, {**GOOD, "bob/m.jpg": _row("keep", identity="bob", face=1)})
    good = _decide(spark, demo, GOOD)
    first, second = ("done", {"decisions": bad, **clusters}), ("done", {"decisions": good, **clusters})
    _end(spark, demo, {"second": second, "first": first, "third": ("failed", {})})
    assert compare.main(["--demo", str(demo)]) == 1
    text = capsys.readouterr().out
    assert "NOT FOUND: photograph in another person's folder: bob/m.jpg (from ann/m.jpg): keep" in text
    assert "Run first: 12 images: " in text
    _end(spark, demo, {"first": first, "second": second})
    (demo / "export").mkdir()
    (demo / "export" / "CURRENT").write_text("second\n")
    assert compare.main(["--demo", str(demo)]) == 0
    text = capsys.readouterr().out
    assert "Run second: 12 images: 4 fail, 3 drop, 3 keep, 2 quarantine" in text
    assert "Everything that was planted was found." in text
    assert str(demo / "export" / "second" / "folders" / "manifest.csv") in text
    assert list((demo / "lake/faces/runs/metadata").glob("v*.gz.metadata.json"))


def test_metadata_is_found_past_a_hint_that_lags(tmp_path: Path) -> None:
    folder = tmp_path / "metadata"
    folder.mkdir()
    (folder / "version-hint.text").write_text("2")
    for name in ("v2.metadata.json", "v3.gz.metadata.json", "v4.metadata.json", "v6.metadata.json"):
        (folder / name).touch()
    assert published.metadata(tmp_path).name == "v4.metadata.json"


def test_without_a_finished_run_it_says_so(demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main(["--demo", str(demo)]) == 2
    assert "there is no table at" in capsys.readouterr().err
    assert compare.main(["--demo", str(tmp_path / "no")]) == 2
    assert "Run make demo." in capsys.readouterr().err
