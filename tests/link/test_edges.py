"""Edges against brute force: first the stage's halves by themselves, shuffled by hand, then on Spark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast
from unittest import mock

import numpy as np
import oracle
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.accumulators import Accumulator
from pyspark.sql import SparkSession

from facesieve.faces.blocks import Faces, ListedFaces, batch_of, face_blocks
from facesieve.faces.vectors import short_unit
from facesieve.link import edges as stage
from facesieve.link import layout as layout_stage
from facesieve.link import routing as routing_stage
from facesieve.link.edges import Plan, Tally, edges, partition_keys
from facesieve.link.kernels import block_pairs, cells
from facesieve.link.kernels.block_pairs import EdgeRule
from facesieve.link.kernels.cells import Cut, Layout
from facesieve.link.kernels.voronoi import NO_MARGIN, route
from facesieve.link.layout import global_layout, identity_layout
from facesieve.link.routing import ONE_CELL, Routing, routed

LINK = 0.6
ALL = EdgeRule(LINK, 0, np.zeros(0, np.int64))
NARROW, WIDE = (2, 0.15), (4, 0.4)


def pivots(faces: oracle.Crowd, count: int, seed: int = 0) -> np.ndarray:
    chosen = np.random.default_rng(seed).permutation(len(faces.ids))[:count]
    return short_unit(faces.halves[chosen])


def counted(matrix: np.ndarray) -> int:
    return int(np.triu(matrix, 1).sum())


# --- the stage's halves, shuffled by hand


class Counts(dict[int, tuple[int, int]]):
    """A tally outside Spark."""

    def add(self, term: dict[int, tuple[int, int]]) -> None:
        self.update(term)


def blocks_of(faces: oracle.Crowd, sizes: int) -> list[pa.RecordBatch]:
    codes = faces.codes
    parts = [slice(start, start + sizes) for start in range(0, len(faces.ids), sizes)]
    return [batch_of(ids=[faces.ids[at]], codes=[codes[at]], vectors=[faces.halves[at]]) for at in parts]


def sent(faces: oracle.Crowd, routing: Routing, plan: Plan, block: int) -> pa.Table:
    rows = routing_stage._route(routing)(blocks_of(faces, block))
    return pa.Table.from_batches(list(stage._send(plan)(rows)))


def by_hand(faces: oracle.Crowd, routing: Routing, plan: Plan, block: int) -> tuple[oracle.Pairs, Counts]:
    """Route and send blocks of faces, give each partition its rows, and compare."""
    shuffled, tally, pairs = sent(faces, routing, plan, block), Counts(), list[dict[str, Any]]()
    accumulator = cast(Accumulator[dict[int, tuple[int, int]]], tally)
    for key in set(shuffled["part"].to_pylist()):
        mine = shuffled.filter(pa.compute.equal(shuffled["part"], key)).to_batches(max_chunksize=1)
        with mock.patch.object(stage, "PAIRS_A_BATCH", 4):
            pairs += [row for batch in stage._compare(plan, accumulator)(mine) for row in batch.to_pylist()]
    by_pair = {(row["src"], row["dst"]): (row["cosine"], row["same_identity"]) for row in pairs}
    assert len(by_pair) == len(pairs), "a pair came twice"
    return by_pair, tally


Join = tuple[oracle.Crowd, Routing, Routing, Layout]


@st.composite
def joins(draw: st.DrawFn) -> Join:
    """Faces, a routing and a narrower one, and a layout of its cells."""
    faces = oracle.crowd(draw(st.integers(8, 14)), draw(st.integers(2, 6)), draw(st.integers(0, 99)), dimension=8)
    count, parts = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    narrow = Routing(pivots(faces, count, draw(st.integers(0, 9))), min(2, count), draw(st.sampled_from([0.0, 0.2])))
    wide = replace(
        narrow, probes=draw(st.integers(narrow.probes, count)), margin=draw(st.sampled_from([0.2, NO_MARGIN]))
    )
    base = np.array(draw(st.lists(st.integers(0, parts - 1), min_size=count, max_size=count)), np.int64)
    pieces = np.array(draw(st.lists(st.sampled_from([1, 1, 3, 5]), min_size=count, max_size=count)), np.int64)
    return faces, narrow, wide, Layout(parts, Cut(np.arange(count), pieces), base)


@settings(max_examples=60, deadline=None)
@given(joins(), st.sampled_from([1, 7, 1_000]))
def test_the_candidates_meet_once_wherever_cells_are_and_however_they_are_cut(join: Join, block: int) -> None:
    faces, narrow, wide, layout = join
    plan = Plan("global", ALL, layout, np.arange(layout.parts) * 10)
    pairs, tally = by_hand(faces, narrow, plan, block)
    assert pairs == oracle.edges(faces, LINK, oracle.compared(faces, narrow))
    assert sum(candidates for _, candidates in tally.values()) == counted(oracle.compared(faces, narrow))
    second, _ = by_hand(faces, wide, replace(plan, earlier=narrow), block)
    assert second.keys().isdisjoint(pairs)
    assert pairs | second == oracle.edges(faces, LINK, oracle.compared(faces, wide))


@settings(max_examples=30, deadline=None)
@given(joins(), st.integers(1, 4), st.sampled_from([5, block_pairs.PAIRS_AT_A_TIME]))
def test_with_a_cap_nothing_that_it_would_keep_is_missing_and_who_is_capped_still_shows(
    join: Join, most: int, at_a_time: int
) -> None:
    faces, _, wide, layout = join
    whole = np.sort(faces.ids[::5])
    plan = Plan("global", EdgeRule(LINK, most, whole), layout, np.arange(layout.parts))
    with mock.patch.object(block_pairs, "PAIRS_AT_A_TIME", at_a_time):
        pairs, _ = by_hand(faces, wide, plan, 20)
    every = oracle.edges(faces, LINK, oracle.compared(faces, wide))
    assert pairs.items() <= every.items()
    assert oracle.capped(pairs, most) == oracle.capped(every, most)
    exempt = set(whole.tolist())
    assert {pair for pair in every if exempt & set(pair)} <= pairs.keys()


@settings(max_examples=30, deadline=None)
@given(joins(), st.sampled_from([1, 3]))
def test_inside_identities_whatever_their_cells(join: Join, pieces: int) -> None:
    faces, _, wide, layout = join
    sizes = np.unique(faces.codes)
    cut = replace(layout, base=None, cut=Cut(sizes, np.full(len(sizes), pieces)))
    pairs, tally = by_hand(faces, wide, Plan("identity", ALL, cut, np.arange(layout.parts)), 30)
    assert pairs == oracle.inside(oracle.edges(faces, LINK))
    of_one = np.equal.outer(faces.codes, faces.codes) & (faces.codes != 0)
    assert sum(candidates for _, candidates in tally.values()) == counted(of_one)


@pytest.mark.parametrize("cut", [1, 5])
def test_a_face_travels_once_to_each_partition_in_which_it_is_compared(cut: int) -> None:
    """Twelve cells over three partitions; cell 4, cut or not."""
    faces = oracle.crowd(40, 6, seed=2)
    centres = pivots(faces, 12)
    routing = Routing(centres, 6, 0.25)
    layout = Layout(3, Cut(np.array([4]), np.array([cut])), np.arange(12) % 3)
    table = sent(faces, routing, Plan("global", ALL, layout, np.array([70, 80, 90])), 50)
    rows = table.select(["part", "faces", "ids"]).to_pylist()
    travelled = [(row["part"], face) for row in rows for face in np.frombuffer(row["ids"], np.int64).tolist()]
    assert sum(row["faces"] for row in rows) == len(travelled) == len(set(travelled))
    lists = route(faces.halves, centres, routing.probes, routing.margin).tolist()
    assigned = [
        (cell, face) for face, cells in zip(faces.ids.tolist(), lists, strict=True) for cell in cells if cell >= 0
    ]
    needed = {(70 + 10 * (cell % 3), face) for cell, face in assigned}
    assert len(needed) < len(assigned)
    if cut == 1:
        assert set(travelled) == needed
    assert {pair for pair in needed if pair[1] not in {face for cell, face in assigned if cell == 4}} <= set(travelled)


# --- on Spark


@pytest.fixture(scope="module")
def people() -> oracle.Crowd:
    return oracle.crowd(50, 6, seed=3)


def joined(
    frame: ListedFaces, scope: str, routing: Routing, layout: Layout, earlier: Routing | None = None
) -> tuple[oracle.Pairs, tuple[int, int]]:
    """Join on Spark; return the edges, and the numbers of sub-cells and of candidates."""
    spark = frame.sparkSession
    tally = spark.sparkContext.accumulator({}, Tally())
    plan = Plan(scope, ALL, layout, partition_keys(layout.parts), earlier)
    pairs = oracle.collected(edges(routed(face_blocks(frame), routing), plan, tally))
    cells, candidates = (int(value) for value in np.sum(list(tally.value.values()) or [(0, 0)], axis=0))
    return pairs, (cells, candidates)


def test_partition_keys_go_where_they_should(spark: SparkSession) -> None:
    keys = partition_keys(5)
    rows = spark.createDataFrame([(int(key),) for key in keys], "part bigint").repartition(5, "part")
    arrived = rows.selectExpr("part", "spark_partition_id() at").orderBy("at").collect()
    assert [row.part for row in arrived] == keys.tolist()


@pytest.mark.parametrize("scope", ["global", "identity"])
def test_equals_brute_force_in_any_order_partitioning_and_execution(
    spark: SparkSession, people: oracle.Crowd, scope: str
) -> None:
    """Voronoi cells, or identities, some cut into pieces; ANSI mode is on."""
    centres = pivots(people, 15)
    routing = Routing(centres, *WIDE)
    layout = Layout(4, Cut(np.array([3, 8]), np.array([3, 5])), np.arange(15) % 4)
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    results, tallies = [], []
    try:
        for partitions, adaptive in ((1, "true"), (5, "false")):
            spark.conf.set("spark.sql.adaptive.enabled", adaptive)
            rows = oracle.frame(spark, people, partitions, seed=partitions)
            lay = layout if scope == "global" else identity_layout(rows, 3)
            pairs, tally = joined(rows, scope, routing, lay)
            results.append(pairs)
            tallies.append(tally)
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", "true")
    every = oracle.compared(people, routing)
    truth = oracle.edges(people, LINK, every) if scope == "global" else oracle.inside(oracle.edges(people, LINK))
    assert len(truth) > 300
    assert results == [truth, truth]
    if scope == "global":
        homes = np.unique(route(people.halves, centres, *WIDE)[:, 0])
        assert tallies[0] == tallies[1] == (len(homes) + 2 + 4, counted(every))
    else:
        names = [name for name in people.names if name]
        same = sum(names.count(name) * (names.count(name) - 1) // 2 for name in set(names))
        assert tallies[0] == tallies[1] == (len(set(names)), same)


def test_all_pairs_in_one_cell_cut_into_pieces(
    spark: SparkSession, people: oracle.Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_stage, "MOST_RESIDENTS", 70)
    layout = global_layout(ONE_CELL, Faces(people.ids, people.codes, people.halves), len(people.ids), 2)
    assert (layout.parts, layout.cut.pieces.tolist()) == (5, [5])
    pairs, tally = joined(oracle.frame(spark, people), "global", ONE_CELL, layout)
    assert pairs == oracle.edges(people, LINK)
    assert tally == (5, len(people.ids) * (len(people.ids) - 1) // 2)


def test_a_second_pass_adds_the_missing_pairs_and_no_others(
    spark: SparkSession, people: oracle.Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells are cut as the layout cuts them, from a sample that is wrong by half."""
    monkeypatch.setattr(cells, "MOST_RESIDENTS", 20)
    narrow, wide = (Routing(pivots(people, 15), *probes) for probes in (NARROW, WIDE))
    sample = Faces(people.ids[::2], people.codes[::2], people.halves[::2])
    layout = global_layout(wide, sample, len(people.ids), 2)
    assert len(layout.cut.cells) > 2
    frame = oracle.frame(spark, people)
    first, _ = joined(frame, "global", narrow, layout)
    second, _ = joined(frame, "global", wide, layout, earlier=narrow)
    assert first == oracle.edges(people, LINK, oracle.compared(people, narrow))
    assert second.keys().isdisjoint(first)
    assert len(second) > 10
    assert first | second == oracle.edges(people, LINK, oracle.compared(people, wide))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_faces(spark: SparkSession, count: int) -> None:
    few = oracle.Crowd(np.arange(count), ["Ann"] * count, np.full((count, 4), 0.5, np.float32))
    frame = oracle.frame(spark, few, 1)
    one_cell = global_layout(ONE_CELL, Faces(few.ids, few.codes, few.halves), count, 2)
    for scope, layout in (("global", one_cell), ("identity", identity_layout(frame, 2))):
        pairs, _ = joined(frame, scope, ONE_CELL, layout)
        assert pairs == ({(0, 1): (1.0, True)} if count == 2 else {})
