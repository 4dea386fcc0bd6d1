"""The model probe: whether workers can use the model: they load and run it once, before any image is looked at.

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
    """Load a model in the workers. Raises ModelError, on the driver, with a worker's reason if it cannot be used.

    There are as many tasks as cores. The processes of the workers keep the model, so that the time is not lost.
    """

    def loaded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_arrays([pa.array([_refusal(profile)], pa.string())], ["refused"])

    cores = spark.sparkContext.defaultParallelism
    rows = spark.range(0, cores, 1, cores).mapInArrow(loaded, _REFUSED).where("refused IS NOT NULL").collect()
    if rows:
        raise ModelError(rows[0].refused)


def _refusal(profile: Profile) -> str | None:
    claim()
    try:
        models.load(profile)
    except ModelError as problem:
        return str(problem)
    return None
