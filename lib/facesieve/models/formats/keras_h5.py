"""Keras models in HDF5, read as data: the layers from an allow-list, the weights by name, no code of the file run.

A Lambda layer is accepted when it is the scaled sum of Inception-ResNet, by its name (`..._ScaleSum`), its one
argument `scale` and its two inputs: x0 + scale * x1. The marshalled function beside it is never read.
"""

from __future__ import annotations

import json
from typing import Any

from facesieve.core.errors import ModelError
from facesieve.models.files import ModelFiles
from facesieve.models.formats import hdf5, keras_network
from facesieve.models.formats.keras_network import KerasForm, Network
from facesieve.models.formats.layer_rules import Layer
from facesieve.models.formats.layers import ALLOWED
from facesieve.models.network import Floats

_OLD_NAMES = {"depthwise_kernel": "kernel"}
"""Weights that Keras 2 names otherwise than Keras 3."""


def _network(files: ModelFiles) -> Network:
    with hdf5.opened(files.single) as file:
        if "model_config" not in file.attrs:
            raise ModelError(f"{files.root} holds weights alone: save the whole model (model.save), not its weights")
        config = json.loads(file.attrs["model_config"])["config"]
        group = hdf5.member(file, "model_weights")
        return keras_network.network(config, ALLOWED, lambda layer: _weights(layer, group))


def _weights(layer: Layer, group: Any) -> dict[str, Floats]:
    """The weights of one layer by the last part of their name (`kernel`, `moving_mean`, ...)."""
    if not hdf5.has(group, layer.name):
        return {}
    own = hdf5.member(group, layer.name)
    weights = {}
    for raw in own.attrs["weight_names"]:
        stored = raw.decode() if isinstance(raw, bytes) else str(raw)
        short = stored.rpartition("/")[2].partition(":")[0]
        weights[_OLD_NAMES.get(short, short)] = hdf5.floats(own, stored, layer.name)
    return weights


_FORM = KerasForm(_network)
read, load, facts = _FORM.read, _FORM.load, _FORM.facts
