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


@pytest.fixture
def spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session whose files are looked at without a JVM. Folders are as new as on s3a://: changed just now."""

    def children(_spark: Any, place: str) -> list[Child]:
        there = Path(place).iterdir() if Path(place).exists() else ()
        return [Child(each.name, NOW.timestamp()) for each in there]

    def newest(_spark: Any, place: str) -> float | None:
        return max((each.stat().st_mtime for each in Path(place).rglob("*") if each.is_file()), default=None)

    monkeypatch.setattr(hadoop_files, "children", children)
    monkeypatch.setattr(hadoop_files, "newest", newest)
    return cast(Any, SimpleNamespace(sparkContext=SimpleNamespace(getCheckpointDir=lambda: f"file:{tmp_path}/{MINE}")))


def _left(spark: Any, root: Path, ages: dict[str, timedelta]) -> list[str]:
    """Make files of these ages and return what is taken for left over."""
    for name, age in ages.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        moment = (NOW - age).timestamp()
        os.utime(file, (moment, moment))
    places = leftovers.leftovers(spark, Lake(scratch=str(root)), NOW, timedelta(hours=72))
    return sorted(place.removeprefix(f"{root}/") for place in places)


def test_only_old_folders_of_our_names_are_leftovers(tmp_path: Path, spark: Any) -> None:
    vote, other = "a" * 24 + "-123", "b" * 24 + "-456-night"
    ages = {
        f"{MINE}/rdd-1/part-0": OLDER,
        f"1{MINE[1:]}/rdd-1/part-0": OLD,
        f"2{MINE[1:]}/rdd-1/part-0": timedelta(hours=70),
        "holiday/rdd-1/part-0": OLDER,
        f"supersteps/{vote}/1/part-0": OLDER,
        f"supersteps/{other}/1/part-0": OLD,
        "supersteps/mine/1/part-0": OLDER,
    }
    assert _left(spark, tmp_path, ages) == ["1" + MINE[1:], f"supersteps/{vote}"]


def test_a_run_at_work_on_old_checkpoints_and_folders_of_others_stay(tmp_path: Path, spark: Any) -> None:
    """A scratch folder may be everybody's, such as hdfs:///tmp, where other programs name folders so too."""
    ages = {
        f"1{MINE[1:]}/rdd-1/part-0": OLDER,
        f"1{MINE[1:]}/rdd-2/part-0": timedelta(hours=1),
        f"2{MINE[1:]}/thesis.tex": OLDER,
    }
    assert _left(spark, tmp_path, ages) == []
