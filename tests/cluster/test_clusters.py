from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import faces as synthetic
from pyspark.sql import SparkSession
from two_people import IDS, PEOPLE, vectors, voting_edges

from facesieve.assess.kernels.agreement import bcubed
from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.clusters import Clustered, VoteInput, clusters
from facesieve.cluster.constraints import Constraints
from facesieve.cluster.frames import CLUSTERED_FACES, VOTERS, Voters
from facesieve.cluster.kernels.cohesion import cohesion
from facesieve.cluster.kernels.coins import coins, stability, together
from facesieve.cluster.kernels.whispers import whispers
from facesieve.cluster.supersteps import Voting
from facesieve.core.sections import Cluster
from facesieve.core.tables import VOTES, Votes
from facesieve.faces.vectors import hits

Faces = tuple[np.ndarray, np.ndarray]
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
Rows = dict[int, tuple[Any, ...]]


def linked(faces: Faces, link: float) -> Pairs:
    """All pairs at or above `link`, as src < dst and cosine."""
    ids, vectors = faces
    rows = vectors.astype(np.float16)
    left, right, cosines = hits(rows, rows, link)
    ordered = ids[left] < ids[right]
    return ids[left][ordered], ids[right][ordered], cosines[ordered]


def expected(faces: Faces, pairs: Pairs, number: int = Cluster().coins) -> Rows:
    ids, vectors = faces
    src, dst, cosines = pairs
    votes = np.floor(cosines.astype(np.float64) * 2**20).astype(np.int64)
    labels = np.stack([whispers(ids, src, dst, votes, coin, 500).labels for coin in coins(0.75, 0, number)], axis=1)
    names = together(ids, labels, src, dst)
    rows: Rows = {}
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        medoid, mean = cohesion(ids[members], vectors[members])
        stable = stability(labels[members], medoid).tolist()
        for row, member in enumerate(members):
            tail = (len(members), float(np.float32(mean)), row == medoid)
            rows[int(ids[member])] = (int(ids[member]), int(name), *tail, True, stable[row], False)
    return rows


@pytest.fixture
def run(spark: SparkSession, tmp_path: Path) -> Run:
    return Run(spark, tmp_path)


@dataclass
class Run:
    """Clusters faces by the cosines of their pairs."""

    spark: SparkSession
    folder: Path

    def __call__(self, faces: Faces, pairs: Pairs, partitions: int, **conditions: Any) -> Clustered:
        order = np.random.default_rng(partitions).permutation(len(pairs[0]))
        rows = [("global", *row, True) for row in zip(*(column[order].tolist() for column in pairs), strict=True)]
        ids = faces[0].tolist()
        voters = list(zip(ids, faces[1].tolist(), ids, strict=True))
        frame = Voters(self.spark.createDataFrame(voters, VOTERS).repartition(partitions))
        votes = Votes(self.spark.createDataFrame(rows, VOTES.columns).repartition(partitions))
        return self.of(frame, votes, **conditions)

    def of(self, faces: Voters, votes: Votes, **conditions: Any) -> Clustered:
        below = conditions.pop("finish_locally_below", 1_000_000)
        number = conditions.pop("coins", Cluster().coins)
        checkpoints = Checkpoints(self.spark, str(self.folder / str(number)), "test")
        voting = Voting(Cluster(finish_locally_below=below, coins=number), checkpoints, lambda *_: None)
        return clusters(VoteInput(faces, votes, **conditions), voting)


def rows_of(result: Clustered) -> Rows:
    assert set(result.rows.columns) == set(CLUSTERED_FACES.names)
    columns = ("face_id", "cluster_id", "cluster_size", "cohesion", "medoid", "settled", "stability", "attached")
    return {row["face_id"]: tuple(row) for row in result.rows.select(*columns).collect()}


@pytest.mark.parametrize(("below", "number"), [(0, 8), (1_000_000, 8), (1_000_000, 1)])
def test_equals_the_kernels(run: Run, below: int, number: int) -> None:
    ids, _, vectors = synthetic(25, 8, seed=5)
    pairs = linked((ids, vectors), 0.72)
    result = run((ids, vectors), pairs, 7, finish_locally_below=below, coins=number)
    assert result.vote.settled
    assert (result.vote.finished_locally > 0) == (below > 0)
    assert result.rows.count() == len(ids)
    assert rows_of(result) == expected((ids, vectors), pairs, number)


