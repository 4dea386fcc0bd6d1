from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facesieve.models import files, recognition

Write = Callable[[Path], object]
"""What writes something to a path."""


def archive(**members: bytes) -> Write:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            for name, content in members.items():
                file.writestr(name.replace("__", "/"), content)

    return write


def content(raw: bytes) -> Write:
    return lambda path: path.write_bytes(raw)


def arrays(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, weights=np.zeros(3))


def directory(*names: str) -> Write:
    def make(path: Path) -> None:
        for name in names:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(b"x")

    return make


@pytest.mark.parametrize(
    ("make", "form", "said"),
    [
        (content(b"\x80\x04\x95\x00"), "", "pickle"),
        (archive(archive__data__pkl=b"", **{"archive/data.pkl": b""}), "", "PyTorch"),
        (archive(readme=b"text"), "", "zip archive"),
        (arrays, "", "npz"),
        (content(b"<!DOCTYPE html><html>"), "", "web page"),
        (content(b"version https://git-lfs.github.com/spec/v1\noid sha256:0"), "", "git-lfs"),
        (content(b""), "", "empty"),
        (content(b"\x08\x01\x12\x90\x01graph"), "", "saved_model"),
        (content(b"\x93NUMPY"), "", "NumPy"),
        (content(b"who knows"), "", ""),
        (directory("photo.jpg"), "", "without a model"),
        (directory("below/saved_model.pb"), "", "below it"),
        (directory("net.tflite"), "", "net.tflite"),
        (directory("config.json", "model.weights.h5"), "", "unpacked"),
        (content(b"\x89HDF\r\n\x1a\n"), "keras_h5", None),
        (content(b"\x1c\x00\x00\x00TFL3"), "tflite", None),
        (archive(**{"config.json": b"", "metadata.json": b""}), "keras", None),
        (content(b"\x0a\x1d\x0a\x05input\x12\x0bPlaceholder"), "frozen_graph", None),
        (content(b"\x0a\xa9\x02\x0a\x82\x01" + b"n" * 130 + b"\x12\x05Const"), "frozen_graph", None),
        (content(b"\x08\x07\x12\x07pytorch\x1a\x051.9.0"), "onnx", None),
        (content(b"\x08\x08:\xaa\x01\n\x05\n\x01a"), "onnx", None),
        (directory("net.onnx", "net.onnx.data"), "", "net.onnx"),
        (directory("saved_model.pb", "variables/variables.index"), "saved_model", None),
        (directory("model-x.meta", "model-x.ckpt-1.index"), "checkpoint", None),
    ],
)
def test_content_is_recognised(tmp_path: Path, make: Write, form: str, said: str | None) -> None:
    make(tmp_path / "it")
    model = files.read(tmp_path / "it")
    assert recognition.form_of(model) == form
    if said is not None:
        assert said in recognition.mistaken(model)
        assert bool(recognition.mistaken(model)) == bool(said)
