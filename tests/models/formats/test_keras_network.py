"""A network out of a configuration, without TensorFlow; `test_keras` and `test_keras_h5` run what comes out."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.models.files import ModelFiles
from facesieve.models.formats.keras_network import KerasForm, Network, fitting, network
from facesieve.models.formats.layer_rules import Layer
from facesieve.models.formats.layers import ALLOWED
from facesieve.models.network import Floats

DENSE = {"units": 2, "use_bias": False, "activation": "linear"}
CONFIG: dict[str, Any] = {
    "layers": [
        {"class_name": "InputLayer", "config": {"name": "crops", "batch_shape": [None, 4, 6, 3]}},
        {"class_name": "Flatten", "config": {"name": "flat"}},
        {"class_name": "Dense", "config": {"name": "dense", **DENSE}},
        {"class_name": "UnitNormalization", "config": {"name": "unit", "axis": -1}},
    ]
}
PROFILE = Profile("", "0" * 64, "keras", (4, 6), "none", 2, name="plain")


def weights(layer: Layer) -> dict[str, Floats]:
    return {"kernel": np.zeros((72, 2), np.float32)} if layer.kind == "Dense" else {}


def read(config: dict[str, Any]) -> Network:
    return network(config, ALLOWED, weights)


def test_a_sequence_is_read_in_order() -> None:
    plain = read(CONFIG)
    assert [(layer.name, layer.inputs) for layer in plain.layers] == [
        ("crops", ()),
        ("flat", ("crops",)),
        ("dense", ("flat",)),
        ("unit", ("dense",)),
    ]
    assert plain.outputs == ("unit",)
    assert fitting(plain, PROFILE) == "unit"
    facts = plain.facts()
    assert (facts.input_size, facts.dimension, facts.parameters) == ((4, 6), 2, 144)
    assert (facts.inputs, facts.outputs) == (("crops float32 [?, 4, 6, 3]",), ("unit float32 [?, 2]",))


@pytest.mark.parametrize("keras", [2, 3])
def test_branches_are_read_in_both_spellings(keras: int) -> None:
    config = copy.deepcopy(CONFIG)
    names = [entry["config"]["name"] for entry in config["layers"]]
    for before, entry in zip(names, config["layers"][1:], strict=False):
        history = [before, 0, 0, {}]
        node = {"args": [{"config": {"keras_history": history[:3]}}]} if keras == 3 else [history]
        entry["inbound_nodes"] = [node]
    config["output_layers"] = ["unit", 0, 0] if keras == 3 else [["unit", 0, 0]]
    inputs, expected = ([layer.inputs for layer in read(each).layers] for each in (config, CONFIG))
    assert inputs == expected
    assert read(config).outputs == ("unit",)


@pytest.mark.parametrize(
    ("place", "change", "problem"),
    [
        (1, {"class_name": "Lambda"}, "Layer flat .Lambda.: a Lambda is accepted only"),
        (1, {"class_name": "Evil"}, "Layer flat is a Evil, which is not accepted"),
        (1, {"module": "elsewhere"}, "Layer flat is a Flatten of elsewhere"),
        (2, {"config": {**DENSE, "name": "dense", "units": 3}}, "weight kernel is .72, 2., it should be .[?], 3."),
        (2, {"config": {**DENSE, "name": "dense", "use_bias": True}}, "weight bias is missing"),
        (3, {"config": {"name": "flat", "axis": -1}}, "Layer flat is there twice"),
    ],
)
def test_what_is_not_accepted_is_named(place: int, change: dict[str, Any], problem: str) -> None:
    config = copy.deepcopy(CONFIG)
    config["layers"][place] |= change
    with pytest.raises(ModelError, match=problem):
        read(config)


def test_a_form_reads_fits_and_tells_facts() -> None:
    form = KerasForm(lambda files: read(CONFIG))
    files = ModelFiles(root=Path("it"), contents={})
    assert form.read(files, PROFILE).outputs == ("unit",)
    assert form.facts(files).dimension == 2
    with pytest.raises(ModelError, match="output has 2 numbers, the profile says 9"):
        form.read(files, Profile("", "0" * 64, "keras", (4, 6), "none", 9, name="plain"))
    with pytest.raises(ModelError, match="input is"):
        form.read(files, Profile("", "0" * 64, "keras", (8, 6), "none", 2, name="plain"))
