"""maintain: what it compacts and lets go, and that readers, undo and the next run do not notice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from publishing import Decided, Shop, writing
from pyspark.sql import SparkSession

from facesieve.cli import commands
from facesieve.cli.maintain import Maintenance
from facesieve.core import tables

IMAGES = {"a.jpg": Decided(), "b.jpg": Decided("drop"), "c.jpg": Decided("move", "Ann", "Bob")}
FREE = "publish.max_change=1"


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    return Shop(spark, tmp_path)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that was done until now is older than `maintain.keep_days`."""
    monkeypatch.setattr(Maintenance, "oldest", property(lambda self: datetime.now(UTC) + timedelta(hours=1)))


def maintain(shop: Shop, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert commands.run("maintain", [*shop.arguments("images.root="), "--json", *arguments]) == 0
    return dict(json.loads(capsys.readouterr().out))


def grow(shop: Shop, nights: int) -> None:
    """Publish one image more each night."""
    for night in range(nights):
        images = IMAGES | {f"{number}.jpg": Decided() for number in range(night)}
        assert shop.apply(f"r{night}", images, FREE) == 0


def history(shop: Shop) -> dict[str, list[int]]:
    return {
        table.name: [each.id for each in shop.lake.versions(table)] for table in tables.ALL if shop.lake.current(table)
    }


def test_the_next_run_is_up_to_date(shop: Shop, capsys: pytest.CaptureFixture[str], aged: None) -> None:
    grow(shop, 3)
    before = history(shop)
    told = maintain(shop, capsys)
    assert history(shop) == before
    done = maintain(shop, capsys, "--apply")
    print(json.dumps(told, indent=1)[:3000])
    print(json.dumps(done, indent=1)[:3000])
    assert shop.apply("again", IMAGES | {f"{number}.jpg": Decided() for number in range(2)}, FREE) == 0
    assert all(stage["reused"] for stage in shop.record("again")["stages"].values())
    print(history(shop))
    assert 0
