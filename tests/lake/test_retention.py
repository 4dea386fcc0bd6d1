"""Which snapshots stay: each of the needs alone, and that nothing else stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from facesieve.lake.iceberg import Commit
from facesieve.lake.ledger import Entry
from facesieve.lake.retention import History, Retention, running

NOW = datetime(2026, 11, 29, 6, 0, tzinfo=UTC)
OLDEST = NOW - timedelta(days=30)
OLD, YOUNG = NOW - timedelta(days=31), NOW - timedelta(days=29)


def commit(id: int, *, made_of: Mapping[str, int] | None = None, at: datetime = OLD, **values: int) -> Commit:
    """Return a snapshot; its parent is the one before, and 1 is the first, empty one."""
    stamp = {"facesieve.key": f"k{id}", "facesieve.inputs": json.dumps(made_of or {})} if id > 1 else {}
    parent = values.get("parent", id - 1)
    return Commit(
        id, {"operation": "append"}, parent or None, values.get("origin", id), stamp, int(at.timestamp() * 1e3)
    )


def line(length: int, *heads: int, at: datetime = OLD) -> History:
    """Return so many snapshots, each the child of the one before."""
    return History([commit(id, at=at) for id in range(1, length + 1)], frozenset(heads or (length,)))


def run(name: str, before: Mapping[str, int], after: Mapping[str, int], ended: datetime, status: str = "done") -> Entry:
    return Entry(name, status, ended - timedelta(hours=1), ended, before, after)


def left(histories: Mapping[str, History], *entries: Entry) -> dict[str, list[int]]:
    """Return what stays."""
    going = Retention(OLDEST, entries).expirable(histories)
    return {
        name: [each.id for each in history.commits if each.id not in going[name]] for name, history in histories.items()
    }


def test_the_first_and_the_current_version_stay_and_the_rest_goes() -> None:
    assert left({"votes": line(6)}) == {"votes": [1, 6]}


def test_what_a_branch_or_a_tag_stands_at_stays() -> None:
    assert left({"votes": line(6, 6, 3)}) == {"votes": [1, 3, 6]}


def test_the_current_version_stays_in_the_files_that_a_run_may_be_reading() -> None:
    rewritten = History([*line(3).commits, commit(4, origin=3), commit(5, origin=3)], frozenset({5}))
    assert left({"votes": rewritten}) == {"votes": [1, 3, 4, 5]}


def test_snapshots_of_the_last_days_stay() -> None:
    assert left({"votes": line(4, at=YOUNG)}) == {"votes": [1, 2, 3, 4]}


def test_the_newest_done_run_can_be_read_and_undone_however_old() -> None:
    runs = run("a", {"votes": 2}, {"votes": 3}, OLD - timedelta(days=2)), run("b", {"votes": 4}, {"votes": 5}, OLD)
    assert left({"votes": line(7)}, *runs) == {"votes": [1, 4, 5, 7]}
    failed = run("c", {"votes": 6}, {"votes": 6}, OLD + timedelta(hours=2), "failed")
    assert left({"votes": line(7)}, *runs, failed) == {"votes": [1, 4, 5, 7]}


def test_what_recent_runs_found_and_left_stays_however_old_it_is() -> None:
    recent = run("a", {"votes": 2}, {"votes": 4}, YOUNG), run("b", {"votes": 4}, {"votes": 5}, YOUNG, "interrupted")
    assert left({"votes": line(7)}, *recent) == {"votes": [1, 2, 4, 5, 7]}


def test_what_edges_were_made_from_stays_with_all_that_was_added_since() -> None:
    edges = History([commit(1), commit(2, made_of={"embeddings": 3, "listing": 2})], frozenset({2}))
    everything = {"edges": edges, "embeddings": line(6), "listing": line(5)}
    assert left(everything) == {"edges": [1, 2], "embeddings": [1, 3, 4, 5, 6], "listing": [1, 5]}


def test_a_version_in_other_files_stands_for_it() -> None:
    rewritten = History([*line(3).commits, commit(4, origin=3)], frozenset({4}))
    edges = History([commit(1), commit(2, made_of={"embeddings": 3})], frozenset({2}))
    assert left({"edges": edges, "embeddings": rewritten})["embeddings"] == [1, 3, 4]
    gone = History([commit(1), commit(4, origin=3, parent=3), commit(5)], frozenset({5}))
    assert left({"edges": edges, "embeddings": gone})["embeddings"] == [1, 4, 5]


def test_the_parent_of_a_rewrite_that_says_nothing_of_itself_stays() -> None:
    silent = Commit(4, {"operation": "replace"}, 3, 3, {"facesieve.key": "k3"}, int(OLD.timestamp() * 1e3))
    assert left({"votes": History([*line(3).commits, silent], frozenset({4}))}) == {"votes": [1, 3, 4]}


@given(st.data())
def test_whatever_is_needed_stays_and_going_twice_is_going_once(data: st.DataObject) -> None:
    ids = st.integers(1, 9)
    moved = st.dictionaries(st.sampled_from(["edges", "embeddings"]), ids, max_size=2)
    runs = [
        run(f"r{number}", data.draw(moved), data.draw(moved), OLDEST + timedelta(days=days), status)
        for number, (days, status) in enumerate(
            data.draw(st.lists(st.tuples(st.integers(-9, 9), st.sampled_from(["done", "failed", "undone"]))))
        )
    ]
    edges = [commit(id, made_of={"embeddings": data.draw(ids)}) for id in range(1, 10)]
    histories = {"edges": History(edges, frozenset({data.draw(ids)})), "embeddings": line(9, data.draw(ids))}
    stays = left(histories, *runs)
    for name, history in histories.items():
        assert history.heads <= set(stays[name])
        for entry in runs:
            if entry.last >= OLDEST:
                assert {at[name] for at in (entry.before, entry.after) if name in at} <= set(stays[name])
    fewer = {
        name: History([each for each in history.commits if each.id in stays[name]], history.heads)
        for name, history in histories.items()
    }
    assert left(fewer, *runs) == stays


def test_a_run_is_at_work_until_it_is_too_old_or_a_later_one_is_done() -> None:
    def started(name: str, hours: int) -> Entry:
        return Entry(name, "started", NOW - timedelta(hours=hours), None, {}, {})

    day = timedelta(hours=24)
    assert running([started("a", 2), started("b", 23), started("c", 25)], NOW, day) == [
        started("a", 2),
        started("b", 23),
    ]
    done = run("d", {}, {}, NOW - timedelta(hours=3))
    assert running([started("a", 2), started("b", 23), done], NOW, day) == [started("a", 2)]
    assert running([run("d", {}, {}, NOW, "failed"), done], NOW, day) == []
