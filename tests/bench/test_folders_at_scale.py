"""The made-up folders of the benchmark at scale: what their tables say agrees with their vectors."""

from __future__ import annotations

import folders_at_scale as at_scale
import numpy as np
import pytest
from folders_at_scale import PER_FOLDER, Folders, Pairs

FOLDERS = Folders(400)
BLOCK = range(200, 260)


def vectors_of(numbers: np.ndarray) -> np.ndarray:
    return np.stack([FOLDERS.vectors(number // PER_FOLDER)[number % PER_FOLDER] for number in numbers.tolist()])


def few(pairs: Pairs) -> Pairs:
    rows = np.linspace(0, len(pairs.one) - 1, 200).astype(int)
    return Pairs(pairs.one[rows], pairs.other[rows], pairs.cosine[rows])


@pytest.mark.parametrize("name", ["within", "across"])
def test_edges_have_the_cosines_of_the_vectors(name: str) -> None:
    pairs = few(getattr(FOLDERS, name)(BLOCK))
    product = np.sum(vectors_of(pairs.one) * vectors_of(pairs.other), axis=1)
    assert np.allclose(pairs.cosine, product, atol=1e-5)


def test_no_pair_twice() -> None:
    parts = [getattr(FOLDERS, name)(BLOCK) for name in ("within", "across")]
    pairs = np.sort(np.concatenate([np.stack([part.one, part.other], 1) for part in parts]), axis=1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert np.all(pairs[:, 0] < pairs[:, 1])


def test_impostor_edges_are_of_two_people_above_the_link() -> None:
    pairs = FOLDERS.impostor_pairs(BLOCK)
    assert np.all(FOLDERS.people[pairs.one] != FOLDERS.people[pairs.other])
    assert np.all(pairs.cosine >= np.float32(at_scale.LINK))
    per_face = 2 * len(pairs.one) / (len(BLOCK) * PER_FOLDER)
    assert per_face == pytest.approx(at_scale.IMPOSTORS_PER_FACE, rel=0.05)


def test_clusters_of_the_collection_are_people_and_of_folders_those_at_home() -> None:
    people, folder = FOLDERS.people, np.arange(FOLDERS.images) // PER_FOLDER
    labels, size, medoid = FOLDERS.clusters("global")
    assert len(np.unique(labels)) == len(np.unique(people)) == len(np.unique(np.stack([labels, people]), axis=1).T)
    members = dict(zip(*np.unique(labels, return_counts=True), strict=True))
    assert dict(zip(labels[medoid], size[medoid], strict=True)) == members
    named, size, _ = FOLDERS.clusters("identity")
    at_home = people == FOLDERS.owners[folder]
    assert np.all(size[~at_home] == 1)
    assert len(np.unique(named[at_home])) == FOLDERS.folders
    assert 0.02 < np.mean(~at_home) < 0.05


def test_two_folders_of_a_cut_identity_share_a_cluster() -> None:
    labels, size, _ = FOLDERS.clusters("global")
    first, second = (labels[folder * PER_FOLDER + at_scale.COPY] for folder in (200, 201))
    assert first == second
    assert size[200 * PER_FOLDER + at_scale.COPY] > PER_FOLDER


def test_copies_are_copies() -> None:
    number = at_scale.COPY_EVERY + at_scale.COPY
    one, copy = vectors_of(np.array([number - 1, number]))
    assert np.array_equal(one, copy)
    one, near = vectors_of(
        np.array([number - at_scale.COPY + at_scale.NEAR_COPY - 1, number - at_scale.COPY + at_scale.NEAR_COPY])
    )
    assert 0.999 < one @ near < 1
    assert np.all(FOLDERS.people[FOLDERS.copies | FOLDERS.near_copies] < FOLDERS.folders)
