"""What changed, and the pairs that it brings, against brute force over all faces."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import numpy as np
import oracle
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import Row, SparkSession

from facesieve.core.errors import ContractError
from facesieve.faces.blocks import batch_of, blocks_in, face_blocks
from facesieve.faces.vectors import short_unit
from facesieve.link import delta as stage
from facesieve.link import routing as routing_stage
from facesieve.link.delta import delta, edges_with, only, without
from facesieve.link.kernels.block_pairs import EdgeRule
from facesieve.link.kernels.cells import Flags
from facesieve.link.kernels.voronoi import NO_MARGIN
from facesieve.link.routing import RoutedBlocks, Routing, routed

LINK = 0.6
NOBODY = np.zeros(0, np.int64)


def routing_of(faces: oracle.Crowd, count: int, probes: int, margin: float) -> Routing:
    return Routing(short_unit(faces.halves[:count]), min(probes, count), margin)


def with_an_end_in(pairs: oracle.Pairs, ids: np.ndarray) -> oracle.Pairs:
    among = set(ids.tolist())
    return {pair: edge for pair, edge in pairs.items() if among & set(pair)}


# --- the comparison by itself


def rows_of(faces: oracle.Crowd, routing: Routing, size: int) -> list[pa.RecordBatch]:
    codes = faces.codes
    parts = [slice(start, start + size) for start in range(0, len(faces.ids), size)]
    blocks = [batch_of(ids=[faces.ids[at]], codes=[codes[at]], vectors=[faces.halves[at]]) for at in parts]
    return list(routing_stage._route(routing)(blocks))


Changed = tuple[oracle.Crowd, Routing, Flags]


@st.composite
def collections(draw: st.DrawFn) -> Changed:
    """Faces, a routing, and which faces are new."""
    faces = oracle.crowd(draw(st.integers(8, 14)), draw(st.integers(2, 6)), draw(st.integers(0, 99)), dimension=8)
    routing = routing_of(
        faces, draw(st.integers(1, 9)), draw(st.integers(1, 5)), draw(st.sampled_from([0.2, NO_MARGIN]))
    )
    fresh = np.random.default_rng(draw(st.integers(0, 99))).random(len(faces.ids)) < draw(
        st.sampled_from([0.05, 0.3, 1])
    )
    return faces, routing, fresh


@settings(max_examples=80, deadline=None)
@given(
    collections(), st.sampled_from(["global", "identity"]), st.sampled_from([0, 1, 3]), st.sampled_from([3, 17, 1_000])
)
def test_a_newcomer_meets_all_its_candidates_once_and_old_faces_are_left_alone(
    changed: Changed, scope: str, most: int, block: int
) -> None:
    faces, routing, fresh = changed
    newcomers = [row for batch in rows_of(faces.take(np.flatnonzero(fresh)), routing, 5) for row in batch.to_pylist()]
    with mock.patch.object(stage, "_BLOCK_FACES", block), mock.patch.object(stage, "PAIRS_A_BATCH", 4):
        compare = stage._compare(newcomers, scope, EdgeRule(LINK, most, NOBODY))
        rows = [row for batch in compare(rows_of(faces, routing, 8)) for row in batch.to_pylist()]
    pairs = {(row["src"], row["dst"]): (row["cosine"], row["same_identity"]) for row in rows}
    assert len(pairs) == len(rows), "a pair came twice"
    every = oracle.edges(faces, LINK, oracle.compared(faces, routing))
    every = oracle.inside(oracle.edges(faces, LINK)) if scope == "identity" else every
    new = with_an_end_in(every, faces.ids[fresh])
    assert pairs.items() <= new.items()
    if not most:
        assert pairs == new
    old, _ = oracle.capped({pair: edge for pair, edge in every.items() if pair not in new}, most)
    assert oracle.capped(old | pairs, most)[0] == oracle.capped(every, most)[0]


# --- on Spark


@pytest.fixture(scope="module")
def faces() -> oracle.Crowd:
    return oracle.crowd(40, 5, seed=6)


@pytest.fixture(scope="module")
def stored(spark: SparkSession, faces: oracle.Crowd) -> Iterator[RoutedBlocks]:
    """All faces but the last twenty, routed."""
    rows = routed(face_blocks(oracle.frame(spark, faces.take(np.arange(180)))), routing_of(faces, 12, 3, 0.3)).cache()
    yield RoutedBlocks(rows)
    rows.unpersist()


def ids_in(frame: RoutedBlocks) -> list[int]:
    return sorted(face for block in blocks_in(frame.collect()) for face in block.ids.tolist())


def test_nothing_has_changed(spark: SparkSession, faces: oracle.Crowd, stored: RoutedBlocks) -> None:
    unchanged = delta(oracle.frame(spark, faces.take(np.arange(180)), 3, seed=9), stored, 0)
    assert unchanged is not None
    assert (len(unchanged.fresh), len(unchanged.gone)) == (0, 0)


def test_faces_that_came_went_or_changed_identity(
    spark: SparkSession, faces: oracle.Crowd, stored: RoutedBlocks
) -> None:
    """Rows 0 to 9 are gone, 180 to 199 new; of 30, 31 and 32 one gets, one loses and one changes its identity."""
    names = list(faces.names)
    assert names[30] is None
    names[30:33] = ["named now", None, "somebody quite else"]
    now = oracle.Crowd(faces.ids, names, faces.vectors).take(np.arange(10, 200))
    difference = delta(oracle.frame(spark, now), stored, 33)
    assert difference is not None
    changed = faces.ids[30:33].tolist()
    assert difference.fresh.tolist() == sorted([*changed, *faces.ids[180:].tolist()])
    assert difference.gone.tolist() == sorted([*changed, *faces.ids[:10].tolist()])
    assert delta(oracle.frame(spark, now), stored, 32) is None


def test_ids_that_come_twice_are_refused_new_or_known(
    spark: SparkSession, faces: oracle.Crowd, stored: RoutedBlocks
) -> None:
    now = oracle.frame(spark, faces.take(np.array([*range(181), 180, 7, 7])))
    with pytest.raises(ContractError, match=r"^embeddings\.face_id: 2 ids come more than once$"):
        delta(now, stored, 5)


def test_rows_without_faces_and_of_faces(faces: oracle.Crowd, stored: RoutedBlocks) -> None:
    """What stays keeps its identity, cells and vector, and whoever is asked for and not there is not added."""
    some = np.sort(np.append(faces.ids[40:60], faces.ids[190]))
    assert ids_in(without(stored, some)) == sorted(set(faces.ids[:180].tolist()) - set(some.tolist()))
    assert ids_in(without(stored, NOBODY)) == sorted(faces.ids[:180].tolist())
    assert ids_in(only(stored, some)) == sorted(faces.ids[40:60].tolist())
    assert ids_in(only(stored, NOBODY)) == []
    whole = {face: columns for row in stored.collect() for face, columns in _by_face(row).items()}
    for part in (without(stored, some), only(stored, some)):
        assert part.columns == stored.columns
        for row in part.collect():
            assert _by_face(row).items() <= whole.items()


def _by_face(row: Row) -> dict[int, tuple[bytes, ...]]:
    columns = [np.frombuffer(row[name], np.uint8).reshape(row.faces, -1) for name in ("codes", "probes", "vectors")]
    content = (tuple(column[at].tobytes() for column in columns) for at in range(row.faces))
    return dict(zip(np.frombuffer(row.ids, np.int64).tolist(), content, strict=True))


@pytest.mark.parametrize("scope", ["global", "identity"])
def test_edges_with_newcomers_on_spark(
    spark: SparkSession, faces: oracle.Crowd, stored: RoutedBlocks, scope: str
) -> None:
    routing = routing_of(faces, 12, 3, 0.3)
    fresh = routed(face_blocks(oracle.frame(spark, faces.take(np.arange(180, 200)), 3)), routing)
    newcomers = [row.asDict() for row in fresh.collect()]
    new = edges_with(RoutedBlocks(stored.union(fresh)), newcomers, scope, EdgeRule(LINK, 0, NOBODY))
    every = oracle.edges(faces, LINK, oracle.compared(faces, routing))
    every = oracle.inside(oracle.edges(faces, LINK)) if scope == "identity" else every
    assert {row.scope for row in new.select("scope").distinct().collect()} == {scope}
    assert oracle.collected(new) == with_an_end_in(every, faces.ids[180:])


def test_without_newcomers_there_is_nothing_to_find(stored: RoutedBlocks) -> None:
    assert edges_with(stored, [], "global", EdgeRule(LINK, 0, NOBODY)).count() == 0
