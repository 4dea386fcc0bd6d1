"""The ends of every form of model are read, also where the model is refused; what cannot be read has none."""

from __future__ import annotations

import importlib
from pathlib import Path

import facenet_graphs
import pytest
from lite import stored

from facesieve.models import files
from facesieve.models.outline import Outline, outline

BUILT = {"net.h5": "keras_h5", **facenet_graphs.FORMS}


@pytest.mark.parametrize("name", BUILT)
def test_every_form_tells_its_ends(name: str) -> None:
    ends = outline(files.read(facenet_graphs.small() / "8" / name), BUILT[name])
    # Behind the end of a training queue the graph itself tells no shape.
    assert any("32, 32, 3]" in one or one.startswith("input:0 float32") for one in ends.inputs)
    assert ends.outputs


def test_a_keras_file_that_is_refused_tells_them(tmp_path: Path) -> None:
    keras = importlib.import_module("keras")
    source = keras.layers.Input((16, 16, 3), name="crops")
    planes = keras.layers.Lambda(lambda x: x, name="own")(source)
    keras.Model(source, planes).save(tmp_path / "net.keras")
    ends = outline(files.read(tmp_path / "net.keras"), "keras")
    assert ends == Outline(("crops [?, 16, 16, 3]",), ("own (Lambda)",))


@pytest.mark.parametrize("form", ["tflite", "frozen_graph", "keras_h5", "keras"])
def test_what_cannot_be_read_has_no_ends(form: str) -> None:
    assert outline(stored(b"\x0a nothing"), form) == Outline()


@pytest.mark.parametrize("form", ["saved_model", "checkpoint"])
def test_a_directory_without_a_graph_has_no_ends(form: str) -> None:
    assert outline(files.ModelFiles(Path("it"), {"a": b"", "b": b""}), form) == Outline()
