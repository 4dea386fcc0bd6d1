"""What killed runs have left: folders of our names and of an age, and nothing else."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from facesieve.core.sections import Lake
from facesieve.lake import hadoop_files, leftovers
from facesieve.lake.hadoop_files import Child

NOW = datetime.now(UTC)
OLD, OLDER = timedelta(hours=80), timedelta(days=8)
MINE = "0" * 8 + "-1111-2222-3333-444444444444"


def test_only_old_folders_of_our_names_are_leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def children(_spark: Any, place: str) -> list[Child]:
        return [Child(each.name, each.stat().st_mtime) for each in Path(place).iterdir()]

    monkeypatch.setattr(hadoop_files, "children", children)
    vote, other = "a" * 24 + "-123", "b" * 24 + "-456-night"
    ages = {
        MINE: OLDER,
        "1" + MINE[1:]: OLD,
        "2" + MINE[1:]: timedelta(hours=70),
        "holiday": OLDER,
        f"supersteps/{vote}": OLDER,
        f"supersteps/{other}": OLD,
        "supersteps/mine": OLDER,
    }
    for name, age in ages.items():
        folder = tmp_path / name
        folder.mkdir(parents=True)
        moment = (NOW - age).timestamp()
        os.utime(folder, (moment, moment))
    spark = cast(Any, SimpleNamespace(sparkContext=SimpleNamespace(getCheckpointDir=lambda: f"file:{tmp_path}/{MINE}")))
    places = leftovers.leftovers(spark, Lake(scratch=str(tmp_path)), NOW, timedelta(hours=72))
    assert [place.removeprefix(f"{tmp_path}/") for place in places] == ["1" + MINE[1:], f"supersteps/{vote}"]
