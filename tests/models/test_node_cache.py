"""Models of a node: fetched once, whoever asks at the same time, and trusted by their digest alone."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from facesieve.core import logs
from facesieve.models import node_cache
from facesieve.models.files import ModelFiles, digest
from facesieve.models.node_cache import cache_folder, cached

FILE = ModelFiles(PurePosixPath("net.h5"), {"net.h5": b"weights"})
TREE = ModelFiles(
    PurePosixPath("net"), {"saved_model.pb": b"graph", "variables/variables.index": b"index"}, directory=True
)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A node of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"facesieve-models-{os.getuid()}"


class Fetch:
    """Counts how often a model is fetched."""

    def __init__(self, files: ModelFiles) -> None:
        self.files, self.times = files, 0

    def __call__(self) -> ModelFiles:
        self.times += 1
        return self.files


@pytest.mark.parametrize("files", [FILE, TREE])
def test_a_model_is_fetched_once(files: ModelFiles, folder: Path) -> None:
    fetch, sha256 = Fetch(files), digest(files)
    for _ in range(3):
        stored = cached(sha256, fetch)
        assert (dict(stored.contents), stored.directory) == (dict(files.contents), files.directory)
    assert fetch.times == 1
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(folder.glob("*.part"))


def _alter(place: Path) -> None:
    (place / "file" / "net.h5").write_bytes(b"weightz")


def _cut(place: Path) -> None:
    (place / "file" / "net.h5").write_bytes(b"wei")


def _empty(place: Path) -> None:
    (place / "file" / "net.h5").unlink()


def _link(place: Path) -> None:
    (place / "file" / "net.h5").unlink()
    (place / "file" / "net.h5").symlink_to("/dev/null")


@pytest.mark.parametrize("spoil", [_alter, _cut, _empty, _link])
def test_what_was_altered_is_fetched_anew(folder: Path, spoil: Callable[[Path], None]) -> None:
    fetch, sha256 = Fetch(FILE), digest(FILE)
    cached(sha256, fetch)
    spoil(folder / sha256)
    assert cached(sha256, fetch).single == b"weights"
    assert cached(sha256, fetch).single == b"weights"
    assert fetch.times == 2


def test_a_model_of_another_digest_is_returned_and_not_stored(folder: Path) -> None:
    wanted = hashlib.sha256(b"other").hexdigest()
    assert cached(wanted, Fetch(FILE)).single == b"weights"
    assert not (folder / wanted).exists()


def test_what_a_killed_process_left_is_cleared_away(folder: Path) -> None:
    sha256 = digest(FILE)
    folder.mkdir(mode=0o700)
    (folder / f"{sha256}.part" / "file").mkdir(parents=True)
    (folder / f"{sha256}.part" / "file" / "more.h5").write_bytes(b"half")
    cached(sha256, Fetch(FILE))
    fetch = Fetch(FILE)
    assert dict(cached(sha256, fetch).contents) == {"net.h5": b"weights"}
    assert fetch.times == 0


def test_a_full_disk_is_no_fault_of_the_run(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    fetch, sha256 = Fetch(FILE), digest(FILE)
    assert [cached(sha256, fetch).single for _ in range(2)] == [b"weights"] * 2
    assert fetch.times == 2
    assert not (folder / sha256).exists()


def test_a_folder_that_others_may_write_is_not_used(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    assert cache_folder() is None
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert cache_folder() is None
    fetch = Fetch(FILE)
    assert cached(digest(FILE), fetch).single == b"weights"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_told_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write_text("")
    logs.set_up()
    fetch, sha256 = Fetch(FILE), digest(FILE)
    assert [cached(sha256, fetch).single for _ in range(2)] == [b"weights"] * 2
    assert fetch.times == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        f"WARNING: models: {folder} is not used (File exists): each process fetches the model for itself"
    )
    assert folder.read_text() == "", "what is somebody's own stays"


def test_who_waits_too_long_fetches_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_cache, "_LONGEST_WAIT", 0.0)
    fetch, sha256 = Fetch(FILE), digest(FILE)
    assert [cached(sha256, fetch).single for _ in range(2)] == [b"weights"] * 2
    assert fetch.times == 2


_RACER = """
import os, sys, tempfile, time
from pathlib import Path, PurePosixPath
from facesieve.models.files import ModelFiles
from facesieve.models.node_cache import cached
folder, sha256 = Path(sys.argv[1]), sys.argv[2]
tempfile.tempdir = str(folder)
def fetch():
    handle = os.open(folder / f"fetch-{os.getpid()}", os.O_CREAT | os.O_EXCL)
    os.close(handle)
    time.sleep(0.5)
    return ModelFiles(PurePosixPath("net.h5"), {"net.h5": b"w" * 1_000_000})
print(len(cached(sha256, fetch).single))
"""


def test_of_processes_that_race_one_fetches(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"w" * 1_000_000).hexdigest()
    command = [sys.executable, "-c", _RACER, str(tmp_path), sha256]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [racer.communicate(timeout=120)[0].strip() for racer in racers] == ["1000000"] * 3
    assert len(list(tmp_path.glob("fetch-*"))) == 1
