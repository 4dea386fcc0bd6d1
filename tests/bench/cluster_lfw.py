"""The cluster stage on all LFW faces against the kernel: equal labels, seconds per superstep, agreement with the names.

    python tests/bench/cluster_lfw.py                                   # MobileFaceNet at cosine 0.50
    python tests/bench/cluster_lfw.py --embeddings facenet_embeddings.npz --cosine 0.70
    python tests/bench/cluster_lfw.py --master 'local-cluster[2,1,2048]'
    python tests/bench/cluster_lfw.py --partitions 7 --shuffled 1 --adaptive false

Needs the development data (FACESIEVE_DATA) and SPARK_CONF_DIR=conf/spark. Exits 1 if a label differs from the kernel's.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lib"))

from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

from facesieve import config  # noqa: E402
from facesieve.kernels.agreement import bcubed, pairwise  # noqa: E402
from facesieve.kernels.vectors import hits  # noqa: E402
from facesieve.kernels.whispers import Coin, split, whispers  # noqa: E402
from facesieve.stages.clusters import clusters  # noqa: E402
from facesieve.stages.votes import votes  # noqa: E402
from facesieve.tables import Edges  # noqa: E402

DATA = Path(os.environ.get("FACESIEVE_DATA", ROOT.parent / "shared" / "data"))


def main() -> int:
    """Link by brute force, cluster by both, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embeddings", default="embeddings.npz")
    parser.add_argument("--cosine", type=float, default=0.5)
    parser.add_argument("--people", type=int, default=0, help="only the people with most faces; 0: all")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--partitions", default="4", help="shuffle partitions, and those of the input")
    parser.add_argument("--adaptive", default="true")
    parser.add_argument(
        "--shuffled", type=int, default=0, help="seed of another order of the input's rows; 0: as it is"
    )
    arguments = parser.parse_args()
    stored = np.load(DATA / "lfw" / arguments.embeddings)
    faces = _of_people(stored["labels"], arguments.people)
    truth, vectors = stored["labels"][faces], stored["embeddings"][faces]
    ids = np.random.default_rng(0).permutation(np.arange(len(faces)) * 1_000_003 - 2**32)
    src, dst, cosines = _linked(ids, vectors, arguments.cosine)
    print(f"{len(ids):,} faces, {len(src):,} edges at cosine {arguments.cosine}")
    expected = _by_kernel(ids, src, dst, cosines)
    found = _by_stage(arguments, (ids, vectors), (src, dst, cosines))
    print(f"clusters {len(np.unique(found)):,}; labels that differ from the kernel's: {np.sum(found != expected)}")
    print(f"B-cubed {bcubed(truth, found)}\npairwise {pairwise(truth, found)}")
    return int(np.any(found != expected))


def _of_people(labels: np.ndarray, people: int) -> np.ndarray:
    sizes = np.bincount(labels)
    chosen = np.argsort(-sizes, kind="stable")[: people or len(sizes)]
    return np.flatnonzero(np.isin(labels, chosen))


def _linked(ids: np.ndarray, vectors: np.ndarray, cosine: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = vectors.astype(np.float16)
    found = []
    for start in range(0, len(rows), 1_000):
        one, other, cosines = hits(rows[start : start + 1_000], rows, cosine)
        kept = ids[one + start] < ids[other]
        found.append((ids[one + start][kept], ids[other][kept], cosines[kept]))
    src, dst, cosines = (np.concatenate(column) for column in zip(*found, strict=True))
    return src, dst, cosines


def _by_kernel(ids: np.ndarray, src: np.ndarray, dst: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    settings = config.Cluster()
    started = time.perf_counter()
    weights = np.floor(cosines.astype(np.float64) * 2**20).astype(np.int64)
    found = whispers(ids, src, dst, weights, Coin(settings.update_fraction, settings.seed), settings.max_supersteps)
    names = split(ids, found.labels, src, dst)
    print(f"kernel: {time.perf_counter() - started:.2f} s, {found.supersteps} supersteps, settled {found.settled}")
    return names


def _by_stage(
    given: argparse.Namespace, faces: tuple[np.ndarray, np.ndarray], edges: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return the cluster id of each face, by the stage."""
    with tempfile.TemporaryDirectory() as folder:
        spark = _session(given, folder)
        _write(f"{folder}/faces.parquet", face_id=faces[0], vector=pa.array(list(faces[1]), pa.list_(pa.float32())))
        src, dst, cosines = edges
        scope, same = np.full(len(src), "heap"), pa.nulls(len(src), pa.bool_())
        _write(f"{folder}/edges.parquet", scope=scope, src=src, dst=dst, cosine=cosines, same_identity=same)
        settings = config.Cluster()
        started = [time.perf_counter()]

        def report(step: int, unsettled: int) -> None:
            started.append(time.perf_counter())
            print(f"superstep {step}: {unsettled:,} unsettled, {started[-1] - started[-2]:.2f} s", flush=True)

        table = spark.read.parquet(f"{folder}/edges.parquet").repartition(int(given.partitions))
        if given.shuffled:
            table = table.orderBy(F.xxhash64(F.lit(given.shuffled), "src", "dst"))
        found = clusters(
            spark.read.parquet(f"{folder}/faces.parquet"), votes(Edges(table), settings), "heap", settings, report
        )
        voted = time.perf_counter()
        rows = found.clusters.select("face_id", "cluster_id").toPandas().set_index("face_id")
        ended = time.perf_counter()
        print(f"stage: {voted - started[0]:.1f} s to vote and split, {ended - voted:.1f} s for medoids and cohesion")
        spark.stop()
    return rows.loc[faces[0], "cluster_id"].to_numpy()


def _session(given: argparse.Namespace, folder: str) -> SparkSession:
    builder = SparkSession.builder.master(given.master).config("spark.sql.adaptive.enabled", given.adaptive)
    builder = builder.config("spark.sql.shuffle.partitions", given.partitions).config(
        "spark.executorEnv.PYTHONPATH", str(ROOT / "lib")
    )
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.local.dir", folder)
    spark = builder.config("spark.executor.memory", "1500m").getOrCreate()
    spark.sparkContext.setCheckpointDir(f"{folder}/checkpoints")
    return spark


def _write(file: str, **columns: object) -> None:
    pq.write_table(pa.table(columns), file)


if __name__ == "__main__":
    sys.exit(main())
