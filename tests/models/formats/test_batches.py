"""Any number of crops, whatever number a model was converted for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lite import profile

from facesieve.core.errors import ModelError
from facesieve.models.formats.batches import FixedBatch, of_any_size
from facesieve.models.network import Floats, Infer

PROFILE = profile(2, side=8)


def sums(batch: Floats) -> Floats:
    return np.asarray(batch.sum(axis=(1, 2))[:, :2] / 1_000, np.float32)


def of_size(size: int) -> Infer:
    def infer(batch: Floats) -> Floats:
        if len(batch) != size:
            raise ValueError("another number of images")
        return sums(batch)

    return infer


@given(st.integers(1, 5), st.integers(1, 12))
def test_every_number_of_crops_gives_the_same(size: int, count: int) -> None:
    crops = np.random.default_rng(count).uniform(0, 255, (count, 8, 8, 3)).astype(np.float32)
    infer = of_any_size(lambda any_size: of_size(size), size, PROFILE, (ValueError,))
    np.testing.assert_allclose(infer(crops), sums(crops), rtol=1e-6)


def test_a_model_of_any_number_is_not_cut_into_batches() -> None:
    assert of_any_size(lambda any_size: sums, 4, PROFILE, (ValueError,)) is sums


@pytest.mark.parametrize("mixing", [lambda batch: batch - batch.mean(axis=0), lambda batch: batch[::-1]])
def test_a_model_that_mixes_is_refused(mixing: Callable[[Floats], Floats]) -> None:
    with pytest.raises(ModelError, match="of 3 images at once"):
        of_any_size(lambda any_size: lambda batch: mixing(sums(batch)), 3, PROFILE, (ValueError,))


def test_what_depends_on_the_batch_alone_is_run_one_by_one() -> None:
    """As with whole numbers whose scale is that of the batch: alone, an image has its own numbers."""
    infer = of_any_size(lambda any_size: lambda batch: sums(batch) / sums(batch).max(), 1, PROFILE, (ValueError,))
    assert isinstance(infer, FixedBatch)
    assert infer(np.ones((3, 8, 8, 3), np.float32)).shape == (3, 2)


def test_a_failure_of_the_model_itself_comes_through() -> None:
    def broken(any_size: bool) -> Infer:
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        of_any_size(broken, 1, PROFILE, (ValueError,))
