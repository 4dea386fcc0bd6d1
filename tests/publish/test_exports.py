"""What all exports share: nothing of others is cleared, what is whole says so, and CURRENT names a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facesieve.core.errors import ConfigError
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish import exports
from facesieve.publish.folder_export import export_folders
from facesieve.publish.parquet_export import export_parquet


def test_what_facesieve_did_not_make_is_never_cleared(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    (tmp_path / "folders").mkdir()
    (tmp_path / "folders" / "mine.jpg").write_bytes(b"mine")
    target = Storage(str(tmp_path))
    writers: list[Callable[[], int]] = [
        lambda: export_folders(cleaned, source.read, target),
        lambda: export_parquet(cleaned, target, 2),
    ]
    for write in writers:
        with pytest.raises(ConfigError, match=r"publish\.export_root"):
            write()
    assert (tmp_path / "folders" / "mine.jpg").read_bytes() == b"mine"


def test_an_export_is_complete_for_one_version_only(cleaned: Cleaned, tmp_path: Path) -> None:
    target = Storage(str(tmp_path / "run"))
    assert not exports.is_complete(target, "parquet", "7")
    export_parquet(cleaned, target, 2, "7")
    assert exports.is_complete(target, "parquet", "7")
    assert not exports.is_complete(target, "parquet", "8")


def test_current_names_the_run(tmp_path: Path) -> None:
    root = Storage(str(tmp_path))
    assert exports.current(root) is None
    for run in ("first", "second"):
        exports.point_current(root, run)
        assert (tmp_path / "CURRENT").read_text() == run
        assert exports.current(root) == run
    exports.clear_current(root)
    assert exports.current(root) is None
