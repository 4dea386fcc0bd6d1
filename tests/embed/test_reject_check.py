"""Failing images are told by reason, with the key and what to do; a set of which all fail is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.core.errors import ConfigError
from facesieve.core.reasons import REJECTING
from facesieve.embed.file_kinds import unidentified
from facesieve.embed.reject_check import check_rejects, warn_of_erased, warn_of_formats

COUNTS = st.dictionaries(st.sampled_from(sorted(reason.value for reason in REJECTING)), st.integers(1, 50))


def warnings(reasons: dict[str, int], total: int, most: float = 0.1) -> list[str]:
    texts: list[str] = []
    check_rejects(reasons, total, most, texts.append)
    return texts


def test_each_reason_beyond_the_share_is_a_warning_with_key_and_fix() -> None:
    reasons = {"crop_outside": 30, "no_face": 11, "wrong_type": 10}
    first, second = warnings(reasons, 100)
    assert first.startswith("embed: embed.model: 30 images (30% of all) fail with crop_outside. In the profile, give")
    assert 'unit = "share"' in first
    assert "11 images" in second
    assert "embed.min_face" in second


def test_a_nightly_increment_that_fails_is_judged_with_all_others() -> None:
    assert warnings({"no_face": 3}, 10_000) == []


def test_a_set_of_which_all_fail_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        check_rejects({"no_face": 40, "wrong_type": 2}, 42, 0.1, pytest.fail)
    assert [fault.key for fault in caught.value.faults] == ["embed.detector", "embed.formats"]
    assert "40 images (95% of all) fail with no_face" in str(caught.value)


def test_an_empty_listing_fails_for_no_reason() -> None:
    assert warnings({}, 0) == []


@given(COUNTS, st.integers(1, 100), st.floats(0, 1))
def test_every_reason_is_told_or_small(reasons: dict[str, int], good: int, most: float) -> None:
    total = sum(reasons.values()) + good
    texts = warnings(reasons, total, most)
    for reason, number in reasons.items():
        assert any(f"fail with {reason}." in text for text in texts) == (number > most * total)


def test_each_format_that_was_not_read_is_counted_with_the_key() -> None:
    heic = unidentified(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", ("JPEG",)).detail
    texts: list[str] = []
    warn_of_formats({"no image format known here": 2, heic: 1_200}, texts.append)
    assert texts == ["embed: 1,200 images were not read: HEIC is not in embed.formats. Add HEIC to embed.formats."]


def test_images_that_were_erased_before_are_told() -> None:
    texts: list[str] = []
    warn_of_erased(0, texts.append)
    warn_of_erased(2, texts.append)
    assert len(texts) == 1
    assert texts[0].startswith("embed: 2 images of the source were erased before.")
