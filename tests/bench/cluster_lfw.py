"""The cluster stage on all LFW faces: equal to the kernels, how long each part takes, and against its peers.

    python tests/bench/cluster_lfw.py                                   # MobileFaceNet, finished in one task
    python tests/bench/cluster_lfw.py --below 0 --peers                 # by GraphFrames alone; two-level loop, networkx
    python tests/bench/cluster_lfw.py --model facenet --below 5000      # by messages, the end in one task
    python tests/bench/cluster_lfw.py --master 'local-cluster[2,1,2048]'
    python tests/bench/cluster_lfw.py --coins 1 --faces DENSE.npz       # one coin, other faces
    python tests/bench/cluster_lfw.py --below 0 --partitions 7 --shuffled 1 --adaptive false

Nothing is given but the model's profile: edges at link.false_matches, scored by structure. Needs the development data
(FACESIEVE_DATA) and SPARK_CONF_DIR=conf/spark. Exits 1 if a score or a cluster differs from the kernels'.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench_environment import DATA, LFW_EMBEDDINGS, PROFILES, ROOT
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from seed import chinese_whispers
from two_level import two_level

from facesieve.assess.kernels.agreement import bcubed, pairwise
from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.clusters import VoteInput, clusters
from facesieve.cluster.frames import Voters
from facesieve.cluster.kernels.coins import coins, together
from facesieve.cluster.kernels.neighbourhoods import hoods
from facesieve.cluster.kernels.structure import least_vote, scores
from facesieve.cluster.kernels.whispers import Start, finish_all
from facesieve.cluster.structure_score import structure
from facesieve.cluster.supersteps import Voting
from facesieve.core import profiles, sections, tables
from facesieve.core.tables import Votes
from facesieve.faces.vectors import hits
from facesieve.link.edges import Tally
from facesieve.link.kernels.thresholds import link_cosine

EMBEDDINGS = {"mobilefacenet": "embeddings.npz", "facenet": "facenet_embeddings.npz"}


def main() -> int:
    """Link by brute force, cluster by kernels and by the stage, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mobilefacenet", choices=EMBEDDINGS)
    parser.add_argument("--faces", help="other faces that the model has embedded: an npz with `vector` and `identity`")
    parser.add_argument("--below", type=int, default=sections.Cluster().finish_locally_below)
    parser.add_argument("--coins", type=int, default=sections.Cluster().coins)
    parser.add_argument("--peers", action="store_true", help="the two-level loop and the networkx script, too")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--partitions", default="4", help="shuffle partitions, and those of the input")
    parser.add_argument("--adaptive", default="true")
    parser.add_argument("--shuffled", type=int, default=0, help="seed of another order of the input's rows")
    options = parser.parse_args()
    faces, edges = _linked(options.model, options.faces)
    expected = _by_kernels(faces, edges, options.coins)
    votes, found = _by_stage(options, faces, edges)
    wrong = int(np.sum(votes != expected[0])), int(np.sum(found != expected[1]))
    print(f"scores that differ from the kernels': {wrong[0]}; clusters: {wrong[1]}, of {len(np.unique(found)):,}")
    print(f"B-cubed {bcubed(faces.people, found)}\npairwise {pairwise(faces.people, found)}")
    return int(any(wrong))


@dataclass(frozen=True)
class Faces:
    """Ids, names as numbers, unit vectors; the cosines of linking and of the impostor line."""

    ids: np.ndarray
    people: np.ndarray
    vectors: np.ndarray
    link: float
    line: float


@dataclass(frozen=True)
class Edges:
    """Pairs once, by ascending ids, and their cosines."""

    src: np.ndarray
    dst: np.ndarray
    cosines: np.ndarray


def _linked(model: str, file: str | None) -> tuple[Faces, Edges]:
    people, vectors = _embedded(model, file)
    line = profiles.load(model, PROFILES).impostor
    assert line is not None
    ids = np.random.default_rng(0).permutation(np.arange(len(people)) * 1_000_003 - 2**32)
    tolerances = sections.Link().false_matches, sections.Cluster().false_matches
    cosines = [link_cosine(line.intercept, line.slope, impostors, len(ids), 1_000) for impostors in tolerances]
    faces = Faces(ids, people, vectors, *cosines)
    rows = faces.vectors.astype(np.float16)
    found = []
    for start in range(0, len(rows), 1_000):
        one, other, near = hits(rows[start : start + 1_000], rows, faces.link)
        kept = ids[one + start] < ids[other]
        found.append((ids[one + start][kept], ids[other][kept], near[kept]))
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    edges = Edges(*(column[order] for column in columns))
    print(f"{len(ids):,} faces, {len(edges.src):,} edges at cosine {faces.link:.4f}, impostor line {faces.line:.4f}")
    return faces, edges


