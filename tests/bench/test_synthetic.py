"""The generator of the benchmarks: what it draws is reproducible, and resembles what it was fitted to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import resemblance
import synthetic


@pytest.fixture(scope="module")
def observed(data: Path) -> synthetic.Collection:
    return synthetic.real()


@pytest.fixture(scope="module")
def model(observed: synthetic.Collection) -> synthetic.Fit:
    return synthetic.fit(observed)


def same(one: synthetic.Collection, other: synthetic.Collection) -> bool:
    columns: list[tuple[Any, Any]] = list(zip(vars(one).values(), vars(other).values(), strict=True))
    return all(np.array_equal(left, right) for left, right in columns)


def test_one_seed_draws_the_same_faces(model: synthetic.Fit) -> None:
    collection = synthetic.draw(model, 5_000, seed=3)
    assert same(collection, synthetic.draw(model, 5_000, seed=3))
    assert not same(collection, synthetic.draw(model, 5_000, seed=4))


def test_faces_are_unit_vectors_of_people_with_ids_of_their_own(model: synthetic.Fit) -> None:
    collection = synthetic.draw(model, 20_000)
    assert len(np.unique(collection.ids)) == 20_000
    assert np.abs(np.linalg.norm(collection.vectors, axis=1) - 1).max() < 1e-5
    assert 7 < 20_000 / len(np.unique(collection.people)) < 11


def test_extra_faces_are_half_of_known_people_and_half_of_new_ones(model: synthetic.Fit) -> None:
    collection, extra = synthetic.draw(model, 20_000), synthetic.draw_extra(model, 20_000, 2_000)
    known = np.isin(extra.people, collection.people)
    assert known.sum() == 1_000
    assert not np.isin(extra.ids, collection.ids).any()
    centres = np.stack([collection.vectors[collection.people == person].mean(axis=0) for person in extra.people[known]])
    near = np.sum(centres * extra.vectors[known], axis=1) / np.linalg.norm(centres, axis=1)
    assert np.median(near) > 0.7


def test_what_is_written_is_read(model: synthetic.Fit, tmp_path: Path) -> None:
    collection = synthetic.draw(model, 1_000)
    synthetic.write(collection, tmp_path, files=3)
    ids, vectors = synthetic.read(tmp_path)
    assert np.array_equal(ids, collection.ids)
    assert np.array_equal(vectors, collection.vectors)
    assert pq.read_table(tmp_path)["identity"].to_pylist() == [f"person-{person:07d}" for person in collection.people]


def test_cosines_resemble_the_real_ones(observed: synthetic.Collection, model: synthetic.Fit) -> None:
    collection = synthetic.draw(model, 15_000)
    real, drawn = resemblance.impostors(observed), resemblance.impostors(collection)
    assert np.allclose(real.line(), drawn.line(), atol=0.012)
    assert all(1 / 1.5 < drawn.above(cosine) / real.above(cosine) < 1.5 for cosine in (0.4, 0.5, 0.6, 0.7))
    real, drawn = resemblance.genuine(observed), resemblance.genuine(collection)
    assert abs(real.at(0.5) - drawn.at(0.5)) < 0.01
    assert abs(real.at(0.1) - drawn.at(0.1)) < 0.03
