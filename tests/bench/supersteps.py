"""Supersteps at a million edges and more, in one run against its peers; every figure is a ratio to be read as such.

    python tests/bench/supersteps.py                  # a million edges
    python tests/bench/supersteps.py --edges 10000000
    python tests/bench/supersteps.py --without-networkx
    python tests/bench/supersteps.py --coins 1        # the peers have a single coin
    python tests/bench/supersteps.py --base FOLDER    # and the same in another checkout of the project

On one graph of planted people, with weights: five supersteps of the vote by GraphFrames alone, five of GraphFrames' own
labelPropagation, five of a hand-written loop (two groupBys, no GraphFrame) that touches the same faces and keeps its
states alike; then the whole vote with the local finish against the known networkx script (20 rounds).
Needs SPARK_CONF_DIR=conf/spark.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import networkx as nx
import numpy as np
import other_build
import pyarrow as pa
import pyarrow.parquet as pq
from bench_environment import LIB, session
from graphframes import GraphFrame
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from results import note
from seed import chinese_whispers
from two_level import two_level

from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.frames import Vertices, VotingEdges
from facesieve.cluster.supersteps import Voting, whispers
from facesieve.cluster.vote import vote
from facesieve.core import sections

STEPS = 5


def main() -> None:
    """Plant a graph, measure everybody on it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edges", type=int, default=1_000_000)
    parser.add_argument("--coins", type=int, default=sections.Cluster().coins)
    parser.add_argument("--memory", default="8g", help="of the driver, which is the executor too")
    parser.add_argument("--without-networkx", action="store_true")
    parser.add_argument("--base", type=Path, help="another checkout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ends = planted(options.edges, seed=0)
        pq.write_table(pa.table(dict(zip(("src", "dst", "vote"), ends, strict=True))), f"{folder}/edges.parquet")
        spark = _session(folder, options.memory)
        edges = spark.read.parquet(f"{folder}/edges.parquet").repartition(4).persist()
        vertices = edges.select(F.explode(F.array("src", "dst")).alias("id")).distinct().persist()
        print(f"{edges.count():,} edges, {vertices.count():,} faces", flush=True)
        ours = _rates(spark, vertices, edges, folder, options)
        settings = sections.Cluster(finish_locally_below=2 * options.edges, coins=options.coins)
        local = partial(_whole, spark, vertices, edges, settings, f"{folder}/local")
        whole = min(_timed("whole vote, local finish", local) for _ in range(2))
        if not options.without_networkx:
            graph = nx.Graph()
            graph.add_weighted_edges_from(zip(*(column.tolist() for column in ends), strict=True))
            seed = _timed("networkx script, 20 rounds", lambda: chinese_whispers(graph, 20))
            print(f"networkx / local finish: {seed / whole:.1f}")
        spark.stop()
    if options.base:
        asked = ["--edges", str(options.edges), "--memory", options.memory, "--without-networkx"]
        theirs = other_build.seconds(options.base, "supersteps", asked, f"{STEPS} supersteps")
        note(_name(options), to_base=ours / min(theirs))


def planted(edges: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Plant people of 2 to 40 faces whose faces are linked at random, and 5 % weak links between impostors."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 41, edges // 150)
    people = np.repeat(np.arange(len(sizes)), sizes)
    first = np.cumsum(sizes) - sizes
    one = rng.integers(0, len(people), 3 * edges)
    other = first[people[one]] + (rng.random(3 * edges) * sizes[people[one]]).astype(np.int64)
    stray = rng.random(3 * edges) < 0.05
    other[stray] = rng.integers(0, len(people), stray.sum())
    pairs = np.sort(np.stack([one, other], axis=1), axis=1)
    kept = pairs[pairs[:, 0] < pairs[:, 1]]
    code = np.unique(kept[:, 0] * len(people) + kept[:, 1])
    code = rng.permutation(code)[:edges]
    src, dst = code // len(people), code % len(people)
    strength = np.where(people[src] == people[dst], rng.integers(400_000, 900_000, len(src)), 300_000)
    return src, dst, strength


def _name(options: argparse.Namespace) -> str:
    return f"supersteps_{options.edges}_coins_{options.coins}"


def _rates(
    spark: SparkSession, vertices: DataFrame, edges: DataFrame, folder: str, options: argparse.Namespace
) -> float:
    """Measure supersteps of the vote and of its peers; return the least seconds of the vote."""
    alone = sections.Cluster(finish_locally_below=0, max_supersteps=STEPS, coins=options.coins)
    ours, hand, theirs = [], [], []
    for turn in range(2):
        vote = partial(_vote, spark, vertices, edges, alone, f"{folder}/a{turn}")
        ours.append(_timed(f"{STEPS} supersteps", vote))
        by_hand = partial(two_level, spark, edges, alone, f"{folder}/b{turn}")
        hand.append(_timed(f"{STEPS} of the two-level loop", by_hand))
        theirs.append(_timed(f"{STEPS} of labelPropagation", partial(_propagated, vertices, edges)))
    peers = {"two_level_loop": hand, "label_propagation": theirs}
    note(_name(options), **{f"to_{name}": min(ours) / min(seconds) for name, seconds in peers.items()})
    return min(ours)


def _vote(spark: SparkSession, vertices: DataFrame, edges: DataFrame, settings: sections.Cluster, folder: str) -> None:
    labelled = vertices.withColumn("label", F.col("id"))
    found = whispers(
        Vertices(labelled), VotingEdges(edges), Voting(settings, Checkpoints(spark, folder, "bench"), lambda *_: None)
    )
    found.labels.write.format("noop").mode("overwrite").save()
    found.directed.unpersist()


def _whole(spark: SparkSession, vertices: DataFrame, edges: DataFrame, settings: sections.Cluster, folder: str) -> None:
    labelled = vertices.withColumn("label", F.col("id"))
    vote(
        Vertices(labelled), VotingEdges(edges), Voting(settings, Checkpoints(spark, folder, "bench"), lambda *_: None)
    ).rows.unpersist()


def _propagated(vertices: DataFrame, edges: DataFrame) -> None:
    found = GraphFrame(vertices, edges).labelPropagation(maxIter=STEPS)
    found.write.format("noop").mode("overwrite").save()
    found.unpersist()


def _timed(name: str, run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    seconds = time.perf_counter() - began
    print(f"{name}: {seconds:.1f} s", flush=True)
    return seconds


def _session(folder: str, memory: str) -> SparkSession:
    settings = {"spark.driver.memory": memory, "spark.local.dir": folder, "spark.executorEnv.PYTHONPATH": LIB}
    spark = session(2, settings)
    spark.sparkContext.setCheckpointDir(f"{folder}/checkpoints")
    return spark


if __name__ == "__main__":
    main()