def _embedded(model: str, file: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return names as numbers, and unit vectors: of LFW, or of a file."""
    if file:
        stored = np.load(file)
        return np.unique(stored["identity"], return_inverse=True)[1], stored["vector"]
    stored = np.load(DATA / "lfw" / LFW_EMBEDDINGS[model])
    return stored["labels"], stored["embeddings"]


def _by_kernels(faces: Faces, edges: Edges, number: int) -> tuple[np.ndarray, np.ndarray]:
    settings = sections.Cluster()
    began = time.perf_counter()
    ends, others = np.append(edges.src, edges.dst), np.append(edges.dst, edges.src)
    known = hoods(ends, others, np.append(edges.cosines, edges.cosines), faces.line, settings.max_degree)
    score = scores(edges.src, edges.dst, edges.cosines, faces.line, known)
    scored = time.perf_counter()
    kept = score >= least_vote(settings.score_cut)
    src, dst, votes = edges.src[kept], edges.dst[kept], score[kept]
    minted = coins(settings.update_fraction, settings.seed, number)
    voted = finish_all(faces.ids, (src, dst, votes), [Start(faces.ids)] * number, minted, settings.max_supersteps)
    names = together(faces.ids, np.stack([end.labels for end in voted], axis=1), src, dst)
    ended = time.perf_counter()
    print(
        f"kernels: {scored - began:.2f} s to score, {ended - scored:.2f} s to vote by {number} coins, "
        f"{len(src):,} edges vote"
    )
    return (score / 2**20).astype(np.float32), names


@dataclass
class _Clock:
    """Prints supersteps with their seconds, and remembers them."""

    name: str
    times: list[float] = field(default_factory=lambda: [time.perf_counter()])

    def __call__(self, step: int, unsettled: int) -> None:
        self.times.append(time.perf_counter())
        print(f"{self.name}, superstep {step}: {unsettled:,} unsettled, {self.seconds()[-1]:.2f} s", flush=True)

    def seconds(self) -> list[float]:
        """Return the seconds of each superstep."""
        return np.diff(self.times).tolist()


def _by_stage(options: argparse.Namespace, faces: Faces, edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of each edge and the cluster of each face, by the stages."""
    with tempfile.TemporaryDirectory() as folder:
        spark = _session(options, folder)
        _write(f"{folder}/faces.parquet", face_id=faces.ids, vector=pa.array(list(faces.vectors)), label=faces.ids)
        _write(f"{folder}/edges.parquet", src=edges.src, dst=edges.dst, cosine=edges.cosines)
        settings = sections.Cluster(finish_locally_below=options.below, coins=options.coins)
        table = spark.read.parquet(f"{folder}/edges.parquet").repartition(int(options.partitions))
        if options.shuffled:
            table = table.orderBy(F.xxhash64(F.lit(options.shuffled), "src", "dst"))
        began = time.perf_counter()
        tally = spark.sparkContext.accumulator({}, Tally())
        structure(tables.Edges(table), faces.line, settings, tally).withColumn("scope", F.lit("global")).write.parquet(
            f"{folder}/votes"
        )
        votes = Votes(spark.read.parquet(f"{folder}/votes"))
        clock = _Clock("messages")
        vote_input = VoteInput(Voters(spark.read.parquet(f"{folder}/faces.parquet")), votes, link=faces.link)
        found = clusters(vote_input, Voting(settings, Checkpoints(spark, f"{folder}/steps", "bench"), clock))
        found.rows.write.parquet(f"{folder}/clusters")
        ended = time.perf_counter()
        last = clock.times[-1]
        print(
            f"edges to clusters {ended - began:.1f} s: {clock.times[0] - began:.1f} to score, "
            f"{last - clock.times[0]:.1f} for {found.vote.supersteps} supersteps, {ended - last:.1f} for the rest"
        )
        if options.peers:
            _peers(spark, votes, settings, clock, folder)
        scored = np.array([row["score"] for row in votes.orderBy("src", "dst").select("score").collect()], np.float32)
        cluster_of = {row["face_id"]: row["cluster_id"] for row in spark.read.parquet(f"{folder}/clusters").collect()}
        spark.stop()
    return scored, np.array([cluster_of[face] for face in faces.ids.tolist()])


def _peers(spark: SparkSession, votes: Votes, settings: sections.Cluster, clock: _Clock, folder: str) -> None:
    ballots = votes.where("votes").selectExpr("src", "dst", "bigint(score * 1048576) vote").persist()
    by_hand = _Clock("two-level loop")
    two_level(spark, ballots, settings, f"{folder}/hand", by_hand)
    # The first superstep holds what comes before it.
    ours, theirs = (float(np.mean(each.seconds()[1:])) for each in (clock, by_hand))
    print(f"a superstep: {ours:.2f} s by messages, {theirs:.2f} s by the two-level loop: ratio {ours / theirs:.2f}")
    graph = nx.Graph()
    graph.add_weighted_edges_from(map(tuple, ballots.collect()))
    began = time.perf_counter()
    chinese_whispers(graph, 20)
    print(f"networkx script, 20 rounds: {time.perf_counter() - began:.1f} s")


def _session(options: argparse.Namespace, folder: str) -> SparkSession:
    builder = SparkSession.builder.master(options.master).config("spark.sql.adaptive.enabled", options.adaptive)
    builder = builder.config("spark.sql.shuffle.partitions", options.partitions).config(
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
