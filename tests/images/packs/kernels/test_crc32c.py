from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_writers import crc32c as bit_by_bit

from facesieve.images.packs.kernels.crc32c import WINDOW, crc32c, masked, masked_windows

VECTORS = {
    bytes(32): 0x8A9136AA,
    b"\xff" * 32: 0x62A8AB43,
    bytes(range(32)): 0x46DD794E,
    bytes(range(31, -1, -1)): 0x113FDB5C,
    b"123456789": 0xE3069283,
    b"": 0,
    b"a": 0xC1D04330,
}
"""Of RFC 3720, appendix B.4, and of the Castagnoli entry of the CRC catalogue."""


@pytest.mark.parametrize("data", VECTORS)
def test_published_values(data: bytes) -> None:
    assert crc32c(data) == VECTORS[data]


@given(st.binary(max_size=40))
def test_any_bytes_have_the_checksum_of_the_definition(data: bytes) -> None:
    assert crc32c(data) == bit_by_bit(data)


@pytest.mark.parametrize("size", [3, 4, 5, 255, 256, 257, 5000, 32_767, 32_769])
def test_blocks_meet(size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    assert crc32c(data) == bit_by_bit(data)


@given(st.binary(max_size=60))
def test_windows_have_the_checksum_that_each_has_alone(data: bytes) -> None:
    alone = [masked(crc32c(data[at : at + WINDOW])) for at in range(len(data) - WINDOW + 1)]
    assert masked_windows(data).tolist() == alone
