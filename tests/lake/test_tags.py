"""Which tags are own, which of them stay, and that others' are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.lake.tags import Tags, tag_of

RUNS = st.sampled_from(["a", "b", "c", "d"])
HISTORY = st.lists(st.tuples(RUNS, st.integers(1, 9)), max_size=12)


def _after(history: list[tuple[str, int]], keep: int, others: frozenset[str] = frozenset()) -> Tags:
    tags = Tags({}, others)
    for run, snapshot in history:
        tags = tags.published(run, snapshot, keep)
    return tags


def test_own_tags_are_those_that_are_noted_and_stand_where_they_were_set() -> None:
    note = Tags({"run-a": 1, "run-b": 2, "run-gone": 3}).note()
    tags = Tags.of({"main": 9, "run-a": 1, "run-b": 7, "run-of-june": 4}, note)
    assert tags == Tags({"run-a": 1}, frozenset({"main", "run-b", "run-of-june"}))
    assert Tags.of({"main": 9}, None) == Tags({}, frozenset({"main"}))


@pytest.mark.parametrize("note", ["oops", "", "[1]", "null", "3", '"run-a"', '{"run-a": "x"}', '{"run-a": null}', "{"])
def test_a_note_that_somebody_has_written_over_notes_no_tag(note: str) -> None:
    assert Tags.of({"main": 9, "run-a": 1}, note) == Tags({}, frozenset({"main", "run-a"}))


def test_the_newest_tags_stay() -> None:
    tags = _after([("a", 1), ("b", 2), ("c", 2)], keep=2)
    assert list(tags.own.items()) == [("run-b", 2), ("run-c", 2)]
    assert (tags.at(2), tags.at(1)) == ("run-c", None)
    assert list(tags.published("b", 5, 2).own.items()) == [("run-c", 2), ("run-b", 5)], "a run that is resumed"
    assert tags.published("d", 5, 0).own == {}
    assert tags.newest(1).own == {"run-c": 2}
    assert tags.without("c").own == {"run-b": 2}


@given(HISTORY, st.integers(0, 4), st.frozensets(RUNS.map(tag_of), max_size=2))
def test_laws_of_tags(history: list[tuple[str, int]], keep: int, others: frozenset[str]) -> None:
    tags = _after(history, keep, others)
    assert len(tags.own) <= keep
    assert not set(tags.own) & others, "what somebody else has set is never an own tag"
    assert Tags.of(tags.own | dict.fromkeys(others, 0), tags.note()) == tags
    assert list(Tags.of(tags.own, tags.note()).own) == list(tags.own), "the note keeps the order"
    if history and keep and tag_of(history[-1][0]) not in others:
        assert tags.at(history[-1][1]) == tag_of(history[-1][0]), "who published last is never without a tag"
