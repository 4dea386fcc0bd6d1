"""The model probe: whether workers can use the model: they load and run it once, before any image is looked at.

The driver has no TensorFlow; without this the first task would find out, after a listing that may have taken an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from pyspark.sql import SparkSession

from facesieve import models
from facesieve.core.errors import ConfigError, ModelError
from facesieve.core.profiles import Profile
from facesieve.embed.formats import optional_formats
from facesieve.embed.gpu import claim

_REFUSED = "refused string"


def probe(spark: SparkSession, profile: Profile, formats: Sequence[str] = ()) -> None:
    """Load a model in the workers. Raises ModelError, on the driver, with a worker's reason if it cannot be used.

    The same holds for a package that decodes one of `formats`, those of `embed.formats`, and is absent there.
    There are as many tasks as cores. The processes of the workers keep the model, so that the time is not lost.
    """

    wanted = tuple(formats)

    def loaded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_arrays([pa.array([_refusal(profile, wanted)], pa.string())], ["refused"])

    cores = spark.sparkContext.defaultParallelism
    rows = spark.range(0, cores, 1, cores).mapInArrow(loaded, _REFUSED).where("refused IS NOT NULL").collect()
    if rows:
        raise ModelError(rows[0].refused)


def _refusal(profile: Profile, formats: Sequence[str]) -> str | None:
    claim()
    try:
        optional_formats.check(formats)
        models.load(profile)
    except (ConfigError, ModelError) as problem:
        return str(problem)
    return None
