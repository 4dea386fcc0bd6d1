"""maintain: what it compacts and lets go, and that readers, undo and the next run do not notice."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import oracle
import pytest
from finished import Finished
from publishing import Decided, Shop
from pyspark.sql import SparkSession
from world import DIMENSION, World

from facesieve.cli import commands, maintain
from facesieve.cli.maintain import Maintenance
from facesieve.core import tables
from facesieve.core.config import Config
from facesieve.core.tables import Table
from facesieve.lake import iceberg
from facesieve.lake.catalog import Lake
from facesieve.lake.ledger import Ledger
from facesieve.lake.side_job import SideJob
from facesieve.lake.upkeep import Upkeep
from facesieve.link import step as link_step

IMAGES = {"a.jpg": Decided(), "b.jpg": Decided("drop"), "c.jpg": Decided("move", "Ann", "Bob")}
FREE = "publish.max_change=1"
NIGHTS = 5


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    return Shop(spark, tmp_path)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that was done until now is older than `maintain.keep_days`."""
    monkeypatch.setattr(Maintenance, "oldest", property(lambda self: datetime.now(UTC) + timedelta(hours=1)))


def publish(shop: Shop, night: int, name: str = "") -> None:
    """Publish as many images more as nights have gone."""
    images = IMAGES | {f"{number}.jpg": Decided() for number in range(night)}
    assert shop.apply(name or f"r{night}", images, FREE, 'publish.outputs=["parquet"]') == 0


