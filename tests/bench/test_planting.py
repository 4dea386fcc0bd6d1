"""The generator of planted faults: counts, seeds, and no face twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import planting
import pytest

SIZES = [10] * 12 + [13, 20, 40] + [9] * 12 + [6] * 12 + [5] * 8 + [2] * 20 + [1] * 60
INSIDE = 15


@pytest.fixture(scope="module")
def source() -> planting.Source:
    """Fifteen people with ten and more images, 112 outside."""
    labels = np.repeat(np.arange(len(SIZES)), SIZES)
    vectors = np.random.default_rng(0).standard_normal((len(labels), 8)).astype(np.float32)
    names = [f"p{person:03d}" for person in range(len(SIZES))]
    paths = [f"{names[label]}/{row:04d}.jpg" for row, label in enumerate(labels)]
    return planting.Source(vectors, labels, paths, names)


def sane(source: planting.Source, planted: planting.Planted) -> bool:
    """No face twice, one uri each, and each row is what it is said to be."""
    rows = planted.row
    assert len(set(rows.tolist())) == len(rows) == len(set(planted.uri))
    assert np.array_equal(planted.vectors, source.vectors[rows])
    assert planted.truth == [source.names[label] for label in source.labels[rows]]
    assert all(uri.startswith(f"{folder}/") for uri, folder in zip(planted.uri, planted.identity, strict=True))
    assert np.array_equal(planted.belongs(planted.identity), planted.are(planting.GOOD))
    return True


def people_in(planted: planting.Planted, folder: str, kind: str) -> Counter[str]:
    rows = zip(planted.identity, planted.kind, planted.truth, strict=True)
    return Counter(truth for name, of, truth in rows if (name, of) == (folder, kind))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_noise_has_its_share_of_every_folder(source: planting.Source, share: float) -> None:
    planted = planting.noise(source, share, 1)
    assert sane(source, planted)
    for size, name in zip(SIZES[:INSIDE], source.names, strict=False):
        impostors, others = (sum(people_in(planted, name, kind).values()) for kind in ("impostor", "other_person"))
        assert impostors + others == round(size * share / (1 - share))
        assert impostors - others in (0, 1)


def test_half_of_the_noise_is_one_other_person_where_one_has_enough(source: planting.Source) -> None:
    planted = planting.noise(source, 0.5, 2)
    found = {name: people_in(planted, name, "other_person") for name in source.names[:INSIDE]}
    assert all(len(found[name]) == 1 for name in source.names[:13])
    assert sorted(found["p013"].values()) == [1, 9]
    assert max(found["p014"].values()) == 9
    sizes = dict(zip(source.names, SIZES, strict=True))
    assert all(sizes[person] >= planting.SOME for people in found.values() for person in people)
    impostors = {truth for truth, kind in zip(planted.truth, planted.kind, strict=True) if kind == "impostor"}
    assert not impostors & {person for people in found.values() for person in people}


def test_flips_leave_two_thirds_at_home(source: planting.Source) -> None:
    planted = planting.flips(source, 40, 1)
    assert sane(source, planted)
    assert Counter(planted.kind) == {"good": sum(SIZES[:INSIDE]) - 40, "flip": 40}
    left = Counter(truth for truth, kind in zip(planted.truth, planted.kind, strict=True) if kind == "flip")
    assert all(left[name] <= size / 3 for name, size in zip(source.names, SIZES, strict=True))
    with pytest.raises(ValueError, match="third"):
        planting.flips(source, 66, 1)


def test_cut_halves_identities(source: planting.Source) -> None:
    planted = planting.cut(source, 4, 1)
    assert sane(source, planted)
    sizes = Counter(planted.identity)
    halves = [name for name, person in planted.person_of.items() if name != person]
    assert len(halves) == 8
    assert len(sizes) == INSIDE + 4
    assert all(abs(sizes[f"{name[:4]}-1"] - sizes[f"{name[:4]}-2"]) <= 1 for name in halves)


def test_a_crowd_has_everything(source: planting.Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planting, "CROWD_FLIPS", 20)
    monkeypatch.setattr(planting, "CROWD_CUTS", 3)
    planted = planting.crowd(source, 1)
    assert sane(source, planted)
    assert len(planted.person_of) == INSIDE + 3
    kinds = Counter(planted.kind)
    assert kinds["flip"] == 20
    assert kinds["good"] + kinds["flip"] == sum(SIZES[:INSIDE])
    assert kinds["impostor"] + kinds["other_person"] == pytest.approx(sum(SIZES[:INSIDE]) / 9, abs=INSIDE / 2)


def test_a_seed_is_a_draw(source: planting.Source) -> None:
    plants: tuple[Callable[[int], planting.Planted], ...] = (
        lambda seed: planting.noise(source, 0.3, seed),
        lambda seed: planting.flips(source, 3, seed),
        lambda seed: planting.cut(source, 3, seed),
    )
    for plant in plants:
        first, again, other = (plant(seed) for seed in (1, 1, 2))
        assert first.uri == again.uri
        assert first.uri != other.uri
    assert planting.clean(source).kind == ["good"] * sum(SIZES[:INSIDE])


def test_too_few_outside_is_said(source: planting.Source) -> None:
    with pytest.raises(ValueError, match="outside"):
        planting.noise(source, 0.9, 1)
