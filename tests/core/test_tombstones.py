"""Tombstones know an image again by content or id, under their own key alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from facesieve.core.errors import ConfigError
from facesieve.core.tombstones import NOTHING_ERASED, Tombstones, made_key, mark_of, read_key, tombstones_of


def stones(key: bytes) -> Tombstones:
    return Tombstones(key, frozenset(each for _, each in tombstones_of(key, [-7, 8], ["ab", "ab", "cd"])))


def test_an_image_is_known_by_its_content_and_by_its_id() -> None:
    erased = stones(b"k" * 32)
    assert [kind for kind, _ in tombstones_of(b"k", [-7, 8], ["ab", "ab"])] == ["content", "image", "image"]
    assert [erased.block(1, "ab"), erased.block(-7, None), erased.block(1, "ef")] == [True, True, False]
    assert not Tombstones(b"other", erased.hashes).block(-7, "ab"), "without the key nothing is known"
    assert not NOTHING_ERASED.block(-7, "ab")


def test_the_key_is_not_shown() -> None:
    assert repr(stones(b"secret")) == "Tombstones(4)"


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "below" / "erase.key"
    assert made_key(str(place)) == place
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    key = read_key(str(place))
    assert (made_key(str(place)), read_key(str(place)), len(key)) == (None, key, 32)


def test_no_key_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"erase\.key_file: .* cannot be read"):
        read_key(str(tmp_path / "absent"))
    (tmp_path / "short").write_text("abcd")
    with pytest.raises(ConfigError, match="holds no key of 32 bytes"):
        read_key(str(tmp_path / "short"))
    with pytest.raises(ConfigError, match="cannot be made"):
        made_key(str(tmp_path / "short" / "below"))


def test_the_key_of_other_tombstones_is_no_key_of_these(tmp_path: Path) -> None:
    place = str(tmp_path / "erase.key")
    made_key(place)
    key = read_key(place)
    assert read_key(place, [mark_of(key)]) == key
    with pytest.raises(
        ConfigError, match=r"erase\.key_file: .* is not the key of this lake's tombstones\. Name the file"
    ):
        read_key(place, [mark_of(b"o" * 32)])
