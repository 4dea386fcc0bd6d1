"""Where a model is looked for: at its path, among the files of `--files`, or by URI."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark import SparkFiles

from facesieve.core.errors import ConfigError, ModelError
from facesieve.core.profiles import Profile
from facesieve.images.storage import Storage
from facesieve.models.files import digest
from facesieve.models.whereabouts import files_of


def profile(file: str, sha256: str = "0" * 64) -> Profile:
    return Profile(file=file, sha256=sha256, form="tflite", input=(8, 8), normalisation="none", dimension=2, name="it")


def test_a_path_and_a_file_uri_are_read_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a net.h5").write_bytes(b"weights")
    for file in (str(tmp_path / "a net.h5"), (tmp_path / "a net.h5").as_uri()):
        assert files_of(profile(file)).single == b"weights"


def test_a_profile_of_vectors_has_no_files() -> None:
    with pytest.raises(ConfigError, match="the profile it is of vectors, without a model"):
        files_of(replace(profile(""), form="vectors"))


def test_a_bare_name_is_looked_for_among_the_files_that_spark_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, here = tmp_path / "sent", tmp_path / "here"
    for folder in (sent, here):
        folder.mkdir()
    (sent / "net.h5").write_bytes(b"sent")
    monkeypatch.chdir(here)
    with pytest.raises(ModelError, match=r"net\.h5 cannot be read"):
        files_of(profile("net.h5"))
    monkeypatch.setattr(SparkFiles, "_is_running_on_worker", True)
    monkeypatch.setattr(SparkFiles, "_root_directory", str(sent))
    assert files_of(profile("net.h5")).single == b"sent"
    with pytest.raises(ModelError):
        files_of(profile("../sent/other.h5"))
    (here / "net.h5").write_bytes(b"here")
    assert files_of(profile("net.h5")).single == b"here"


def test_a_uri_is_fetched_once_per_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = f"mock:///{tmp_path.name}-model"
    Storage(place).write("saved_model.pb", b"graph")
    sha256 = digest(files_of(profile(place)))
    assert files_of(profile(place, sha256)).contents == {"saved_model.pb": b"graph"}
    Storage(place).write("saved_model.pb", b"another")
    assert files_of(profile(place, sha256)).contents == {"saved_model.pb": b"graph"}
    assert (tmp_path / f"facesieve-models-{os.getuid()}" / sha256).is_dir()
