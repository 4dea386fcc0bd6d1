"""What one task may hold, by the settings of Spark."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from facesieve.cluster.task_memory import edges_in_memory, fits_one_task, size, task_memory


def _session(master: str, **settings: str) -> Any:
    values = {f"spark.executor.{name}": value for name, value in settings.items()}
    conf = SimpleNamespace(get=lambda name, default=None: values.get(name, default))
    return SimpleNamespace(sparkContext=SimpleNamespace(master=master, getConf=lambda: conf))


@pytest.mark.parametrize(
    ("settings", "megabytes"),
    [
        ({}, 384),
        ({"memory": "20g"}, 2_048),
        ({"memory": "20480", "memoryOverheadFactor": "0.4"}, 8_192),
        ({"memory": "20g", "memoryOverhead": "1024"}, 1_024),
        ({"memory": "20g", "memoryOverhead": "1536mb", "pyspark.memory": "3g"}, 3_072),
    ],
)
def test_it_is_what_an_executor_has_beside_its_heap(settings: dict[str, str], megabytes: int) -> None:
    assert task_memory(_session("spark://host:7077", **settings)) == megabytes << 20


def test_a_small_executor_still_finishes_a_million_edges() -> None:
    assert edges_in_memory(_session("yarn", memory="1g")) == (384 << 20) // 256
    assert edges_in_memory(_session("yarn", memoryOverhead="64m")) == 1_000_000


def test_a_whole_scope_fits_with_its_edges_and_faces() -> None:
    small, large = _session("yarn", memory="1g"), _session("yarn", memoryOverhead="8g")
    assert fits_one_task(small, 1_000_000, 0, 1)
    assert fits_one_task(small, 1_000_000, 7_000, 1)
    assert not fits_one_task(small, 1_000_000, 7_000, 2)
    assert not fits_one_task(small, 1_000_000, 9_000, 1)
    assert fits_one_task(large, 20_000_000, 150_000, 1)
    assert not fits_one_task(large, 34_000_000, 0, 1)
    assert not fits_one_task(large, 0, 150_001, 1)


def test_on_one_machine_it_is_a_share_of_its_memory() -> None:
    assert 1 << 20 < task_memory(_session("local[2]")) < 1 << 44


def test_sizes_are_read_as_spark_reads_them() -> None:
    assert [size(text, "m") for text in ("512", "512m", "512MB", "1g", "2t", "100b", "5kb")] == [
        512 << 20,
        512 << 20,
        512 << 20,
        1 << 30,
        2 << 40,
        100,
        5 << 10,
    ]
