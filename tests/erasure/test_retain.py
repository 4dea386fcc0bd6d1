"""retain as a command: says what is due, refuses what is too much, lets go by the code of erase, and has done then."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import erasable
import lapsed
import pytest
from pyspark.sql import SparkSession
from searched import parts

from facesieve.cli import commands
from facesieve.core import tables
from facesieve.erasure import retain
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
def lake(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    later = datetime.now(UTC) + timedelta(days=41)
    monkeypatch.setattr(retain, "_now", lambda: later)
    for run, days in (("old", 90), ("named", 90)):
        lapsed.export(tmp_path / "export", run, at=later - timedelta(days=days))
    (tmp_path / "export" / "CURRENT").write_text("named")
    return lapsed.lapsed_lake(spark)


def ask(lake: Lake, folder: Path, *extra: str, **sets: Any) -> int:
    places = {"lake.scratch": folder / "scratch", "publish.export_root": folder / "export"}
    values = {**places, "lake.namespace": lake._settings.namespace, "erase.key_file": folder / "erase.key", **SETS}
    values |= {"lake.root": lake._spark.conf.get("spark.sql.catalog.lake.warehouse")}
    values |= {name.replace("__", "."): value for name, value in sets.items()}
    pairs = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    return commands.run("retain", ["--config", str(ROOT / "conf/pipeline.toml"), *pairs, "--json", *extra])


def hits(lake: Lake, folder: Path) -> set[str]:
    """Search every file for what only the images that go have."""
    warehouse = Path(str(lake._spark.conf.get("spark.sql.catalog.lake.warehouse")))
    files = [file for root in (warehouse / lake._settings.namespace, folder) for file in root.rglob("*")]
    texts = ["dan/7.jpg", "ann/2.jpg", lapsed.DIGESTS[2], lapsed.DIGESTS[7], str(erasable.FROM + 1)]
    forms = [*(text.encode() for text in texts), lapsed.vector_of(2).tobytes()]
    every = [(part, str(file)) for file in files if file.is_file() for part in parts(file)]
    return {name for part, name in every if any(form in part for form in forms)}


def small_ids(lake: Lake, table: tables.Table) -> list[int]:
    return sorted(erasable.small(row.image_id) for row in lake.read(table, lake.snapshot(table)).collect())


def kill(record: logging.LogRecord) -> bool:
    if record.getMessage() == "erase: exports":
        raise Killed
    return True


def test_what_is_due_goes_and_then_nothing_is_due(
    lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(lake, tmp_path, "--metrics", str(tmp_path / "retain.prom")) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"due": DUE, "applied": False, "begun": False, "warnings": []}
    assert 'facesieve_retention_due{command="retain",kind="runs"} 2' in (tmp_path / "retain.prom").read_text()
    (tmp_path / "retain.prom").unlink()
    assert ask(lake, tmp_path, "--apply", erase__max_images=2) == 3
    assert "3 images are due, more than erase.max_images (2)" in capsys.readouterr().err
    assert len(hits(lake, tmp_path)) >= 5, "the search finds the images where they are"
    assert ask(lake, tmp_path, "--apply") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["due"], done["applied"], done["proof"]["found"]) == (DUE, True, [])
    _is_as_it_should_be(lake, tmp_path)
    assert ask(lake, tmp_path, "--apply") == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["due"], "erasure" in again) == (dict.fromkeys(DUE, 0), False)


@pytest.mark.long
def test_a_killed_retention_is_finished_by_the_same_command(
    lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("facesieve.erasure.erase")
    logger.addFilter(kill)
    with pytest.raises(Killed):
        ask(lake, tmp_path, "--apply")
    logger.removeFilter(kill)
    assert commands.run("erase", _erase(lake, tmp_path)) == 3, "an erasure does not go on with a retention"
    capsys.readouterr()
    assert ask(lake, tmp_path) == 0
    assert json.loads(capsys.readouterr().out)["begun"]
    assert ask(lake, tmp_path, "--apply") == 0
    assert json.loads(capsys.readouterr().out)["due"] == dict.fromkeys(DUE, 0), "the rest was finished"
    _is_as_it_should_be(lake, tmp_path)


def _is_as_it_should_be(lake: Lake, folder: Path) -> None:
    assert hits(lake, folder) == set()
    assert small_ids(lake, tables.LISTING) == [3, 4, 5, 6, 8, 9]
    assert small_ids(lake, tables.EMBEDDINGS) == [3, 4, 5, 6, 8]
    assert small_ids(lake, tables.REJECTS) == [9]
    stones = lake.read(tables.ERASED, lake.snapshot(tables.ERASED)).collect()
    assert [stone.kind for stone in stones] == ["image"], "only what the source still has is blocked"
    runs = {row.run for row in lake.read(tables.RUNS, lake.snapshot(tables.RUNS)).collect()}
    assert runs >= {"last", "made"}
    assert not runs & {"old", "audit"}
    assert sorted(each.name for each in (folder / "export").iterdir()) == ["CURRENT", "named"]


def _erase(lake: Lake, folder: Path) -> list[str]:
    place = {"lake.namespace": lake._settings.namespace, "lake.scratch": folder / "scratch"}
    place |= {"lake.root": lake._spark.conf.get("spark.sql.catalog.lake.warehouse")}
    pairs = [part for name, value in place.items() for part in ("--set", f"{name}={value}")]
    return ["--config", str(ROOT / "conf/pipeline.toml"), *pairs, "--identity", "bob", "--apply"]
