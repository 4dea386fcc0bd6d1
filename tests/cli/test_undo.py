"""Undo: tables, ledger and exports go back; what was undone is computed anew; all that forbids it is said first."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from publishing import Decided, Shop, deciding, writing
from pyspark.sql import SparkSession

from facesieve.cli.main import Step
from facesieve.core import tables
from facesieve.images.storage import Storage
from facesieve.lake.catalog import Lake, Snapshot
from facesieve.lake.run import Run
from facesieve.publish import exports

IMAGES = {"a.jpg": Decided(), "b.jpg": Decided("drop"), "c.jpg": Decided("move", "Ann", "Bob")}
MORE = IMAGES | {"b.jpg": Decided("keep")}
FREE = "publish.max_change=1"
EXPORTED = (FREE, 'publish.outputs=["parquet"]')


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    return Shop(spark, tmp_path)


def _edges(cosine: float) -> Step:
    return writing(tables.EDGES, [{"scope": "global", "src": 1, "dst": 2, "cosine": cosine}])


def _votes(score: float) -> Step:
    return writing(tables.VOTES, [{"scope": "global", "src": 1, "dst": 2, "score": score, "votes": True}])


def _failing(_run: Run) -> None:
    raise ArithmeticError("on purpose")


def test_published_runs_are_undone_newest_first_until_nothing_is_left(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.apply("r1", IMAGES, *EXPORTED) == 0
    first = shop.snapshots()
    assert shop.apply("r2", MORE, *EXPORTED) == 0
    assert (shop.cleaned(), shop.current()) == ({"a.jpg": "Ann", "b.jpg": "Ann", "c.jpg": "Bob"}, "r2")
    second = shop.snapshots()
    assert shop.undo("r1") == 3
    assert "in this order: r2. Nothing was changed" in capsys.readouterr().err
    assert shop.snapshots() == second
    assert shop.undo("r2") == 0
    answer = capsys.readouterr().out
    assert "Run r2 (done) is undone." in answer
    assert f"The files exported by the run stay at {shop.export}/r2" in answer
    assert (shop.snapshots(), shop.current()) == (first, "r1")
    assert shop.cleaned() == {"a.jpg": "Ann", "c.jpg": "Bob"}
    assert (shop.export / "r2/parquet/_SUCCESS").exists()
    assert shop.undo("r1") == 0
    assert "CURRENT is removed" in capsys.readouterr().out
    assert (shop.cleaned(), shop.current()) == ({}, None)
    assert all(shop.lake.snapshot(table).key == "" for table in (tables.LISTING, tables.DECISIONS, tables.CLEANED))


def test_an_export_that_is_gone_or_a_pointer_of_other_hands(shop: Shop) -> None:
    assert shop.apply("r1", IMAGES, *EXPORTED) == 0
    assert shop.apply("r2", MORE, *EXPORTED) == 0
    root = Storage(str(shop.export))
    root.delete_tree("r1")
    assert shop.undo("r2") == 0
    assert shop.current() is None, "nothing is there that it could name"
    exports.point_current(root, "mine")
    assert shop.undo("r1") == 0
    assert shop.current() == "mine"


def test_an_export_root_that_cannot_be_written_is_said_first(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shop.apply("r1", IMAGES, *EXPORTED) == 0
    before = shop.snapshots()
    monkeypatch.setattr("facesieve.cli.undo.why_unwritable", lambda place: f"{place} cannot be written")
    assert shop.undo("r1") == 2
    assert "publish.export_root" in capsys.readouterr().err
    assert (shop.snapshots(), shop.current()) == (before, "r1")


def test_the_ledger_says_what_was_undone_and_when_and_keeps_the_rest(shop: Shop) -> None:
    assert shop.run("r1", _edges(0.5)) == 0
    before = shop.record("r1")
    assert shop.undo("r1") == 0
    after = shop.record("r1")
    assert (after["status"], after["status in the table"]) == ("undone", "undone")
    assert datetime.fromisoformat(after["undone"]) > datetime.fromisoformat(before["ended"])
    assert after["acts"][:-1] == before["acts"]
    changed = {"status", "status in the table", "undone", "acts"}
    assert {name: after[name] for name in before if name not in changed} == {
        name: before[name] for name in before if name not in changed
    }


def test_what_was_undone_is_never_reused_and_what_was_not_is(shop: Shop) -> None:
    assert shop.run("r1", _edges(0.5), _votes(0.5)) == 0
    first = shop.snapshots()
    assert shop.run("r2", _edges(0.5), _votes(0.75)) == 0
    second = shop.snapshots()
    assert shop.undo("r2") == 0
    assert shop.snapshots() == first
    assert shop.run("r3", _edges(0.5), _votes(0.75)) == 0
    stages = shop.record("r3")["stages"]
    assert {name: stage["reused"] for name, stage in stages.items()} == {"made edges": True, "made votes": False}
    third = shop.snapshots()
    assert third["votes"] not in (first["votes"], second["votes"])
    assert shop.run("r4", _edges(0.5), _votes(0.5)) == 0
    assert shop.snapshots() == first
    assert shop.undo("r4") == 0
    assert shop.snapshots() == third, "what a run went back to is left again"
    assert shop.run("r4", _votes(0.5)) == 2, "the name of a run that was undone is not given again"


def test_an_undo_that_was_killed_half_way_is_finished_by_the_same_command(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.run("r1", _edges(0.5), _votes(0.5)) == 0
    first = shop.snapshots()
    assert shop.run("r2", _edges(0.75), _votes(0.75)) == 0
    make_current = Lake.make_current
    moved: list[str] = []

    def dying(lake: Lake, table: tables.Table, snapshot: Snapshot, since: Snapshot) -> None:
        if moved:
            raise KeyboardInterrupt
        moved.append(table.name)
        make_current(lake, table, snapshot, since)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "make_current", dying)
        assert shop.undo("r2") == 130
    assert (shop.record("r2")["status"], shop.snapshots()["edges"]) == ("done", first["edges"])
    assert shop.snapshots() != first
    assert shop.undo("r2") == 0
    assert (shop.snapshots(), shop.record("r2")["status"]) == (first, "undone")


def test_json_tells_what_went_where(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.run("r1", _edges(0.5)) == 0
    first = shop.snapshots()["edges"]
    assert shop.run("r2", _edges(0.75)) == 0
    second = shop.snapshots()["edges"]
    capsys.readouterr()
    assert shop.undo("r2", extra=("--json",)) == 0
    assert json.loads(capsys.readouterr().out) == {
        "undone": "r2",
        "status": "done",
        "tables": {"edges": {"from": second, "to": first}},
        "exports": {"root": "", "from": None, "to": None, "left": False},
    }


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("r9", "no run of this lake is named r9"),
        ("r2", "the run r2 has been undone already"),
        ("r3", "the run r3 was refused and has changed nothing"),
    ],
)
def test_a_run_that_cannot_be_undone_is_named_with_the_newest(
    rejected: Shop, capsys: pytest.CaptureFixture[str], name: str, problem: str
) -> None:
    before = rejected.snapshots()
    assert rejected.undo(name) == 2
    answer = capsys.readouterr().err
    assert f"--undo: {problem}. The newest runs are: r3 (refused), r2 (undone), r1 (done)." in answer
    assert rejected.snapshots() == before


@pytest.fixture(scope="module")
def rejected(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(spark, tmp_path_factory.mktemp("shop"))
    assert shop.apply("r1", IMAGES) == 0
    assert shop.run("r2", _edges(0.5)) == 0
    assert shop.undo("r2") == 0
    assert shop.apply("r3", IMAGES | {"a.jpg": Decided("drop")}, "publish.max_change=0") == 3
    return shop


def test_a_lake_without_runs(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.undo("r1") == 2
    assert "lake.root: there is no run in this lake" in capsys.readouterr().err


def test_a_run_that_failed_is_undone_and_the_next_one_computes_anew(shop: Shop) -> None:
    assert shop.run("r1", _edges(0.5)) == 0
    first = shop.snapshots()
    assert shop.run("r2", _edges(0.75), _votes(0.75), _failing) == 1
    assert shop.snapshots()["edges"] != first["edges"]
    assert shop.undo("r2") == 0
    assert shop.snapshots() == first | {"votes": shop.lake.versions(tables.VOTES)[0].id}
    assert shop.run("r3", _edges(0.75)) == 0
    assert not shop.record("r3")["stages"]["made edges"]["reused"]


def test_a_failed_run_under_a_finished_one_waits_its_turn(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.run("r1", _edges(0.5), _failing) == 1
    assert shop.run("r2", _edges(0.5)) == 0
    assert shop.undo("r1") == 3
    assert "in this order: r2" in capsys.readouterr().err
    assert shop.undo("r2") == 0
    assert shop.undo("r1") == 0
    assert shop.lake.snapshot(tables.EDGES).key == ""


@pytest.mark.parametrize("followed", [False, True])
def test_a_run_whose_driver_vanished(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], followed: bool
) -> None:
    """Nobody noted where it left the tables: it made one, and went back to a former version of the other."""
    assert shop.run("r1", _edges(0.5)) == 0
    assert shop.run("r2", _edges(0.75)) == 0
    before = shop.snapshots()
    with monkeypatch.context() as patched:
        patched.setattr("facesieve.cli.main._ended", lambda *_: 137)
        assert shop.run("r3", _edges(0.5), _votes(0.5), _failing) == 137
    assert shop.record("r3")["status"] == "started"
    if followed:
        assert shop.run("r4", _failing) == 1
        assert shop.undo("r3") == 3
        assert "edges (by the run r1)" in capsys.readouterr().err
    else:
        assert shop.undo("r3") == 0
        assert shop.snapshots() == before | {"votes": shop.lake.versions(tables.VOTES)[0].id}


def test_a_run_that_was_resumed_goes_back_to_before_its_first_start(shop: Shop) -> None:
    assert shop.run("r1", _edges(0.5)) == 0
    first = shop.snapshots()
    assert shop.run("r2", _edges(0.75), _failing) == 1
    assert shop.run("r2", _edges(0.75)) == 0
    assert shop.record("r2")["before"] == first
    assert shop.undo("r2") == 0
    assert shop.snapshots() == first


def test_a_run_that_was_resumed_after_another_goes_back_to_what_that_left(shop: Shop) -> None:
    assert shop.run("r1", _edges(0.5), _failing) == 1
    assert shop.run("r2", _edges(0.75)) == 0
    second = shop.snapshots()
    assert shop.run("r1", _edges(0.5)) == 0
    assert shop.undo("r1") == 0
    assert shop.snapshots() == second


def test_a_table_that_others_moved_since_is_refused_and_named(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.run("r1", _edges(0.5), _votes(0.5)) == 0
    assert shop.run("r2", _edges(0.75), _failing) == 1
    before = shop.snapshots()
    assert shop.undo("r1") == 3
    assert "edges (by the run r2). Nothing was changed" in capsys.readouterr().err
    assert shop.snapshots() == before
    assert shop.undo("r2") == 0
    shop.spark.sql(f"DELETE FROM lake.{shop.namespace}.votes WHERE src = 1")
    before = shop.snapshots()
    assert shop.undo("r1") == 3
    assert "votes (by other hands)" in capsys.readouterr().err
    assert (shop.snapshots(), shop.record("r1")["status"]) == (before, "done")


def test_a_version_that_was_expired_is_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.run("r1", _edges(0.5)) == 0
    assert shop.run("r2", _edges(0.75)) == 0
    shop.spark.sql(
        f"CALL lake.system.expire_snapshots(table => '{shop.namespace}.edges', retain_last => 1, "
        "older_than => TIMESTAMP '2999-01-01 00:00:00')"
    )
    before = shop.snapshots()
    assert shop.undo("r2") == 3
    assert "versions from before the run r2 have been expired: of edges" in capsys.readouterr().err
    assert (shop.snapshots(), shop.record("r2")["status"]) == (before, "done")


def test_a_run_may_not_be_named_like_the_pointer(shop: Shop) -> None:
    assert shop.run("current") == 2


def test_dry_runs_are_undone_too_and_leave_the_exports_alone(shop: Shop) -> None:
    assert shop.apply("r1", IMAGES, *EXPORTED) == 0
    first = shop.snapshots()
    assert shop.run("r2", deciding(MORE), sets=EXPORTED) == 0
    assert shop.undo("r2") == 0
    assert (shop.snapshots(), shop.current()) == (first, "r1")
