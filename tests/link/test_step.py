"""The step `link` on a lake: epochs and increments against one full join by brute force, passes, refusals, crashes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import oracle
import pytest
from pyspark.sql import SparkSession
from world import DIMENSION, World

from facesieve.core.errors import ContractError, Refused
from facesieve.core.tables import Edges
from facesieve.faces.blocks import blocks_in
from facesieve.lake.catalog import Change
from facesieve.link import full_join, incremental_join, step
from facesieve.link import layout as layout_stage
from facesieve.link.delta import edges_with
from facesieve.link.epoch import Epoch
from facesieve.link.kernels import cells
from facesieve.link.kernels.block_pairs import EdgeRule
from facesieve.link.kernels.probe_tuning import Settings
from facesieve.link.kernels.voronoi import Pivots
from facesieve.link.layout import derived
from facesieve.link.routing import RoutedBlocks, Routing


def joined(faces: oracle.Crowd, epoch: Epoch, most: int) -> tuple[dict[str, oracle.Pairs], int]:
    """One full join in the epoch, by brute force: edges by scope, and the number of capped faces."""
    every: dict[str, oracle.Pairs] = {"identity": {}, "global": {}}
    if "identity" in epoch.cosines:
        every["identity"] = oracle.inside(oracle.edges(faces, epoch.cosines["identity"]))
    if "global" in epoch.cosines:
        every["global"] = oracle.edges(faces, epoch.cosines["global"], oracle.compared(faces, epoch.routing))
    cut = {scope: oracle.capped(pairs, most) for scope, pairs in every.items()}
    return {scope: pairs for scope, (pairs, _) in cut.items()}, sum(count for _, count in cut.values())


@pytest.fixture
def by_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few faces go to cells too, and much may change before a full join."""
    monkeypatch.setattr(full_join, "EXACT_BELOW", 0)
    monkeypatch.setattr(incremental_join, "MOST_CHANGED", 0.5)


