from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest

from facesieve.core.errors import ModelError
from facesieve.models.formats import hdf5


def stored(write: Callable[[Any], object]) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        write(file)
    return stream.getvalue()


def test_an_array_below_plain_groups_is_read_as_float32() -> None:
    content = stored(lambda file: file.create_dataset("a/b/c", data=np.arange(6.0).reshape(2, 3)))
    with hdf5.opened(content) as file:
        array = hdf5.floats(hdf5.member(file, "a"), "b/c", "dense")
        assert (hdf5.has(file, "a/b"), hdf5.has(file, "a/d")) == (True, False)
    assert array.dtype == np.float32
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (lambda file: file.__setitem__("w", h5py.SoftLink("/elsewhere")), "holds a link at w"),
        (lambda file: file.__setitem__("w", h5py.ExternalLink("/etc/passwd", "/")), "holds a link at w"),
        (lambda file: file.create_group("w"), "not an array"),
        (lambda file: file.create_dataset("w", data=[1, 2]), "not a finite number of floating point"),
        (lambda file: file.create_dataset("w", data=[1.0, np.nan]), "not a finite number"),
        (
            lambda file: file.create_dataset("w", shape=(10**9,), dtype="f4", chunks=(10**6,)),
            "has not as many",
        ),
        (lambda file: file.create_group("other"), "not a Keras model that can be read"),
    ],
)
def test_what_is_no_plain_array_is_refused(write: Callable[[Any], object], problem: str) -> None:
    with pytest.raises(ModelError, match=problem), hdf5.opened(stored(write)) as file:
        hdf5.floats(file, "w", "dense")


def test_bytes_that_are_no_hdf5_are_refused() -> None:
    with pytest.raises(ModelError, match="not a Keras model"), hdf5.opened(b"none"):
        pass
