from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest
from pyspark import TaskContext
from pyspark.resource import ResourceInformation

from facesieve.embed.gpu import claim

GPUS = {"gpu": ResourceInformation("gpu", ["1", "3"])}


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A worker that has not loaded TensorFlow, with no word about GPUs in its environment."""
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    return monkeypatch


def given(monkeypatch: pytest.MonkeyPatch, resources: dict[str, ResourceInformation] | None) -> None:
    task = None if resources is None else SimpleNamespace(resources=lambda: resources)
    monkeypatch.setattr(TaskContext, "get", classmethod(lambda cls: task))


def test_a_worker_sees_the_gpus_of_its_task(task: pytest.MonkeyPatch) -> None:
    given(task, GPUS)
    claim()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1,3"


@pytest.mark.parametrize("resources", [None, {}, {"fpga": ResourceInformation("fpga", ["0"])}])
def test_without_gpus_from_spark_nothing_changes(
    task: pytest.MonkeyPatch, resources: dict[str, ResourceInformation] | None
) -> None:
    given(task, resources)
    claim()
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_worker_that_has_tensorflow_stays_with_its_first(task: pytest.MonkeyPatch) -> None:
    task.setitem(sys.modules, "tensorflow", SimpleNamespace())
    given(task, GPUS)
    claim()
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
