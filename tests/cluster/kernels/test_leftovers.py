"""Leftovers that are held in one place: who is asked, and in which order."""

from __future__ import annotations

import numpy as np
import pytest

from facesieve.cluster.kernels import leftovers as kernel
from facesieve.cluster.kernels.leftovers import Compared, FacesHere, decided, leftovers_and_null
from facesieve.faces.vectors import medoid


def nothing(_: np.ndarray) -> np.ndarray:
    return np.zeros((0, 2), np.int64)


def crowd(people: int, leftovers: int, seed: int = 3) -> tuple[FacesHere, dict[int, int]]:
    """People of 14 faces, and single faces that are like one of them; the person of each leftover."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 32))
    blocks = [centre + 0.5 * rng.normal(size=(14, 32)) for centre in centres]
    blocks += [centres[at % people] + 0.7 * rng.normal(size=(1, 32)) for at in range(leftovers)]
    vectors = np.concatenate(blocks).astype(np.float32)
    sizes = [len(block) for block in blocks]
    first = np.cumsum(np.array(sizes, np.int64)) - sizes
    clusters, ids = np.repeat(first, sizes), np.arange(len(vectors))
    medoids = np.zeros(len(ids), np.bool_)
    for start, size in zip(first, sizes, strict=True):
        medoids[start + medoid(ids[start : start + size], vectors[start : start + size])] = True
    return FacesHere(clusters, ids, vectors, medoids), {
        int(first[people + at]): int(first[at % people]) for at in range(leftovers)
    }


def test_leftovers_join_their_person() -> None:
    faces, person = crowd(people=8, leftovers=24)
    decision = decided(faces, 0.9, 0.2, nothing)
    joins = dict(zip(decision.clusters.tolist(), decision.targets.tolist(), strict=True))
    assert len(joins) > 16
    assert {each: person[each] for each in joins} == joins
    assert decision.facts["leftovers"] == 24
    assert (decision.facts["joined"], decision.facts["attached"], decision.facts["reason"]) == (len(joins),) * 2 + (
        None,
    )


def test_whom_constraints_forbid_stays() -> None:
    faces, person = crowd(people=8, leftovers=24)
    asked = []

    def all_of_them(clusters: np.ndarray) -> np.ndarray:
        asked.extend(clusters.tolist())
        return np.array([[leftover, target] for leftover, target in person.items()])

    decision = decided(faces, 0.9, 0.2, all_of_them)
    assert len(decision.clusters) == 0
    assert decision.facts["reason"] == "forbidden: constraints forbid every join"
    assert set(asked) == set(decided(faces, 0.9, 0.2, nothing).clusters.tolist()) | set(person.values())


def test_few_people_say_nothing_of_impostors() -> None:
    decision = decided(crowd(people=2, leftovers=5)[0], 0.9, 0.2, nothing)
    assert decision.facts == {
        "leftovers": 5,
        "large": 2,
        "reason": "few_clusters: there are 2 large clusters, 3 are needed",
    }


def test_a_second_look_is_among_those_that_join(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = crowd(people=8, leftovers=24)[0]
    shown = []
    compared = kernel.compared

    def watched(*arguments: object) -> Compared:
        shown.append(len(arguments[3].faces))  # type: ignore[attr-defined]
        return compared(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(kernel, "compared", watched)
    joined = len(decided(faces, 0.9, 0.2, nothing).clusters)
    assert shown == [8 * 14, 8 * 14 + joined]


def test_what_was_compared_is_ordered_wherever_it_was() -> None:
    rows = Compared(
        np.array([7, 3, 5, 5]), np.array([1, 2, 30, 30]), np.array([0, 1, 1, 0]), np.array([0.5, 0.25, 0.75, 1])
    )
    parts = [rows.take(np.array([0, 2])), rows.take(np.array([1, 3]))]
    left, null = leftovers_and_null(parts)
    assert (left.clusters.tolist(), left.similarities.tolist()) == ([3, 7], [0.25, 0.5])
    assert (null.clusters.tolist(), null.targets.tolist()) == ([5, 5], [0, 1])
    assert [len(each.clusters) for each in leftovers_and_null([])] == [0, 0]
