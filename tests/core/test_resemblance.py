"""Near copies are known again by keyed bands, and nothing else is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facesieve.core.resemblance import AGREEING, BAND_BITS, BANDS, BITS, NOTHING_RESEMBLED, Resembled, bands_of

KEY = b"k" * 32


def hashed(seed: int) -> int:
    return int.from_bytes(np.random.default_rng(seed).bytes(BITS // 8), "big")


def written(bits: int) -> bytes:
    return bits.to_bytes(BITS // 8, "big")


def erased(*seeds: int, key: bytes = KEY) -> Resembled:
    return Resembled.of(key, [bands_of(key, written(hashed(seed))) for seed in seeds])


@given(st.integers(0, 50), st.sets(st.integers(0, BITS - 1), max_size=BANDS - AGREEING))
def test_a_copy_with_few_other_bits_is_always_known(seed: int, changed: set[int]) -> None:
    copy = hashed(seed) ^ sum(1 << bit for bit in changed)
    assert erased(seed, seed + 1_000).resembles(written(copy))


def test_what_agrees_in_fewer_bands_is_another_picture() -> None:
    mine, bands = erased(1), bands_of(KEY, written(hashed(1)))
    bit_of_band: dict[int, int] = {}
    for bit in range(BITS):
        pairs = zip(bands, bands_of(KEY, written(hashed(1) ^ (1 << bit))), strict=True)
        (changed,) = [band for band, (before, after) in enumerate(pairs) if before != after]
        bit_of_band[changed] = bit
    assert len(bit_of_band) == len(set(bands)) == BANDS == BITS // BAND_BITS
    differing = [sum(1 << bit_of_band[band] for band in range(count)) for count in range(BANDS + 1)]
    answers = [mine.resembles(written(hashed(1) ^ bits)) for bits in differing]
    assert answers == [BANDS - count >= AGREEING for count in range(BANDS + 1)]


def test_bands_of_two_pictures_do_not_add_up() -> None:
    bands = bands_of(KEY, written(hashed(1)))
    assert not Resembled.of(KEY, [bands[: AGREEING - 1], bands[AGREEING - 1 : AGREEING]]).resembles(written(hashed(1)))
    assert not any(erased(1).resembles(written(hashed(seed))) for seed in range(2, 200))


def test_without_the_key_nothing_is_known() -> None:
    assert not Resembled(b"other", erased(1).bands).resembles(written(hashed(1)))
    assert repr(erased(1)) == "Resembled(16)"
    assert not NOTHING_RESEMBLED.resembles(written(hashed(1)))


def test_a_flat_picture_resembles_no_other() -> None:
    assert bands_of(KEY, written((1 << 31) - 1)) == bands_of(KEY, written((1 << BITS) - 1)) == []
    assert len(bands_of(KEY, written((1 << 32) - 1))) == BANDS
