"""retain as a command: says what is due, refuses what is too much, lets go by the code of erase, and has done then."""

from __future__ import annotations

import json
import logging
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import erasable
import lapsed
import pytest
from pyspark.sql import SparkSession
from searched import Sought
from small_lake import small_lake

from facesieve.cli import commands
from facesieve.core import sections, tables
from facesieve.core.config import Config
from facesieve.core.errors import ConfigError
from facesieve.core.hidden_paths import PathSeal
from facesieve.core.pseudonyms import VARIABLE, pseudonym
from facesieve.core.side_sections import Erase
from facesieve.erasure import retain
from facesieve.erasure.due import Due
from facesieve.erasure.journal import Journal
from facesieve.erasure.subject import Subject
from facesieve.erasure.tombstone_rows import bury
from facesieve.lake.catalog import Lake

ROOT = Path(__file__).resolve().parents[2]
SETS = {
    "retention.gone_days": 30,
    "retention.reject_days": 30,
    "retention.unclustered_days": 30,
    "retention.export_days": 30,
    "retention.run_days": 45,
}


DUE = {"gone": 1, "rejects": 1, "unclustered": 1, "exports": 1, "runs": 2}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Places of a lake on a day when all that is idle is due, with two exports."""
    later = datetime.now(UTC) + timedelta(days=41)
    monkeypatch.setattr(retain, "_now", lambda: later)
    for run in ("old", "named"):
        lapsed.export(tmp_path / "export", run, at=later - timedelta(days=90))
    (tmp_path / "export" / "CURRENT").write_text("named")
    return tmp_path


def ask(lake: Lake, folder: Path, *extra: str, **sets: Any) -> int:
    places = {"lake.scratch": folder / "scratch", "publish.export_root": folder / "export"}
    values = {**places, "lake.namespace": lake._settings.namespace, "erase.key_file": folder / "erase.key", **SETS}
    values |= {"lake.root": lake._spark.conf.get("spark.sql.catalog.lake.warehouse")}
    values |= {name.replace("__", "."): value for name, value in sets.items()}
    pairs = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    return commands.run("retain", ["--config", str(ROOT / "conf/pipeline.toml"), *pairs, "--json", *extra])


def hits(lake: Lake, folder: Path, number: int) -> set[str]:
    """Search every file for what only an image that goes has."""
    warehouse = Path(str(lake._spark.conf.get("spark.sql.catalog.lake.warehouse")))
    files = [file for root in (warehouse / lake._settings.namespace, folder) for file in root.rglob("*")]
    facts = lapsed.image(number)
    texts = () if number == 1 else (facts["uri"], facts["sha256"])
    vectors = (tuple(lapsed.vector_of(2)),) if number == 2 else ()
    return set(Sought(texts, (facts["image_id"],), vectors).hits(file for file in files if file.is_file()))


def small_ids(lake: Lake, table: tables.Table) -> list[int]:
    return sorted(erasable.small(row.image_id) for row in lake.read(table, lake.snapshot(table)).collect())


def kill(record: logging.LogRecord) -> bool:
    if record.getMessage() == "erase: exports":
        raise Killed
    return True


def test_what_is_due_goes_and_then_nothing_is_due(
    spark: SparkSession, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake, due = lapsed.lapsed_lake(spark, clustered=False), DUE | {"unclustered": 0}
    assert ask(lake, folder, "--metrics", str(folder / "retain.prom")) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"due": due, "applied": False, "begun": False, "warnings": []}
    assert 'facesieve_retention_due{command="retain",kind="runs"} 2' in (folder / "retain.prom").read_text()
    assert ask(lake, folder, "--apply", erase__max_images=1) == 3
    assert (
        "2 images are chosen, more than erase.max_images (1). Nothing was changed. See whether"
        in capsys.readouterr().err
    )
    assert all(hits(lake, folder, number) for number in (1, 7)), "the search finds the images where they are"
    proof = folder / "proof.json"
    assert ask(lake, folder, "--apply", "--proof", str(proof)) == 0
    assert json.loads(proof.read_text())["looked_for"]["images"] == 2
    done = json.loads(capsys.readouterr().out)
    assert (done["due"], done["applied"], done["proof"]["found"]) == (due, True, [])
    _is_as_it_should_be(lake, folder, 1, 7)
    assert lake.current(tables.ERASED) is None, "what comes back is welcome"
    proof.write_text("of before")
    row = {"run": "stray", "status": "undo", "before": {}, "after": {}, "record": "{}"}
    days = datetime.now(UTC) - timedelta(days=80)
    erasable.put(spark, lake, tables.RUNS, [row | {"started": days, "ended": days}])
    assert ask(lake, folder, "--apply", "--proof", str(proof)) == 0
    assert json.loads(capsys.readouterr().out)["due"]["runs"] == 1
    assert proof.read_text() == "of before", "where no image goes there is nothing to prove"
    assert ask(lake, folder, "--apply") == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["due"], "erasure" in again) == (dict.fromkeys(DUE, 0), False)


def test_without_the_key_of_the_tombstones_not_even_exports_go(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(erase=Erase(key_file=str(tmp_path / "key")), lake=sections.Lake(scratch=str(tmp_path)))
    job = lapsed.job_on(spark, small_lake(spark), config)
    bury(job, Journal("e1", "", "2026-05-03T00:00:00+00:00", Subject(images=(9,))))
    (tmp_path / "key").unlink()
    lapsed.export(tmp_path / "export", "old", at=datetime.now(UTC))
    due = Due(unclustered=(7,), exports=((str(tmp_path / "export"), "old"),))
    monkeypatch.setattr(retain, "due_of", lambda _job, _now: due)
    with pytest.raises(ConfigError, match=r"erase\.key_file: .* cannot be read"):
        retain.retain(job, Namespace(apply=True, proof="", close=False, with_source=False))
    assert (tmp_path / "export" / "old" / "folders" / "manifest.csv").exists()


def test_what_is_due_goes_by_its_path_where_paths_are_hidden(
    spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key, image = b"k" * 32, lapsed.image

    def hidden(number: int) -> dict[str, Any]:
        plain = image(number)
        return plain | {"uri": PathSeal(key).hide(plain["uri"]), "identity": pseudonym(key, plain["identity"])}

    monkeypatch.setattr(lapsed, "image", hidden)
    monkeypatch.setenv(VARIABLE, key.decode())
    lake = lapsed.lapsed_lake(spark, clustered=False)
    clean = folder / "export" / "named" / "clean_list"
    clean.mkdir()
    (clean / "clean_list.txt").write_text("ann\tann/1.jpg\nbob\tbob/3.jpg\ndan\tdan/7.jpg\n")
    (clean / "_SUCCESS").touch()
    sets = {"lake__store_names": "false", "lake__store_paths": "false", "retention__run_days": 0}
    assert ask(lake, folder, "--apply", **sets) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["due"]["gone"], record["proof"]["found"]) == (1, [])
    assert (clean / "clean_list.txt").read_text() == "ann\tann/1.jpg\nbob\tbob/3.jpg\n", "8 has the path of 1"
    assert [hits(lake, folder, number) for number in (1, 7)] == [set(), set()]


@pytest.mark.long
def test_a_killed_retention_is_finished_by_the_same_command(
    spark: SparkSession, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = lapsed.lapsed_lake(spark)
    logger = logging.getLogger("facesieve.erasure.erase")
    logger.addFilter(kill)
    with pytest.raises(Killed):
        ask(lake, folder, "--apply")
    logger.removeFilter(kill)
    assert commands.run("erase", _erase(lake, folder)) == 3, "an erasure does not go on with a retention"
    capsys.readouterr()
    assert ask(lake, folder) == 0
    assert json.loads(capsys.readouterr().out)["begun"]
    assert ask(lake, folder, "--apply") == 0
    assert json.loads(capsys.readouterr().out)["due"] == dict.fromkeys(DUE, 0), "the rest was finished"
    _is_as_it_should_be(lake, folder, 1, 2, 7)
    stones = lake.read(tables.ERASED, lake.snapshot(tables.ERASED)).collect()
    assert sorted(stone.kind for stone in stones) == ["image", "key"], "only what the source still has is blocked"


def _is_as_it_should_be(lake: Lake, folder: Path, *gone: int) -> None:
    assert {number: hits(lake, folder, number) for number in gone} == {number: set() for number in gone}
    assert small_ids(lake, tables.LISTING) == [number for number in (2, 3, 4, 5, 6, 8, 9) if number not in gone]
    assert small_ids(lake, tables.EMBEDDINGS) == [number for number in (2, 3, 4, 5, 6, 8) if number not in gone]
    assert small_ids(lake, tables.REJECTS) == [9]
    runs = {row.run for row in lake.read(tables.RUNS, lake.snapshot(tables.RUNS)).collect()}
    assert runs >= {"last", "made"}
    assert not runs & {"old", "audit"}
    assert sorted(each.name for each in (folder / "export").iterdir()) == ["CURRENT", "named"]


def _erase(lake: Lake, folder: Path) -> list[str]:
    place = {"lake.namespace": lake._settings.namespace, "lake.scratch": folder / "scratch"}
    place |= {"lake.root": lake._spark.conf.get("spark.sql.catalog.lake.warehouse")}
    pairs = [part for name, value in place.items() for part in ("--set", f"{name}={value}")]
    return ["--config", str(ROOT / "conf/pipeline.toml"), *pairs, "--identity", "bob", "--apply"]