@pytest.fixture
def newcomers(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """Whom increments compare with everybody, call by call."""
    seen: list[set[int]] = []

    def watched(rows: RoutedBlocks, fresh: list[dict[str, Any]], scope: str, rule: EdgeRule) -> Edges:
        seen.append({face for block in blocks_in(fresh) for face in block.ids.tolist()})
        return edges_with(rows, fresh, scope, rule)

    monkeypatch.setattr(incremental_join, "edges_with", watched)
    return seen


@pytest.mark.usefixtures("by_cells")
@pytest.mark.parametrize(("scope", "most", "seed"), [("both", 3, 1), ("global", 0, 2)])
def test_increments_are_one_full_join_in_the_epoch(
    spark: SparkSession, newcomers: list[set[int]], scope: str, most: int, seed: int
) -> None:
    """Faces come, go, come back and change their identity; with the cap, removals reopen capped faces."""
    rng = np.random.default_rng(seed)
    world = World(spark, oracle.crowd(45, 6, seed, DIMENSION))
    here, away = set(range(200)), set[int]()
    world.put(here)
    facts = world.link(scope=scope, max_neighbours=most)
    _check_full(world, facts, most)
    recall = facts["recall"]
    for out, back, new, renamed in ((8, 0, 20, 4), (12, 8, 0, 0), (3, 0, 5, 0))[: 2 + bool(most)]:
        gone = set(rng.choice(sorted(here), out, replace=False).tolist())
        fresh = set(rng.choice(sorted(set(range(270)) - here - away), new, replace=False).tolist())
        fresh |= set(sorted(away)[:back])
        here, away = here - gone | fresh, away - fresh | gone
        names = list(world.everybody.names)
        for row in rng.choice(sorted(here - fresh), renamed, replace=False).tolist():
            names[row] = f"once {names[row]}"
            fresh, gone = fresh | {row}, gone | {row}
        former = world.edges()
        world.put(here, names)
        newcomers.clear()
        facts = world.link(scope=scope, max_neighbours=most)
        edges, epoch = world.edges(), world.epoch()
        assert (epoch.name, facts["epoch"], facts["recall"]) == ("run-1", "run-1", recall)
        assert (facts["new"], facts["gone"], facts["edges"]) == (len(fresh), len(gone), sum(map(len, edges.values())))
        assert edges == joined(world.faces, epoch, most)[0]
        assert world.stored() == sorted(world.faces.ids.tolist())
        came, went = (set(world.everybody.ids[sorted(rows)].tolist()) for rows in (fresh, gone))
        assert newcomers == [came | _reopened(former, went, most)] * len(epoch.cosines)


def _check_full(world: World, facts: dict[str, Any], most: int) -> None:
    """The first join: edges, recall as it was before the cap, capped faces, candidates."""
    epoch, faces = world.epoch(), world.faces
    pairs = oracle.compared(faces, epoch.routing)
    edges, capped = joined(faces, epoch, most)
    assert world.edges() == edges
    assert facts["capped"] == (capped if most else None)
    assert facts["recall"] == pytest.approx(len(oracle.edges(faces, 0.6, pairs)) / len(oracle.edges(faces, 0.6)))
    assert facts["recall_low"] <= facts["recall"] <= facts["recall_high"]
    of_one = (
        np.equal.outer(faces.codes, faces.codes) & (faces.codes != 0)
        if "identity" in epoch.cosines
        else np.zeros_like(pairs)
    )
    assert facts["candidates"] == int(np.triu(pairs, 1).sum() + np.triu(of_one, 1).sum())


def _reopened(former: dict[str, oracle.Pairs], gone: set[int], most: int) -> set[int]:
    """Neighbours of who has gone that have so many edges that some may have been capped."""
    losing = {face for pairs in former.values() for pair in pairs if gone & set(pair) for face in pair} - gone
    crowded = set()
    for pairs in former.values():
        ends = [face for pair in pairs for face in pair]
        crowded |= {face for face in losing if ends.count(face) >= most}
    return crowded if most else set()


def test_a_collection_that_has_doubled_begins_an_epoch_and_a_large_change_is_joined_whole(
    spark: SparkSession,
) -> None:
    """All pairs are compared, so the edges are those of brute force, whoever begins the epoch."""
    world = World(spark, oracle.crowd(25, 6, 8, DIMENSION))

    def linked(count: int, **how: Any) -> tuple[str, bool]:
        world.put(range(count))
        facts = world.link(**how)
        assert facts["rows_in"] == count
        assert facts["recall"] == 1.0
        assert world.edges()["global"] == oracle.edges(world.faces, world.epoch().cosines["global"])
        assert world.stored() == sorted(world.faces.ids.tolist())
        return facts["epoch"], facts["new"] is not None

    assert linked(70) == ("run-1", False)
    assert linked(77) == ("run-1", True), "a tenth of 70 may have changed"
    assert linked(85) == ("run-1", False), "more is joined in full, in the same epoch"
    assert world.epoch().faces == 70
    assert linked(140) == ("run-4", False)
    assert linked(140, full=True) == ("run-5", False)
    world.become(replace(world.everybody, vectors=world.everybody.vectors[::-1].copy()))
    assert linked(140) == ("run-5", False), "other vectors under the same ids"


@pytest.mark.long
def test_going_back_to_a_configuration_goes_back_to_its_edges_and_on_in_its_epoch(spark: SparkSession) -> None:
    world = World(spark, oracle.crowd(12, 6, 9, DIMENSION))
    world.put(range(60))
    assert not world.link()["reused"]
    first = (world.at(), world.edges())
    facts = world.link(threshold_global=0.7, scope="both")
    assert (facts["reused"], facts["epoch"]) == (False, "run-2")
    assert world.edges() == joined(world.faces, world.epoch(), 0)[0]
    assert world.link()["reused"]
    assert (world.at(), world.edges()) == first
    assert world.link(force=True)["reused"], "to insist changes no edge"
    world.put(range(62))
    facts = world.link()
    assert (facts["epoch"], facts["new"]) == ("run-1", 2)
    assert world.edges() == joined(world.faces, world.epoch(), 0)[0]


def _narrow_first(monkeypatch: pytest.MonkeyPatch, *routings: tuple[int, float]) -> None:
    """Let settings be derived as they are, but the first of them be these."""
    left = list(routings)

    def first_narrow(pivots: Pivots, *rest: Any) -> tuple[Routing, Settings]:
        routing, expected = derived(pivots, *rest)
        return (Routing(pivots, *left.pop(0)) if left else routing), expected

    monkeypatch.setattr(full_join, "derived", first_narrow)


@pytest.mark.usefixtures("by_cells")
@pytest.mark.long
def test_a_second_pass_adds_what_the_first_missed_and_later_runs_go_on_with_its_probes(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(spark, oracle.crowd(40, 6, 4, DIMENSION))
    world.put(range(200))
    with monkeypatch.context() as patched:
        _narrow_first(patched, (1, 0.0))
        facts = world.link(scope="both", max_neighbours=4, threshold_global=0.5)
    epoch = world.epoch()
    narrow = replace(epoch, routing=Routing(epoch.routing.pivots, 1, 0.0))
    every = oracle.edges(world.faces, 0.5)
    assert facts["lsh_recall"] == pytest.approx(len(joined(world.faces, narrow, 0)[0]["global"]) / len(every))
    assert facts["recall"] == pytest.approx(len(joined(world.faces, epoch, 0)[0]["global"]) / len(every))
    assert facts["lsh_recall"] < 0.98 <= facts["recall"]
    assert facts["probes"] == epoch.routing.probes > 1
    assert facts["warnings"] == []
    edges, capped = joined(world.faces, epoch, 4)
    assert (world.edges(), facts["capped"]) == (edges, capped)
    world.put(range(5, 215))
    facts = world.link(scope="both", max_neighbours=4, threshold_global=0.5)
    assert (facts["epoch"], facts["new"], facts["gone"]) == ("run-1", 15, 5)
    assert world.edges() == joined(world.faces, epoch, 4)[0]
    monkeypatch.setattr(incremental_join, "MOST_CHANGED", 0.01)
    world.put(range(20, 240))
    facts = world.link(scope="both", max_neighbours=4, threshold_global=0.5)
    again = world.epoch()
    assert (facts["epoch"], facts["new"] is not None) == ("run-1", False)
    assert np.array_equal(np.asarray(again.routing.pivots), np.asarray(epoch.routing.pivots))
    assert world.edges() == joined(world.faces, again, 4)[0]


@pytest.mark.usefixtures("by_cells")
@pytest.mark.parametrize("second", [(1, 0.0), (2, 0.01)])
def test_a_recall_that_stays_short_is_said_honestly(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, second: tuple[int, float]
) -> None:
    """A second pass that is no wider is none."""
    world = World(spark, oracle.crowd(40, 5, 4, DIMENSION))
    world.put(range(150))
    _narrow_first(monkeypatch, (1, 0.0), second)
    facts = world.link()
    assert world.edges() == joined(world.faces, world.epoch(), 0)[0]
    assert (facts["lsh_recall"] is None) == (second == (1, 0.0))
    assert facts["recall"] == pytest.approx(len(world.edges()["global"]) / len(oracle.edges(world.faces, 0.6)))
    (warning,) = facts["warnings"]
    assert f"recall {facts['recall']:.4f} is below link.recall = 0.98" in warning


def test_a_crash_between_the_two_commits_is_made_good(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of edges and epoch one is the dead run's: nothing is added to such a pair."""
    world = World(spark, oracle.crowd(15, 6, 5, DIMENSION))
    world.put(range(70))
    world.link()
    world.put(range(74))
    seal = Change.seal

    def crash(**how: Any) -> None:
        before, done = world.at(), list[Change]()

        def dying(change: Change) -> None:
            if done:
                raise KeyboardInterrupt
            done.append(change)
            seal(change)

        with monkeypatch.context() as patched:
            patched.setattr(Change, "seal", dying)
            with pytest.raises(KeyboardInterrupt):
                world.link(**how)
        assert len(before.items() - world.at().items()) == 1

    crash()
    facts = world.link()
    assert (facts["reused"], facts["epoch"]) == (False, "run-3")
    assert world.edges()["global"] == oracle.edges(world.faces, 0.6)
    crash(full=True)
    assert world.link()["reused"], "the edges are whole, and an epoch bears the same key"
    world.put(range(75))
    assert world.link()["epoch"] == "run-6"
    assert world.edges()["global"] == oracle.edges(world.faces, 0.6)


def test_a_threshold_that_would_run_people_together_is_refused_and_moves_nothing(spark: SparkSession) -> None:
    world = World(spark, oracle.crowd(12, 6, 9, DIMENSION))
    world.put(range(60))
    world.link()
    before = (world.at(), world.edges())
    with pytest.raises(Refused, match=r"link\.threshold_global = 0\.2 .* link\.force = true"):
        world.link(threshold_global=0.2)
    assert (world.at(), world.edges()) == before
    facts = world.link(threshold_global=0.2, force=True)
    assert "counted as link.min_n = 1,000" in facts["warnings"][0]
    assert facts["false_matches"]["forecast"] == pytest.approx(133, abs=1)
    assert world.edges()["global"] == oracle.edges(world.faces, 0.2)


@pytest.mark.parametrize("grown", [False, True])
def test_bad_input_is_named_and_moves_nothing(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, grown: bool
) -> None:
    """In a full join, and where it comes with an increment."""
    good = oracle.crowd(12, 6, 9, DIMENSION)
    spoilt = good.vectors.copy()
    spoilt[61], spoilt[62] = 0, np.nan
    twice = np.where(np.arange(72) == 61, good.ids[3], good.ids)
    world = World(spark, good)
    before = None
    if grown:
        world.put(range(60))
        world.link()
        before = world.at()
        monkeypatch.setattr(step, "_joined", None)
    world.everybody = replace(good, vectors=spoilt)
    world.put(range(64))
    with pytest.raises(
        ContractError, match=rf"embeddings\.vector: 2 of {4 if grown else 64} faces are without a vector, or"
    ):
        world.link()
    if grown:
        world.everybody = replace(good, ids=twice)
    else:
        world.become(replace(good, ids=twice))
    world.put(range(62))
    with pytest.raises(ContractError, match=r"embeddings\.face_id: 1 ids come more than once"):
        world.link()
    assert before is None or world.at() == before


def test_nobody_at_first_and_then_a_few(spark: SparkSession) -> None:
    world = World(spark, oracle.crowd(12, 6, 9, DIMENSION))
    for count in (0, 12):
        world.put(range(count))
        facts = world.link(scope="both", max_neighbours=3)
        assert (facts["rows_in"], facts["recall"]) == (count, None)
        assert world.edges() == joined(world.faces, world.epoch(), 3)[0]


@pytest.mark.usefixtures("by_cells")
def test_copies_of_one_face_all_have_each_other_or_their_fill(spark: SparkSession) -> None:
    count = 2_000
    ids = np.arange(count) * 7 - 5_000
    face = np.random.default_rng(0).normal(size=DIMENSION).astype(np.float32)
    world = World(spark, oracle.Crowd(ids, [None] * count, np.tile(face, (count, 1))))
    world.put(range(count))
    facts = world.link()
    pairs = count * (count - 1) // 2
    assert (facts["edges"], facts["candidates"], facts["recall"]) == (pairs, pairs, 1.0)
    facts = world.link(max_neighbours=5)
    assert (facts["capped"], facts["recall"]) == (count, 1.0)
    assert facts["edges"] == 5 * count - 15
    strongest = {(int(ids[low]), int(ids[high])) for low in range(5) for high in range(low + 1, count)}
    assert world.edges()["global"].keys() == strongest


def test_a_person_of_several_hundred_images_is_compared_by_several_tasks(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cells, layout_stage):
        monkeypatch.setattr(module, "MOST_RESIDENTS", 50)
    monkeypatch.setattr(layout_stage, "_FEWEST_FACES", 64)
    monkeypatch.setattr(layout_stage, "MOST_FACES", 200)
    crowd = oracle.crowd(300, 2, 3, DIMENSION)
    names = ["everybody"] * 400 + [None] * 50 + crowd.names[450:]
    world = World(spark, replace(crowd, names=names))
    world.put(range(600))
    facts = world.link(scope="both", threshold_identity=0.3, max_neighbours=0)
    assert facts["cells"] == 13 + 9 + len(set(names[450:]) - {None})
    assert facts["candidates"] >= 600 * 599 // 2 + 400 * 399 // 2
    assert world.edges() == joined(world.faces, world.epoch(), 0)[0]
