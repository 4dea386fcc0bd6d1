"""The step `cluster` on a lake: ids that last, labels that a vote begins with, crashes, constraints, reuse."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import oracle
import pytest
from factories import faces
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from world import DIMENSION, World

from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.constraint_file import read_constraints
from facesieve.cluster.frames import VoteState
from facesieve.core import tables
from facesieve.core.errors import ConfigError
from facesieve.core.ids import digest_id
from facesieve.core.sections import Cluster
from facesieve.lake.versions import Stamp

IDS, PERSONS, VECTORS = faces(12, 12, seed=3, dimension=DIMENSION)
PEOPLE = oracle.Crowd(IDS, list(PERSONS), VECTORS)
COSINE = Cluster(score="cosine", attach_error=0.0)


@pytest.fixture
def world(spark: SparkSession, tmp_path: Path) -> World:
    return World(spark, PEOPLE, scratch=str(tmp_path / "scratch"))


@pytest.fixture(scope="module")
def three(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three people, linked once for the tests that ask for other settings alone."""
    world = World(spark, PEOPLE, scratch=str(tmp_path_factory.mktemp("scratch")))
    world.put(of(set(NAMES[:3])))
    world.link()
    return world


@pytest.fixture
def linked(three: World) -> World:
    three.settings = Cluster()
    return three


def of(people: set[str]) -> list[int]:
    return [row for row, name in enumerate(PEOPLE.names) if name in people]


NAMES = sorted(set(filter(None, PEOPLE.names)))


def test_ids_last_and_what_changed_is_told(world: World) -> None:
    some, newcomer = of(set(NAMES[:8])), of({NAMES[9]})
    world.put(some)
    world.link()
    first = world.cluster()["global"]
    assert first["churn"] is None
    before = world.clusters()
    assert set(before.values()) == {min(f for f in before if before[f] == name) for name in set(before.values())}
    # The faces that clusters are named for go; a person comes.
    gone = {row for row in some if int(PEOPLE.ids[row]) in set(before.values())}
    world.put([row for row in some if row not in gone] + newcomer)
    world.link()
    second = world.cluster()["global"]
    after = world.clusters()
    assert {face: after[face] for face in before.keys() & after.keys()} == {
        face: before[face] for face in before.keys() & after.keys()
    }
    new = {after[face] for face in PEOPLE.ids[newcomer].tolist()}
    assert new.isdisjoint(before.values())
    assert second["churn"]["changed"] == 0.0
    assert (second["churn"]["births"], second["churn"]["merges"], second["churn"]["splits"]) == (len(new), 0, 0)
    # A vote that begins with the former labels finds only those unsettled whom the change concerns.
    assert second["unsettled"][0] < first["unsettled"][0] / 2


def test_ids_outlast_the_former_name_of_a_scope(world: World) -> None:
    world.put(of(set(NAMES[:3])))
    world.link()
    world.cluster()
    before = world.clusters()
    rows = world.lake.read(tables.CLUSTERS, world.lake.snapshot(tables.CLUSTERS))
    older = rows.withColumns({"scope": F.lit("heap"), "cluster_id": F.col("cluster_id") - 1}).localCheckpoint()
    world.lake.overwrite(tables.CLUSTERS, older, Stamp("0.4.0", "older", {}), world.lake.open(tables.CLUSTERS))
    assert world.cluster(full=True)["global"]["churn"]["changed"] == 0.0
    assert world.clusters() == {face: cluster - 1 for face, cluster in before.items()}


def test_an_id_once_borne_is_not_given_again(world: World) -> None:
    person = of({NAMES[0]})
    world.put(person)
    world.link()
    world.cluster()
    (borne,) = set(world.clusters().values())
    first = next(row for row in person if PEOPLE.ids[row] == borne)
    world.put([row for row in person if row != first])
    world.link()
    world.cluster()
    assert set(world.clusters().values()) == {borne}
    # The face comes back and is like nobody now: its own cluster, whose name others bear.
    vectors = PEOPLE.vectors.copy()
    vectors[first] = -vectors[first]
    world.become(oracle.Crowd(PEOPLE.ids, PEOPLE.names, vectors))
    world.put(person)
    world.link()
    world.cluster()
    assert world.clusters()[borne] == digest_id("global", str(borne), "1")


