"""Impostor lines; clusters and faces that are marked, and look-alikes."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from factories import faces

from facesieve.decide.kernels import overlap
from facesieve.decide.kernels.overlap import Cohort, cluster_cosine, likeness, lines, quantile, templates
from facesieve.faces.vectors import Halves, Indices

LINE = (0.0, 0.09)
NOBODY = np.zeros((0, 128), np.float16)


def crowd(people: int, each: int, seed: int) -> tuple[Indices, Halves]:
    """Person numbers and vectors float16 [n, 128], by person."""
    _, names, vectors = faces(people, each, seed)
    people_of = np.unique(names, return_inverse=True)[1]
    order = np.argsort(people_of, kind="stable")
    return people_of[order], vectors[order].astype(np.float16)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, everybody = crowd(60, 5, 0)
    _, protected = crowd(9, 4, 1)
    cohort = Cohort(LINE, everybody)
    whole = templates(protected, cohort), likeness(everybody, protected, cohort)
    monkeypatch.setattr(overlap, "_ROWS", 7)
    monkeypatch.setattr(overlap, "_COLUMNS", 5)
    cut = templates(protected, cohort), likeness(everybody, protected, cohort)
    assert [rows.tobytes() for rows in whole] == [rows.tobytes() for rows in cut]


def test_a_line_is_that_of_the_face_own_impostors() -> None:
    rng = np.random.default_rng(0)
    cohort = np.zeros((4_000, 2), np.float16)
    cosines = 0.1 + 0.15 * rng.standard_normal(4_000)
    cohort[:, 0], cohort[:, 1] = cosines, np.sqrt(1 - cosines**2)
    line = lines(np.array([[1, 0]], np.float16), Cohort((0.0, 0.25), cohort))
    assert line.intercepts[0] == pytest.approx(0.1, abs=0.02)
    assert line.slopes[0] == pytest.approx(0.15, abs=0.02)


def test_the_line_of_a_face_does_not_see_its_own_person() -> None:
    """One in ten of the sample is of the same person, as among few people."""
    _, impostors = crowd(900, 1, 2)
    _, few = crowd(1, 110, 3)
    alone = lines(few[:5], Cohort(LINE, impostors))
    among = lines(few[:5], Cohort(LINE, np.concatenate([impostors, few[10:]])))
    assert among.slopes == pytest.approx(alone.slopes, rel=0.05)


def test_the_model_line_serves_where_faces_are_few() -> None:
    _, others = crowd(overlap.FEWEST - 1, 1, 4)
    assert set(lines(others, Cohort(LINE, others)).slopes.tolist()) == {LINE[1]}
    same = np.repeat(others[:1], 500, axis=0)
    assert lines(same[:3], Cohort((-1.0, 0.9), same)).slopes.tolist() == [0.9] * 3


def test_a_template_is_the_mean_of_the_faces_like_it() -> None:
    people, protected = crowd(5, 6, 5)
    _, others = crowd(500, 1, 6)
    means = templates(protected, Cohort(LINE, others)).astype(np.float64)
    for person in range(5):
        own = protected[people == person].astype(np.float64)
        mean = own.mean(axis=0) / np.linalg.norm(own.mean(axis=0))
        assert means[people == person] @ mean == pytest.approx(1, abs=1e-3)
    order = np.random.default_rng(0).permutation(len(protected))
    assert templates(protected[order], Cohort(LINE, others)).tolist() == means[order].astype(np.float16).tolist()


def test_thresholds_rise_with_the_protected_and_fall_with_the_cluster() -> None:
    sizes = np.array([1, 2, 5, 100])
    assert (np.diff(cluster_cosine(LINE, 300, sizes)) < 0).all()
    assert (cluster_cosine(LINE, 3_000, sizes) > cluster_cosine(LINE, 300, sizes)).all()
    expected = 300 * NormalDist().cdf(-(cluster_cosine(LINE, 300, sizes[:1])[0] - LINE[0]) / LINE[1])
    assert expected == pytest.approx(overlap.TOLERANCE)


def test_protected_people_are_told_from_impostors() -> None:
    """Of 20 people 5 images each are protected; all others of theirs are found, and no impostor."""
    people, everybody = crowd(600, 10, 7)
    hidden = people < 20
    shown = np.arange(len(people)) % 10 < 5
    protected, others = everybody[hidden & shown], everybody[~(hidden & shown)]
    truth, cohort = hidden[~(hidden & shown)], Cohort(LINE, others)
    alike = likeness(others, templates(protected, cohort), cohort) >= quantile(overlap.FLOOR, len(protected))
    assert alike[truth].mean() > 0.99
    assert alike[~truth].mean() < 0.01


def test_a_face_that_is_like_many_is_no_match() -> None:
    """Two faces equally near to a protected one; the one that is near to all impostors too is left."""
    rng = np.random.default_rng(8)
    common = np.zeros(128)
    common[0] = 1
    cohort = rng.normal(size=(1_000, 128))
    cohort = cohort / np.linalg.norm(cohort, axis=1, keepdims=True) + 0.25 * common
    protected = rng.normal(size=(1, 128))
    protected[:, 0] = 0
    protected /= np.linalg.norm(protected)
    other = rng.normal(size=128)
    other[0] = 0
    other -= (other @ protected[0]) * protected[0]
    specific = 0.5 * protected[0] + np.sqrt(0.75) * other / np.linalg.norm(other)
    widely = 0.5 * protected[0] + np.sqrt(0.75) * common
    both = np.stack([specific, widely]).astype(np.float16)
    one, two = likeness(both, protected.astype(np.float16), Cohort(LINE, cohort.astype(np.float16)))
    assert one > two + 0.4
