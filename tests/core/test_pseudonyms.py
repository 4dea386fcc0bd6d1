"""Pseudonyms of names, and the key that they are made with."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from facesieve.core.errors import ConfigError
from facesieve.core.pseudonyms import VARIABLE, fingerprint, names_key, pseudonym
from facesieve.core.sections import Lake

KEY = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def fault(lake: Lake) -> str:
    with pytest.raises(ConfigError) as caught:
        names_key(lake)
    return str(caught.value)


def test_a_pseudonym_is_a_keyed_hash() -> None:
    digest = hmac.new(KEY.encode(), "Zoë".encode(), hashlib.sha256).hexdigest()
    assert pseudonym(KEY.encode(), "Zoë") == f"p-{digest[:32]}"
    assert fingerprint(KEY.encode()) not in ("", KEY)


def test_names_that_are_stored_need_no_key() -> None:
    assert names_key(Lake(names_key="/absent")) is None


def test_the_key_comes_from_a_file_or_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    monkeypatch.setenv(VARIABLE, "x" * 32)
    assert names_key(Lake(store_names=False, names_key=str(file))) == KEY.encode()
    assert names_key(Lake(store_names=False)) == b"x" * 32


def test_a_key_that_is_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fault(Lake(store_names=False)).startswith("lake.names_key: is empty, and so is FACESIEVE_NAMES_KEY")
    assert "cannot be read (No such file" in fault(Lake(store_names=False, names_key=str(tmp_path / "absent")))
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake/key").write_text(KEY)
    inside = Lake(str(tmp_path / "lake"), store_names=False, names_key=str(tmp_path / "lake/key"))
    assert "lies in the lake, whose names it opens" in fault(inside)
    monkeypatch.setenv(VARIABLE, KEY[:31])
    assert "fewer than 32 bytes" in fault(Lake(store_names=False))
    assert KEY[:31] not in fault(Lake(store_names=False))
