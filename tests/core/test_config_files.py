"""The configuration as it is written: what lies over what, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

from facesieve.core.config_files import read_tables
from facesieve.core.errors import Fault


def test_a_later_place_wins_key_by_key(tmp_path: Path) -> None:
    base, overlay = tmp_path / "base.toml", tmp_path / "overlay.toml"
    base.write_text('[a]\nx = 1\ny = 2\n[b]\nz = "kept"\n')
    overlay.write_text("\ufeff[a]\ny = 3\n", encoding="utf-8")
    faults: list[Fault] = []
    sections = read_tables(str(base), [str(overlay)], ["a.x=5", "c.new=bare word", 'c.list=["p", 1]'], faults)
    assert faults == []
    assert sections == {"a": {"x": 5, "y": 3}, "b": {"z": "kept"}, "c": {"new": "bare word", "list": ["p", 1]}}


def test_every_place_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("[a\n")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    faults: list[Fault] = []
    files = [str(tmp_path / name) for name in ("absent.toml", "broken.toml", "binary.toml")]
    assert read_tables(files[0], files[1:], ["nonsense", "=1", "a.=1"], faults) == {}
    assert [fault.key for fault in faults] == [*files, "--set nonsense", "--set =1", "--set a.=1"]
