from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from packed import gzipped, link, placed, tar, zipped

from facesieve.images.packs import archives
from facesieve.images.packs import members as words
from facesieve.images.packs.archives import ArchiveFetch, opened, with_archive
from facesieve.images.packs.tar_archive import ARCHIVE_CUT
from facesieve.images.packs.zip_archive import NO_ZIP
from facesieve.images.protocol import BadContent
from facesieve.images.storage import Storage


def _fetch(root: Path) -> ArchiveFetch:
    fetch: ArchiveFetch = pickle.loads(pickle.dumps(ArchiveFetch(Storage(str(root)))))
    return fetch


def test_members_and_files_are_fetched_by_their_uris(tmp_path: Path) -> None:
    files = {"Ann/1.jpg": b"one", "2.jpg": b"two"}
    for name, content in (("a.zip", zipped(files)), ("b.tar", tar(files)), ("c.tgz", gzipped(tar(files)))):
        placed(tmp_path, name, content)
    (tmp_path / "d.zip!").mkdir()
    (tmp_path / "d.zip!" / "1.jpg").write_bytes(b"in a folder")
    fetch = _fetch(tmp_path)
    for name in ("a.zip", "b.tar", "c.tgz"):
        assert [fetch(f"{name}!/2.jpg"), fetch(f"{name}!/Ann/1.jpg")] == [b"two", b"one"]
        with pytest.raises(FileNotFoundError):
            fetch(f"{name}!/3.jpg")
    assert fetch("d.zip!/1.jpg") == b"in a folder"
    with pytest.raises(FileNotFoundError):
        fetch("no.zip!/1.jpg")


def test_an_archive_is_known_by_its_content_whatever_its_suffix(tmp_path: Path) -> None:
    files = {"1.jpg": b"one"}
    for name, content in (("a.zip", tar(files)), ("b.tar", gzipped(tar(files))), ("c.tar.gz", zipped(files))):
        placed(tmp_path, name, content)
    assert _fetch(tmp_path)("b.tar!/1.jpg") == b"one"
    assert _fetch(tmp_path)("c.tar.gz!/1.jpg") == b"one"
    with pytest.raises(BadContent, match=NO_ZIP):
        _fetch(tmp_path)("a.zip")


def test_what_is_wrong_is_told_in_words_that_travel(tmp_path: Path) -> None:
    placed(tmp_path, "a.tar", tar([("1.jpg", b"1"), ("1.jpg", b"2")], [link("s.jpg", "1.jpg")])[:2048])
    fetch = _fetch(tmp_path)
    for uri, problem in (("a.tar!/1.jpg#2", words.TWICE), ("a.tar", ARCHIVE_CUT)):
        with pytest.raises(BadContent) as wrong:
            fetch(uri)
        assert pickle.loads(pickle.dumps(wrong.value)).words == problem


def test_a_file_that_changed_is_opened_anew_and_few_stay_open(tmp_path: Path) -> None:
    fetch = _fetch(tmp_path)
    placed(tmp_path, "a.tar", tar({"1.jpg": b"old"}))
    assert fetch("a.tar!/1.jpg") == b"old"
    (tmp_path / "a.tar").unlink()
    placed(tmp_path, "a.tar", tar({"1.jpg": b"new"}))
    os.utime(tmp_path / "a.tar", ns=(1, 1))
    assert fetch("a.tar!/1.jpg") == b"new"
    for number in range(20):
        placed(tmp_path, f"{number}.tar", tar({"1.jpg": b"x"}))
        fetch(f"{number}.tar!/1.jpg")
    assert len(archives._open) == archives._MOST_OPEN


def test_a_store_that_fails_in_the_middle_is_asked_again_on_an_archive_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, _ = placed(tmp_path, "a.zip", zipped({"1.jpg": b"one"}))
    first = with_archive(storage, "a.zip", lambda archive: archive)
    with pytest.raises(OSError, match="broken"):
        with_archive(storage, "a.zip", _broken)
    assert with_archive(storage, "a.zip", lambda archive: archive) is not first
    assert opened(storage, "a.zip").find("1.jpg") is not None


def _broken(archive: object) -> bytes:
    raise OSError(5, "broken")
