"""A scope in one task is the same scope by the tasks of a cluster, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import faces as synthetic
from pyspark.sql import SparkSession

from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.clusters import Clustered, VoteInput, clusters, clusters_in_one_task
from facesieve.cluster.constraints import NONE, Constraints
from facesieve.cluster.frames import CLUSTERED_FACES, PHOTOS, VOTERS, Photos, Voters
from facesieve.cluster.supersteps import Voting
from facesieve.core.errors import ContractError
from facesieve.core.sections import Cluster
from facesieve.core.tables import VOTES, Votes
from facesieve.faces.vectors import hits

IDS, PEOPLE, VECTORS = synthetic(30, 12, seed=5)
LINK = 0.6


def edges(least: float) -> list[tuple[str, int, int, float, bool]]:
    """All pairs at or above `least`, of which those above 0.5 vote; two faces lose theirs, and are leftovers."""
    halves = VECTORS.astype(np.float16)
    left, right, cosines = hits(halves, halves, least)
    chosen = (IDS[left] < IDS[right]) & ~np.isin(IDS[left], IDS[:2]) & ~np.isin(IDS[right], IDS[:2])
    columns = (IDS[left], IDS[right], cosines, cosines > 0.5)
    return [("global", *row) for row in zip(*(column[chosen].tolist() for column in columns), strict=True)]


def voters(spark: SparkSession, labels: np.ndarray) -> Voters:
    rows = list(zip(IDS.tolist(), VECTORS.tolist(), labels.tolist(), strict=True))
    return Voters(spark.createDataFrame(rows, VOTERS).repartition(3))


@pytest.fixture(scope="module")
def scope(spark: SparkSession) -> VoteInput:
    """Faces that begin with labels of others, as in a second run."""
    labels = IDS.copy()
    labels[5:8] = IDS[5]
    votes = Votes(spark.createDataFrame(edges(0.3), VOTES.columns).repartition(3).persist())
    return VoteInput(voters(spark, labels), votes, NONE, LINK)


@pytest.fixture
def voting(spark: SparkSession, tmp_path: Path) -> Voting:
    settings = Cluster(coins=3, finish_locally_below=0, attach_error=0.2)
    return Voting(settings, Checkpoints(spark, str(tmp_path), "test"), lambda *_: None)


def limits(spark: SparkSession) -> Constraints:
    """Two people must be together, two faces of one must not, and a photograph shows two faces of another."""
    first = {person: np.flatnonzero(np.array(PEOPLE) == person) for person in set(PEOPLE)}
    a, b, c, d = (first[person] for person in list(dict.fromkeys(PEOPLE))[1:5])
    photos = spark.createDataFrame([(int(IDS[c[0]]), 7), (int(IDS[c[4]]), 7), (int(IDS[d[0]]), 8)], PHOTOS)
    must, cannot = IDS[[[a[0], b[0]], [a[1], b[2]]]], IDS[[[a[3], a[5]], [0, a[0]]]]
    return Constraints(must, cannot, np.zeros(2, np.bool_), Photos(photos))


def same(one: Clustered, many: Clustered, votes: Votes) -> None:
    columns = sorted(CLUSTERED_FACES.names)
    rows, expected = (sorted(map(tuple, each.rows.select(*columns).collect())) for each in (one, many))
    assert rows == expected
    assert (one.vote.histories, one.attachment) == (many.vote.histories, many.attachment)
    of = {row.face_id: row.cluster_id for row in many.rows.collect()}
    assert one.counted == (len(IDS), sum(of[row.src] != of[row.dst] for row in votes.collect()))


def test_equals_many_tasks(scope: VoteInput, voting: Voting) -> None:
    one, many = clusters_in_one_task("global", scope, voting), clusters(scope, voting)
    same(one, many, scope.votes)
    assert one.attachment is not None
    assert one.attachment.attached >= 2
    assert one.vote.finished_locally == one.vote.supersteps


def test_equals_many_tasks_under_constraints(spark: SparkSession, scope: VoteInput, voting: Voting) -> None:
    limited = replace(scope, constraints=limits(spark))
    free = clusters_in_one_task("global", scope, voting)
    one, many = clusters_in_one_task("global", limited, voting), clusters(limited, voting)
    same(one, many, scope.votes)
    assert one.rows.exceptAll(free.rows).count() > 20


def test_nobody_and_faces_without_edges(spark: SparkSession, scope: VoteInput, voting: Voting) -> None:
    none = Votes(scope.votes.limit(0))
    alone = clusters_in_one_task("global", replace(scope, votes=none, link=None), voting)
    assert (alone.vote.histories, alone.attachment, alone.rows.count()) == ([[0]] * 3, None, len(IDS))
    nobody = VoteInput(Voters(scope.faces.limit(0)), none, NONE, LINK)
    empty = clusters_in_one_task("global", nobody, voting)
    assert (empty.vote.settled, empty.rows.count(), empty.counted) == (True, 0, (0, 0))
    assert empty.attachment == clusters(nobody, voting).attachment


def test_what_a_graph_may_not_hold_is_refused(scope: VoteInput, voting: Voting) -> None:
    doubled = Voters(scope.faces.unionByName(scope.faces.where(f"face_id = {IDS[3]}")))
    with pytest.raises(ContractError, match=rf"global: 1 faces stand more than once .*face_id {IDS[3]}\)"):
        clusters_in_one_task("global", replace(scope, faces=doubled), voting)
    stray = Voters(scope.faces.where(f"face_id <> {IDS[9]}"))
    ends = sum(int(IDS[9]) in row[1:3] for row in edges(0.3))
    with pytest.raises(ContractError, match=rf"{ends} ends of edges name a face .*face_id {IDS[9]}\)"):
        clusters_in_one_task("global", replace(scope, faces=stray), voting)
