"""The model probe: whether a worker can use the model: it is loaded and run there once, before any image is looked at.

The driver has no TensorFlow; without this the first task would find out, after a listing that may have taken an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import SparkSession

from facesieve import models
from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.embed.gpu import claim

_REFUSED = "refused string"


def probe(spark: SparkSession, profile: Profile) -> None:
    """Load a model in one worker. Raises ModelError, on the driver, with the worker's reason if it cannot be used.

    The worker's process keeps the model, so that the time is not lost.
    """

    def loaded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_arrays([pa.array([_refusal(profile)], pa.string())], ["refused"])

    row = spark.range(1).coalesce(1).mapInArrow(loaded, _REFUSED).first()
    if row is not None and row.refused is not None:
        raise ModelError(row.refused)


def _refusal(profile: Profile) -> str | None:
    claim()
    try:
        models.load(profile)
    except ModelError as problem:
        return str(problem)
    return None
