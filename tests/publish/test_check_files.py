"""Files of checks as people may give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesieve.core.errors import ConfigError
from facesieve.publish.check_files import Check, read_checks


def test_the_text_of_every_file_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"\xef\xbb\xbfSELECT 1 -- caf\xc3\xa9\n")
    file = (tmp_path / "a.sql").as_uri()
    assert read_checks([file]) == [Check(file, "SELECT 1 -- café\n")]
    assert read_checks([]) == []


def test_all_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.sql").write_bytes(b"-- caf\xe9\nSELECT 1")
    places = [str(tmp_path / "absent.sql"), str(tmp_path), str(tmp_path / "latin.sql")]
    with pytest.raises(ConfigError) as caught:
        read_checks(places)
    assert [fault.key for fault in caught.value.faults] == ["publish.checks"] * 3
    for place, fault, problem in zip(
        places, caught.value.faults, ("(it does not exist)", "(it is a folder)", "utf-8"), strict=True
    ):
        assert fault.problem.startswith(f"{place} cannot be read (")
        assert problem in fault.problem
