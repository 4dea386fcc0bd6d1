from __future__ import annotations

import itertools

import pytest

from facesieve.core.sections import Images
from facesieve.images import kinds
from facesieve.images.protocol import Sort

TABLES = (kinds.LINKS, kinds.UNREADABLES, kinds.IMAGES, kinds.DECODABLE, kinds.FOREIGN, kinds.ARCHIVES, kinds.PARQUET)


def test_a_kind_stands_in_one_table() -> None:
    assert not [pair for pair in itertools.combinations(TABLES, 2) if pair[0] & pair[1]]


@pytest.mark.parametrize("suffix", sorted(kinds.PICTURES | kinds.ARCHIVES))
def test_what_could_be_an_image_is_so_in_lower_case(suffix: str) -> None:
    assert kinds.sort_of(suffix) is Sort.MAYBE
    assert suffix == suffix.lower()


def test_the_usual_suffixes_of_images_are_all_in_the_table() -> None:
    assert set(Images(root="any").suffixes) <= kinds.IMAGES
