"""One network in two forms, such as Keras and ONNX, in one run through Spark: how alike the vectors are, and the speed.

    python tests/bench/model_forms.py facenet /data/facenet-onnx.toml [--images 600] [--rounds 3]

Both profiles are embedded through Spark (`local[2]`, one thread in each worker) from aligned JPEG files, as
`embed_throughput.py` does it, and take turns; each is warm. Each worker holds both models meanwhile. Vectors are
compared image by image. Needs FACESIEVE_DATA, and the weights of both.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from aligned_lfw import aligned_plan
from bench_environment import lfw_images, one_thread, session
from embed_throughput import WORKERS, fetch, listed, spark_seconds
from pyspark.sql import SparkSession
from results import note

from facesieve.embed.worker import Plan


def vectors(spark: SparkSession, sink: str) -> npt.NDArray[np.float64]:
    """Read what was written, in the order of the uris."""
    rows: Any = spark.read.parquet(sink).where("vector IS NOT NULL").orderBy("uri").select("uri", "vector").toPandas()
    return np.stack(rows["vector"].to_list()).astype(np.float64)


def cosines(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Cosines of rows with rows."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray((first * second).sum(axis=1) / lengths)


def main() -> None:
    """Measure, and print cosines and rates."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("first")
    arguments.add_argument("second")
    arguments.add_argument("--images", type=int, default=600)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    one_thread()
    files: list[Path] = lfw_images()[: options.images]
    plans: list[Plan] = [aligned_plan(model, fetch) for model in (options.first, options.second)]
    spark = session(WORKERS)
    with tempfile.TemporaryDirectory() as folder:
        sinks = [f"{folder}/first", f"{folder}/second"]
        images = listed(spark, files)
        for plan, sink in zip(plans, sinks, strict=True):
            spark_seconds(images, plan, sink)
        alike = cosines(*(vectors(spark, sink) for sink in sinks))
        rounds = [
            [spark_seconds(images, plan, sink) for plan, sink in zip(plans, sinks, strict=True)]
            for _ in range(options.rounds)
        ]
    spark.stop()
    ratios = [first / second for first, second in rounds]
    print(
        f"{len(alike)} images, speed of the second to the first by round: {', '.join(f'{each:.3f}' for each in ratios)}"
    )
    rates = [len(files) / statistics.median(seconds) for seconds in zip(*rounds, strict=True)]
    print(f"{plans[0].profile.form} {rates[0]:.1f} images/s, {plans[1].profile.form} {rates[1]:.1f} images/s (medians)")
    note(
        "model_forms",
        least_cosine=float(alike.min()),
        one_minus_median_cosine_e6=float((1 - np.median(alike)) * 1e6),
        speed=statistics.median(ratios),
    )


if __name__ == "__main__":
    main()
