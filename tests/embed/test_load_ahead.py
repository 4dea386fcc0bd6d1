"""The workers load the model beside the beginning of a run, where it is sure to be needed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from facesieve.core.sections import VECTORS
from facesieve.embed import step
from facesieve.lake.run import Run


@pytest.mark.parametrize(
    ("form", "models", "loads"),
    [
        ("files", None, True),
        ("files", [], True),
        ("files", ["another"], True),
        ("files", ["another", "ours"], False),
        (VECTORS, None, False),
    ],
)
def test_the_model_is_loaded_ahead_if_it_has_embedded_nothing_yet(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, form: str, models: list[str] | None, loads: bool
) -> None:
    loaded: list[Any] = []
    monkeypatch.setattr(step, "probe", lambda *asked: loaded.append(asked))

    def read(_table: object, _at: object) -> object:
        return spark.createDataFrame([(model,) for model in models or ()], "model string")

    lake = SimpleNamespace(current=lambda _table: None if models is None else "version", read=read)
    config = SimpleNamespace(images=SimpleNamespace(format=form), embed=SimpleNamespace(formats=["heif"]))
    run = SimpleNamespace(spark=spark, lake=lake, config=config, model="ours", profile="profile")
    step.load_ahead(cast(Run, run))
    assert loaded == ([(spark, "profile", ["heif"])] if loads else [])
