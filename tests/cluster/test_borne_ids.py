"""Ids that clusters have borne: known also when the versions that had them are gone."""

from __future__ import annotations

from pathlib import Path

import oracle
import pytest
from factories import faces
from pyspark.sql import SparkSession
from small_lake import small_lake
from world import DIMENSION, World

from facesieve.cluster.borne_ids import borne_ids, note, unnoted
from facesieve.core import tables
from facesieve.core.ids import digest_id
from facesieve.core.sections import Cluster
from facesieve.lake.catalog import Lake, Snapshot, Stamp
from facesieve.lake.upkeep import Upkeep


def put(spark: SparkSession, lake: Lake, *ids: int) -> Snapshot:
    """Make the ids those of the clusters' next version, one face each."""
    rows = [("global", face, each, 1, 1.0, True, True, False, None) for face, each in enumerate(ids)]
    since = lake.open(tables.CLUSTERS)
    return lake.overwrite(
        tables.CLUSTERS, spark.createDataFrame(rows, tables.CLUSTERS.columns), Stamp("r", "k", {}), since
    )


def borne(lake: Lake) -> set[int]:
    return {row.cluster_id for row in borne_ids(lake).where("scope = 'global'").collect()}


def expire_all_but_the_current(spark: SparkSession, lake: Lake) -> None:
    now = lake.snapshot(tables.CLUSTERS)
    going = [each.id for each in lake.versions(tables.CLUSTERS) if each.id != now.id]
    Upkeep(spark, lake.name_of(tables.CLUSTERS)).expire(going)


def test_ids_are_noted_before_their_versions_go(spark: SparkSession) -> None:
    lake = small_lake(spark)
    put(spark, lake, 1, 5)
    put(spark, lake, 1, 1)
    assert borne(lake) == {1, 5}
    assert note(lake) == 2
    assert unnoted(lake) == []
    noted = lake.snapshot(tables.CLUSTER_IDS)
    assert (note(lake), lake.snapshot(tables.CLUSTER_IDS)) == (0, noted), "nothing is new: nothing is committed"
    expire_all_but_the_current(spark, lake)
    assert borne(lake) == {1, 5}
    last = put(spark, lake, 9, 1)
    assert unnoted(lake) == [last]
    assert borne(lake) == {1, 5, 9}
    assert note(lake) == 1
    expire_all_but_the_current(spark, lake)
    assert (borne(lake), unnoted(lake)) == ({1, 5, 9}, [])


def test_a_version_that_was_noted_last_and_is_gone_costs_a_second_look(spark: SparkSession) -> None:
    lake = small_lake(spark)
    first = put(spark, lake, 1, 5)
    second = put(spark, lake, 7, 7)
    note(lake)
    lake.make_current(tables.CLUSTERS, first, second)
    expire_all_but_the_current(spark, lake)
    assert unnoted(lake) == [first]
    assert borne(lake) == {1, 5, 7}
    assert note(lake) == 0
    assert unnoted(lake) == []


def test_nothing_is_noted_of_a_lake_without_clusters(spark: SparkSession) -> None:
    lake = small_lake(spark)
    assert (note(lake), unnoted(lake), lake.current(tables.CLUSTER_IDS)) == (0, [], None)


@pytest.mark.long
@pytest.mark.parametrize("noting", [True, False])
def test_an_id_of_an_expired_version_is_not_given_again(spark: SparkSession, tmp_path: Path, noting: bool) -> None:
    """Without the note it would be: that is what the note is for."""
    ids, persons, vectors = faces(1, 12, seed=3, dimension=DIMENSION)
    person = oracle.Crowd(ids, list(persons), vectors)
    world = World(spark, person, scratch=str(tmp_path), settings=Cluster(score="cosine", attach_error=0.0))
    everybody = list(range(len(ids)))
    world.put(everybody)
    world.link()
    world.cluster()
    (first,) = set(world.clusters().values())
    row = ids.tolist().index(first)
    # The face that the cluster is named for stands alone for a while; the others go on bearing the name.
    world.put([each for each in everybody if each != row])
    world.link()
    world.cluster()
    assert set(world.clusters().values()) == {first}
    # Then they go, another person comes, and no version but the last knows the name.
    alone = vectors.copy()
    alone[row] = -alone[row]
    world.become(oracle.Crowd(ids, person.names, alone))
    world.put([])
    world.link()
    world.cluster()
    if noting:
        note(world.lake)
    expire_all_but_the_current(spark, world.lake)
    world.put(everybody)
    world.link()
    world.cluster()
    expected = digest_id("global", str(first), "1") if noting else first
    assert world.clusters()[first] == expected