@pytest.mark.parametrize("below", [0, 1_000_000])
def test_two_people_whom_one_coin_unites_are_two_by_eight(spark: SparkSession, run: Run, below: int) -> None:
    voters = list(zip(IDS.tolist(), vectors().tolist(), IDS.tolist(), strict=True))
    ends = zip(*(column.tolist() for column in voting_edges()[1:]), strict=True)
    edges = [("global", src, dst, vote / 2**20, True) for src, dst, vote in ends]
    faces, votes = spark.createDataFrame(voters, VOTERS), spark.createDataFrame(edges, VOTES.columns)
    for number, people in ((1, [1] * 9), (8, PEOPLE.tolist())):
        result = run.of(Voters(faces), Votes(votes), finish_locally_below=below, coins=number)
        rows = rows_of(result)
        assert result.vote.settled
        assert [rows[face][1] for face in IDS.tolist()] == people
        # In the first of the eight coins all nine are with both medoids.
        assert {row[-2] for row in rows.values()} == {1.0}


def test_an_edge_that_does_not_vote_joins_nobody(spark: SparkSession, run: Run) -> None:
    vectors = [(1, [1.0, 0.0], 1), (2, [0.8, 0.6], 2), (3, [0.0, 1.0], 3)]
    faces = Voters(spark.createDataFrame(vectors, VOTERS))
    votes = spark.createDataFrame([("global", 1, 2, 0.8, True), ("global", 2, 3, 0.6, False)], VOTES.columns)
    rows = rows_of(run.of(faces, Votes(votes)))
    assert [rows[face][1:3] for face in (1, 2, 3)] == [(1, 2), (1, 2), (3, 1)]
    assert [rows[face][3] for face in (1, 2, 3)] == pytest.approx([0.8, 0.8, 1.0], abs=1e-3)


def test_leftovers_join_and_their_clusters_are_measured_anew(run: Run) -> None:
    ids, people, vectors = synthetic(30, 12, seed=5)
    faces, pairs = (ids, vectors), linked((ids, vectors), 0.5)
    # One face loses its edges: it is a leftover, but like no impostor.
    left = ids[0]
    cut = tuple(column[(pairs[0] != left) & (pairs[1] != left)] for column in pairs)
    result = run(faces, cut, 3, link=0.6)
    rows = rows_of(result)
    person = [face for face, name in zip(ids.tolist(), people, strict=True) if name == people[0]]
    assert result.attachment is not None
    assert result.attachment.attached == 1
    assert [face for face, row in rows.items() if row[-1]] == [left]
    assert {rows[face][1:3] for face in person} == {(min(person), 12)}
    assert sum(row[4] for row in rows.values()) == len({row[1] for row in rows.values()})


def test_constraints_hold_at_the_end(run: Run) -> None:
    ids, people, vectors = synthetic(6, 5, seed=5)
    pairs = linked((ids, vectors), 0.5)
    alike = next(row for row in range(1, 30) if people[row] == people[0])
    other = next(row for row in range(1, 30) if people[row] != people[0])
    limits = Constraints(ids[[[0, other]]], ids[[[0, alike]]], np.array([False]))
    rows = rows_of(run((ids, vectors), pairs, 2, constraints=limits))
    assert rows[ids[0]][1] == rows[ids[other]][1]
    assert rows[ids[0]][1] != rows[ids[alike]][1]
    assert len(rows) == len(ids)


def test_real_faces(run: Run, data: Path) -> None:
    stored = np.load(data / "lfw" / "embeddings.npz")
    chosen = np.flatnonzero(np.bincount(stored["labels"])[stored["labels"]] >= 10)[:2_000]
    ids = np.random.default_rng(0).permutation(10 * len(chosen))[: len(chosen)]
    faces = (ids, stored["embeddings"][chosen])
    pairs = linked(faces, 0.5)
    rows = rows_of(run(faces, pairs, 2))
    assert rows == expected(faces, pairs)
    name = {face: row[1] for face, row in rows.items()}
    assert bcubed(stored["labels"][chosen], np.array([name[face] for face in ids.tolist()])).f > 0.97