def asked(shop: Shop, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return what the job says of every table but the ledger, in which it notes itself."""
    capsys.readouterr()
    assert commands.run("maintain", [*shop.arguments("images.root="), "--json", *arguments]) == 0
    shown = dict(json.loads(capsys.readouterr().out)["tables"])
    assert shown.pop("runs")
    return shown


def history(lake: Lake) -> dict[str, list[int]]:
    """Return the versions of every table but the ledger."""
    moved = (table for table in tables.IN_LAKE if table is not tables.RUNS and lake.current(table))
    return {table.name: [each.id for each in lake.versions(table)] for table in moved}


def reused(shop: Shop, name: str) -> set[bool]:
    return {stage["reused"] for stage in shop.record(name)["stages"].values()}


def test_only_what_is_old_and_not_needed_goes_and_the_next_run_is_up_to_date(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for night in range(3):
        publish(shop, night)
    before, rows = history(shop.lake), len(shop.lake.versions(tables.RUNS))
    asked(shop, capsys, "--apply")
    assert history(shop.lake) == before, "every run is younger than maintain.keep_days"
    monkeypatch.setattr(Maintenance, "oldest", property(lambda self: datetime.now(UTC) + timedelta(hours=1)))
    plan = asked(shop, capsys)
    assert history(shop.lake) == before, "a dry run changes nothing"
    outcome = asked(shop, capsys, "--apply")
    for name, shown in outcome.items():
        assert {**shown, "after": None} == plan[name], "what was said is what was done"
        assert (
            shown["after"]["snapshots"]
            == shown["before"]["snapshots"] - shown["expired"]
            == len(history(shop.lake)[name])
        )
    assert all(outcome[name]["expired"] for name in ("listing", "decisions"))
    assert len(shop.lake.versions(tables.RUNS)) < rows, "versions of the ledger go too"
    decisions = outcome["decisions"]
    assert decisions["after"]["bytes"] < decisions["before"]["bytes"] - decisions["expired_bytes"]
    left = history(shop.lake)
    again = asked(shop, capsys, "--apply")
    assert {name: (shown["expired"], shown["orphans"]) for name, shown in again.items()} == dict.fromkeys(again, (0, 0))
    assert all(shown["after"] == shown["before"] for shown in again.values())
    assert history(shop.lake) == left, "a second time does nothing"
    publish(shop, 2, "again")
    assert (reused(shop, "again"), shop.current()) == ({True}, "r2")
    assert [shop.undo("again"), shop.undo("r2")] == [0, 0], "the newest run can be undone however old it is"
    assert shop.current() == "r1"
    capsys.readouterr()
    assert shop.undo("r1") == 3
    assert "versions from before the run r1 have been expired" in capsys.readouterr().err


def test_files_that_another_table_may_share_stay_and_the_other_tables_are_looked_after(
    shop: Shop, capsys: pytest.CaptureFixture[str], aged: None
) -> None:
    """With gc.enabled = false Iceberg refuses to expire and to look for orphans: that ended the job in the middle."""
    for night in range(3):
        publish(shop, night)
    name = shop.lake.name_of(tables.DECISIONS)
    shop.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('gc.enabled' = 'false')")
    before = history(shop.lake)["decisions"]
    plan = asked(shop, capsys)
    outcome = asked(shop, capsys, "--apply")
    assert (outcome["decisions"]["expired"], history(shop.lake)["decisions"]) == (0, before)
    assert outcome["listing"]["expired"] == plan["listing"]["expired"] > 0
    assert plan["decisions"]["after"] is None
    assert outcome["decisions"]["after"]["snapshots"] == len(before)


def test_a_branch_with_a_limit_of_its_own_takes_no_snapshot_that_undo_needs(
    shop: Shop, capsys: pytest.CaptureFixture[str], aged: None
) -> None:
    """Asked to expire one snapshot, Iceberg expires all that the limit of `main` lets go."""
    for night in range(3):
        publish(shop, night)
    java = iceberg.existing(shop.spark, shop.lake.name_of(tables.DECISIONS)).java
    java.manageSnapshots().setMinSnapshotsToKeep("main", 1).setMaxSnapshotAgeMs("main", 1).commit()
    before = history(shop.lake)["decisions"]
    assert commands.run("maintain", [*shop.arguments("images.root="), "--apply"]) == 0
    assert "decisions: its snapshots stay, since the limit of age of a branch" in capsys.readouterr().err
    assert history(shop.lake)["decisions"] == before
    assert shop.undo("r2") == 0


def test_a_kill_anywhere_is_made_good_by_the_same_command(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, aged: None
) -> None:
    for night in range(3):
        publish(shop, night)
    plan, expire, done = asked(shop, capsys), Upkeep.expire, list[str]()

    def dying(upkeep: Upkeep, going: list[int]) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(upkeep.name)
        expire(upkeep, going)

    with monkeypatch.context() as patched:
        patched.setattr(Upkeep, "expire", dying)
        assert commands.run("maintain", [*shop.arguments("images.root="), "--apply"]) == 130
    expired = {name: shown["expired"] for name, shown in asked(shop, capsys, "--apply").items()}
    assert {name: count for name, count in expired.items() if f"lake.{shop.namespace}.{name}" not in done} == {
        name: shown["expired"] for name, shown in plan.items() if f"lake.{shop.namespace}.{name}" not in done
    }
    publish(shop, 2, "again")
    assert reused(shop, "again") == {True}


def test_a_run_at_work_refuses_it_and_a_dead_one_that_was_followed_does_not(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = Finished(spark)
    assert lake.ask(maintain) == 0
    assert "There is no table in this lake yet." in capsys.readouterr().out
    lake.run("night", {"votes": lake.put(tables.VOTES, [])}, status="started")
    before = lake.lake.versions(tables.VOTES)
    assert lake.ask(maintain, "--apply") == 3
    assert "runs are at work, or were killed: night. Nothing was changed." in capsys.readouterr().err
    assert lake.ask(maintain) == 0
    warning = capsys.readouterr().err
    assert "runs are at work, or were killed: night. --apply would be refused now. Wait until they" in warning
    assert "--run NAME, or undo it with jobs/undo.py --undo NAME." in warning, "as the refusal says"
    assert lake.lake.versions(tables.VOTES) == before
    lake.run("morning", {})
    assert lake.ask(maintain, "--apply") == 0
    assert capsys.readouterr().out.startswith("table ")


def test_files_of_less_than_a_day_cannot_be_asked_for(spark: SparkSession, capsys: pytest.CaptureFixture[str]) -> None:
    assert Finished(spark).ask(maintain, "--set", "maintain.longest_run_hours=23") == 2
    assert "maintain.longest_run_hours" in capsys.readouterr().err


class Grown(World):
    """A lake to which every night adds a face: its tables of many small files are compacted."""

    def night(self, faces: int) -> dict[str, Any]:
        self.put(range(faces))
        return self.link()

    def maintain(self, *, apply: bool = True) -> dict[str, Any]:
        config = Config(lake=self.lake._settings)
        job = SideJob(config, self.spark, self.lake, Ledger(self.spark, self.lake, "", config, ""))
        return dict(maintain.maintain(job, Namespace(apply=apply)).record)


@pytest.fixture
def grown(spark: SparkSession) -> Grown:
    return _grown(spark, NIGHTS)


@pytest.fixture(scope="module")
def undisturbed(spark: SparkSession) -> tuple[Any, list[int]]:
    """What a lake holds that was never maintained, after a night more: the edges, and the faces of the epoch."""
    world = _grown(spark, NIGHTS + 1)
    return world.edges(), world.stored()


def _grown(spark: SparkSession, nights: int) -> Grown:
    world = Grown(spark, oracle.crowd(30, 6, 1, DIMENSION))
    for night in range(nights):
        world.night(150 + night)
    return world


@pytest.mark.long
def test_linking_goes_on_in_its_epoch_over_tables_in_fewer_files(
    grown: Grown, aged: None, undisturbed: tuple[Any, list[int]]
) -> None:
    before = grown.edges(), grown.stored()
    shown = grown.maintain()["tables"]
    assert {name for name, each in shown.items() if each["rewritten"]["files"]} == {"embeddings", "edges", "epochs"}
    assert all(shown[name]["expired"] for name in ("listing", "embeddings", "edges", "epochs"))
    assert grown.maintain(apply=False)["tables"]["edges"]["rewritten"]["files"] == 0
    assert (grown.edges(), grown.stored()) == before
    assert grown.link()["reused"], "nothing came"
    facts = grown.night(150 + NIGHTS)
    assert (facts["epoch"], facts["new"], facts["gone"]) == ("run-1", 1, 0), "only the newcomer was compared"
    assert (grown.edges(), grown.stored()) == undisturbed


@pytest.mark.long
@pytest.mark.parametrize("moment", ["read", "written"])
def test_a_run_that_is_at_work_meanwhile_does_not_notice(
    grown: Grown, aged: None, monkeypatch: pytest.MonkeyPatch, moment: str, undisturbed: tuple[Any, list[int]]
) -> None:
    """It is maintained when the input of the stage is read, and while its edges are written."""
    rewritten = list[str]()

    def now() -> None:
        if not rewritten:
            shown = grown.maintain()["tables"]
            rewritten.extend(name for name, each in shown.items() if each["rewritten"]["files"])

    if moment == "read":
        _before(monkeypatch, link_step, "increment", now)
    else:
        _inside(monkeypatch, now)
    facts = grown.night(150 + NIGHTS)
    # A table that is just being written to is left alone.
    assert set(rewritten) == {"embeddings", "epochs"} | ({"edges"} if moment != "written" else set())
    assert (facts["epoch"], facts["new"], facts["warnings"]) == ("run-1", 1, [])
    assert (grown.edges(), grown.stored()) == undisturbed


def _before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], None]) -> None:
    original = getattr(owner, name)

    def acting(*arguments: Any, **named: Any) -> Any:
        act()
        return original(*arguments, **named)

    monkeypatch.setattr(owner, name, acting)


def _inside(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Act while a change is being written."""
    original = Lake.change

    @contextmanager
    def change(lake: Lake, table: Table, *arguments: Any) -> Iterator[Any]:
        with original(lake, table, *arguments) as writing:
            if table is tables.EDGES:
                act()
            yield writing

    monkeypatch.setattr(Lake, "change", change)
