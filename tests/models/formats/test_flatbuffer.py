"""`test_tflite` reads whole models, and altered ones; here is what needs none."""

from __future__ import annotations

import pytest

from facesieve.core.errors import ModelError
from facesieve.models.formats import flatbuffer


def test_a_tensor_is_written_as_people_read_it() -> None:
    assert str(flatbuffer.Tensor("crops", "FLOAT32", (None, 160, 160, 3))) == "crops float32 [?, 160, 160, 3]"


@pytest.mark.parametrize("content", [b"\x1c\x00\x00\x00TFL3", b"\x1c\x00\x00\x00TFL3" + b"\xff" * 64])
def test_bytes_that_are_no_model_are_refused(content: bytes) -> None:
    with pytest.raises(ModelError, match="cannot be parsed"):
        flatbuffer.read(content)
