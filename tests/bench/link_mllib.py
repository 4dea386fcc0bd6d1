"""A peer of the collection's join: MLlib's `BucketedRandomProjectionLSH.approxSimilarityJoin`, from Parquet to Parquet.

    python tests/bench/link_mllib.py FOLDER --out EDGES     # its best settings
    python tests/bench/link_mllib.py FOLDER --tune          # what each setting would compare and find

FOLDER is one of `synthetic.py`; the cosine is the job's own, three false matches per face, unless `--cosine` is given.
The vectors are centred first: distances stay, and the buckets, which meet at the origin, cut the collection more
evenly. One side is broadcast: a handful of buckets would else be a handful of tasks, with all vectors of a bucket
shuffled to one.
Spark then tests the distance inside the join, before the `distinct` of that method. Recall as in `truth.py`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import synthetic
from bench_environment import session as bench_session
from pyspark.ml.feature import BucketedRandomProjectionLSH, BucketedRandomProjectionLSHModel, StandardScaler
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from truth import derived_cosine, recall

PARTITIONS = 8
BROADCAST_BYTES = 2_000_000_000
SAMPLE = 1_000


@dataclass(frozen=True)
class Settings:
    """Width of a bucket along a random direction, and how many directions are tried."""

    bucket_length: float
    tables: int
    seed: int = 0


BEST = Settings(bucket_length=0.17, tables=3)
"""At 20,000 faces and their cosine of 0.620, the fewest tests of the settings of `GRID` that reach recall 0.98."""

GRID = [
    Settings(length, tables)
    for length, tables in {5.0: 2, 4.0: 3, 0.3: 3, 0.2: 3, 0.17: 3, 0.15: 4, 0.1: 6, 0.05: 11, 0.02: 29}.items()
]


@dataclass(frozen=True)
class Buckets:
    """What a setting compares: share of all pairs, the same with a pair counted in every table, recall of the edges."""

    compared: float
    rows: float
    recall: float


@dataclass(frozen=True)
class Timings:
    """Seconds from Parquet to Parquet, and what came of them."""

    faces: int
    cosine: float
    settings: Settings
    seconds: float
    pairs: int
    recall: float
    buckets: Buckets

    def __str__(self) -> str:
        return (
            f"{self.settings}: {self.seconds:.1f} s for {self.faces:,} faces at cosine {self.cosine:.4f}, "
            f"{self.pairs:,} pairs, recall {self.recall:.4f}, {self.buckets.compared:.1%} of all pairs compared"
        )


def run(spark: SparkSession, source: Path, out: Path, cosine: float, settings: Settings) -> Timings:
    """Link the faces of a Parquet folder and write src, dst and distance as Parquet, each pair once, src < dst."""
    started = time.perf_counter()
    model, faces = _model(spark, source, settings)
    distance = float(np.sqrt(2 - 2 * cosine))
    joined = model.approxSimilarityJoin(faces, faces, distance, "distance")
    edges = joined.select(F.col("datasetA.face_id").alias("src"), F.col("datasetB.face_id").alias("dst"), "distance")
    edges.where("src < dst").write.mode("overwrite").parquet(str(out))
    seconds = time.perf_counter() - started
    pairs = sum(pq.read_metadata(file).num_rows for file in out.glob("*.parquet"))
    reached = recall(source, out, cosine)[0]
    return Timings(faces.count(), cosine, settings, seconds, pairs, reached, buckets(spark, source, cosine, settings))


def buckets(spark: SparkSession, source: Path, cosine: float, settings: Settings) -> Buckets:
    """Read off the hashes of `SAMPLE` faces against all what a join would compare and find."""
    model, faces = _model(spark, source, settings)
    # `transform` would hand a function of two arguments the element's index as well.
    numbers = F.flatten(F.transform("hashes", lambda one: vector_to_array(one))).alias("hashes")  # noqa: PLW0108
    rows = model.transform(faces).select("face_id", numbers).collect()
    face_ids, hashes = np.array([row["face_id"] for row in rows]), np.array([row["hashes"] for row in rows])
    ids, vectors = synthetic.read(source)
    places = np.argsort(ids)[np.searchsorted(np.sort(ids), face_ids)]
    vectors = vectors[places]
    sample = np.random.default_rng(0).choice(len(ids), min(SAMPLE, len(ids)), replace=False)
    tables: npt.NDArray[np.int16] = np.sum(hashes[sample, None, :] == hashes[None, :, :], axis=2, dtype=np.int16)
    edges = vectors[sample] @ vectors.T >= cosine
    edges[np.arange(len(sample)), sample] = False
    return Buckets(float(np.mean(tables > 0)), float(np.mean(tables)), float(np.mean(tables[edges] > 0)))


def _model(spark: SparkSession, source: Path, settings: Settings) -> tuple[BucketedRandomProjectionLSHModel, DataFrame]:
    read = spark.read.parquet(str(source)).select("face_id", array_to_vector(F.col("vector")).alias("raw"))
    centre = StandardScaler(withMean=True, withStd=False, inputCol="raw", outputCol="centred").fit(read)
    faces = centre.transform(read).select("face_id", "centred").repartition(PARTITIONS)
    lsh = BucketedRandomProjectionLSH(
        inputCol="centred",
        outputCol="hashes",
        seed=settings.seed,
        bucketLength=settings.bucket_length,
        numHashTables=settings.tables,
    )
    return lsh.fit(faces), faces


def session() -> SparkSession:
    """Two cores, few partitions, the hashes broadcast."""
    broadcast = {"spark.sql.autoBroadcastJoinThreshold": BROADCAST_BYTES}
    return bench_session(2, {"spark.sql.shuffle.partitions": PARTITIONS} | broadcast)


def main() -> None:
    """Run once, or show what the settings would compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cosine", type=float)
    parser.add_argument("--tune", action="store_true")
    options = parser.parse_args()
    faces = sum(pq.read_metadata(file).num_rows for file in options.folder.glob("*.parquet"))
    cosine = options.cosine or derived_cosine(faces)
    spark = session()
    spark.sparkContext.setLogLevel("ERROR")
    if options.tune:
        for settings in GRID:
            print(settings, buckets(spark, options.folder, cosine, settings), flush=True)
    else:
        print(run(spark, options.folder, options.out, cosine, BEST))
    spark.stop()


if __name__ == "__main__":
    main()
