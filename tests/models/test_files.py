"""A model's files: read once, digested, and refused where they could point elsewhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from facesieve.core import profiles
from facesieve.core.errors import ConfigError, ModelError
from facesieve.core.profiles import Profile
from facesieve.models import check, files
from facesieve.models.profile_template import SHELL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "model"
    (root / "variables").mkdir(parents=True)
    (root / "saved_model.pb").write_bytes(b"\x08\x01\x12graph")
    (root / "variables" / "variables.index").write_bytes(b"index")
    (root / "variables" / "Gewichte ä 😀").write_bytes(b"")
    return root


def test_digest_of_a_file_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "model.pb"
    file.write_bytes(b"weights")
    found = files.read(file)
    assert files.digest(found) == hashlib.sha256(b"weights").hexdigest()
    assert (found.single, dict(found.contents), found.directory) == (b"weights", {"model.pb": b"weights"}, False)


def test_digest_of_a_directory_is_what_the_shell_prints(folder: Path) -> None:
    printed = subprocess.run(
        ["bash", "-c", SHELL.replace("DIR", str(folder))], capture_output=True, text=True, check=True
    ).stdout
    assert printed.split()[0] == files.digest(files.read(folder))


def test_digest_sees_every_byte_and_every_name(folder: Path) -> None:
    seen = {files.digest(files.read(folder))}
    (folder / "variables" / "variables.index").write_bytes(b"indeX")
    seen.add(files.digest(files.read(folder)))
    (folder / "assets").write_bytes(b"more")
    seen.add(files.digest(files.read(folder)))
    (folder / "assets").rename(folder / "other")
    seen.add(files.digest(files.read(folder)))
    assert len(seen) == 4


def test_what_is_written_is_what_was_read(folder: Path) -> None:
    found = files.read(folder)
    (folder / "saved_model.pb").write_bytes(b"altered after it was read")
    with found.on_disk() as place:
        assert files.read(place).contents == found.contents
        assert place.stat().st_mode & 0o077 == 0
    assert not place.exists()


def test_a_single_file_is_written_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "net.pb").write_bytes(b"graph")
    with files.read(tmp_path / "net.pb").on_disk() as place:
        assert (place.name, place.read_bytes()) == ("net.pb", b"graph")


def hidden(folder: Path) -> None:
    (folder / ".cache").write_bytes(b"")


def link(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "saved_model.pb")


def linked_folder(folder: Path) -> None:
    (folder / "elsewhere").symlink_to(folder.parent)


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def newline(folder: Path) -> None:
    (folder / "two\nlines").write_bytes(b"")


def not_utf8(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/\xff", "wb"):
        pass


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (hidden, "hidden"),
        (link, "a link"),
        (linked_folder, "a link"),
        (pipe, "not a plain file"),
        (newline, "rename it"),
        (not_utf8, "rename it"),
    ],
)
def test_what_is_no_plain_file_is_refused(folder: Path, change: Any, said: str) -> None:
    change(folder)
    with pytest.raises(ModelError, match=said):
        files.read(folder)


def test_size_is_bounded_over_all_files(folder: Path) -> None:
    with pytest.raises(ModelError, match="larger than 10 bytes"):
        files.read(folder, 10)
    assert sum(map(len, files.read(folder, 13).contents.values())) == 13


def test_missing_empty_and_special(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    for name, said in [("nowhere", "cannot be read"), ("pipe", "not a plain file"), ("empty", "empty directory")]:
        with pytest.raises(ModelError, match=said):
            files.read(tmp_path / name)


def declared(path: Path, form: str, digest: Any = None) -> Any:
    found = digest or files.digest(files.read(path))
    return Profile(
        file=str(path), sha256=found, form=form, input=(8, 8), normalisation="none", dimension=2, name="given"
    )


@pytest.mark.parametrize("form", profiles.FORMS)
def test_a_pickle_is_refused_whatever_it_is_called(tmp_path: Path, form: str) -> None:
    (tmp_path / "it").write_bytes(b"\x80\x04\x95\x00")
    with pytest.raises(ConfigError, match="it is a pickle"):
        check(declared(tmp_path / "it", form))


def test_the_form_that_it_looks_like_is_said(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ConfigError, match="not of the form saved_model: it looks like keras_h5"):
        check(declared(tmp_path / "it", "saved_model"))


def test_a_directory_for_a_file_and_the_reverse(folder: Path) -> None:
    with pytest.raises(ConfigError, match="looks like saved_model"):
        check(declared(folder, "frozen_graph"))
    with pytest.raises(ConfigError, match="give the directory that holds it"):
        check(declared(folder / "saved_model.pb", "saved_model"))


def test_a_directory_is_refused_before_it_is_parsed_if_any_file_differs(folder: Path) -> None:
    given = declared(folder, "saved_model")
    check(given)
    (folder / "variables" / "variables.index").write_bytes(b"indeX")
    with pytest.raises(ConfigError, match="SHA-256"):
        check(given)
    (folder / "variables" / "variables.index").write_bytes(b"index")
    check(given)
    (folder / "added").write_bytes(b"")
    with pytest.raises(ConfigError, match="SHA-256"):
        check(given)


def test_a_pointer_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ConfigError, match="git lfs pull"):
        check(declared(tmp_path / "it", "tflite", "0" * 64))