def test_a_killed_vote_goes_on_where_it_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(range(len(PEOPLE.ids)))
    world.link()
    write = Checkpoints.write
    written: list[int] = []

    def killed(self: Checkpoints, step: int, state: VoteState, histories: list[list[int]]) -> VoteState:
        if step == 2:
            raise KeyboardInterrupt
        return write(self, step, state, histories)

    def noted(self: Checkpoints, step: int, state: VoteState, histories: list[list[int]]) -> VoteState:
        written.append(step)
        return write(self, step, state, histories)

    monkeypatch.setattr(Checkpoints, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        world.cluster(finish_locally_below=0)
    votes = world.lake.snapshot(tables.VOTES)
    monkeypatch.setattr(Checkpoints, "write", noted)
    facts = world.cluster(finish_locally_below=0)["global"]
    assert written[0] == 2
    assert world.lake.snapshot(tables.VOTES) == votes
    assert list((Path(world.scratch) / "supersteps").iterdir()) == []
    clusters = world.clusters()
    whole = world.cluster(full=True, finish_locally_below=1_000_000)["global"]
    assert world.clusters() == clusters
    assert whole["unsettled"] == facts["unsettled"]


def test_one_task_makes_the_tables_that_many_make(linked: World) -> None:
    def written() -> list[list[tuple[object, ...]]]:
        versions = (linked.lake.read(table, linked.lake.snapshot(table)) for table in (tables.VOTES, tables.CLUSTERS))
        return [sorted(map(tuple, rows.collect())) for rows in versions]

    one = linked.cluster(seed=3, finish_locally_below=1_000_000)
    by_one = written()
    many = linked.cluster(full=True, finish_locally_below=0)
    assert by_one == written()
    assert (one["rows_in"], one["rows_out"]) == (many["rows_in"], many["rows_out"]) == tuple(map(len, by_one))
    assert one["global"]["finished_locally"] == one["global"]["supersteps"]
    assert many["global"]["finished_locally"] == 0
    same = {**one["global"], "finished_locally": 0, "churn": None}
    assert {**many["global"], "churn": None} == same
    assert one["global"]["false_matches"] is not None


def test_where_a_vote_is_finished_makes_no_other_result(linked: World) -> None:
    assert not linked.cluster(seed=1, finish_locally_below=0)["reused"]
    assert linked.cluster(finish_locally_below=50)["reused"]


def test_constraints_are_part_of_what_is_asked(linked: World, tmp_path: Path) -> None:
    rows = of(set(NAMES[:3]))
    ids = PEOPLE.ids[rows].tolist()
    names = [PEOPLE.names[row] for row in rows]
    other = next(face for face, name in zip(ids, names, strict=True) if name != names[0])
    alike = next(face for face, name in zip(ids[1:], names[1:], strict=True) if name == names[0])
    linked.cluster()
    file = tmp_path / "pairs.csv"
    file.write_text(f"kind,face_a,face_b\nmust,{ids[0]},{other}\ncannot,{ids[0]},{alike}\n")
    facts = linked.cluster(constraints=str(file))
    assert (facts["reused"], facts["constraints"]) == (False, {"must": 1, "cannot": 1})
    clusters = linked.clusters()
    assert clusters[ids[0]] == clusters[other] != clusters[alike]
    file.write_text(f"kind,face_a,face_b\nmust,{ids[0]},{other}\ncannot,{other},{ids[0]}\n")
    with pytest.raises(ConfigError, match="contradicts itself"):
        linked.cluster()


def test_cosine_votes_and_no_attachment(linked: World) -> None:
    linked.settings = COSINE
    facts = linked.cluster()["global"]
    assert (facts["pi0"], facts["attached"]) == (None, None)
    sizes = np.unique(list(linked.clusters().values()), return_counts=True)[1]
    assert len(sizes[sizes > 2]) == 3


def test_every_coin_that_has_not_settled_is_counted(linked: World) -> None:
    facts = linked.cluster(coins=4, max_supersteps=1)
    assert (facts["global"]["coins"], facts["global"]["unsettled_coins"]) == (4, 4)
    limit = "not settled after cluster.max_supersteps = 1; raise it and run again"
    assert f"cluster global: 4 of 4 coins {limit}" in facts["warnings"]
    assert f"cluster global: {limit}" in linked.cluster(coins=1)["warnings"]
    facts = linked.cluster(coins=4, max_supersteps=500)
    assert (facts["global"]["settled"], facts["global"]["unsettled_coins"], facts["warnings"]) == (True, 0, [])


def test_stability_is_written_and_doubtful_clusters_are_counted(linked: World) -> None:
    facts = linked.cluster()["global"]
    assert (facts["unstable"], facts["loose"]) == (0, 0)
    rows = linked.lake.read(tables.CLUSTERS, linked.lake.snapshot(tables.CLUSTERS))
    assert rows.schema["stability"].dataType.simpleString() == "float"
    assert {row.stability for row in rows.where("not attached").collect()} == {1.0}


def test_a_single_coin_goes_on_from_what_was_before_there_were_several(linked: World) -> None:
    linked.cluster(coins=1)
    began = linked.records[f"run-{linked.runs}"]["cluster"].to_json()["begun"]["settings"]
    former = {name: value for name, value in asdict(Cluster(finish_locally_below=0)).items() if name != "coins"}
    former["constraints"] = read_constraints("").digest
    assert began == hashlib.sha256(json.dumps(former, sort_keys=True).encode()).hexdigest()
