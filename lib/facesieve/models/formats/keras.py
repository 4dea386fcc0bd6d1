"""Keras 3's own format (`.keras`), weights only: a zip of a configuration and an HDF5 file, both read as data.

Neither Keras nor any code of the file is run, and no Lambda is accepted. Where a layer's weights stand: at
`layers/<class in snake case>[_n]/vars/<i>`, n counting the layers of a class in the order of the configuration, i the
weights in the order in which the layer made them. The files of TensorFlow 2.12 call the first part
`_layer_checkpoint_dependencies`. Source: keras/src/saving/saving_lib.py of Keras 3.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from typing import Any

from facesieve.core.errors import ModelError
from facesieve.models.files import MOST_BYTES, ModelFiles
from facesieve.models.formats import hdf5, keras_network
from facesieve.models.formats.keras_network import KerasForm, Network
from facesieve.models.formats.layer_rules import Layer
from facesieve.models.formats.layers import ALLOWED
from facesieve.models.network import Floats

KINDS = tuple(kind for kind in ALLOWED if kind != "Lambda")
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_ROOTS = ("layers", "_layer_checkpoint_dependencies")
_MOST_EXPANSION = 100
"""A member may unpack to this many times its packed bytes: Keras stores without packing, text packs about tenfold."""
_SMALL = 1_000_000


def _network(files: ModelFiles) -> Network:
    parts = members(files.single, str(files.root))
    with hdf5.opened(parts[_WEIGHTS]) as file:
        config = json.loads(parts[_CONFIG])["config"]
        counted: Counter[str] = Counter()
        return keras_network.network(config, KINDS, lambda layer: _weights(layer, file, counted))


def members(content: bytes, shown: str) -> dict[str, bytes]:
    """Unpack, in memory, the two members that are read: name -> content. Raises ModelError; `shown` names the file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive, shown)
            return {name: archive.read(name) for name in (_CONFIG, _WEIGHTS)}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, *hdf5.UNREADABLE) as problem:
        raise ModelError(f"{shown} is not a .keras file that can be read ({problem!r})") from None


def _check_members(archive: zipfile.ZipFile, shown: str) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    for member in members:
        name = member.filename
        if name.startswith("/") or ".." in name.split("/") or "\\" in name or not name.isprintable():
            raise ModelError(f"{shown} holds a member {name!r}, whose name leaves the archive")
        if member.file_size > _SMALL + _MOST_EXPANSION * member.compress_size:
            raise ModelError(
                f"{shown}: {name} would unpack from {member.compress_size:,} to {member.file_size:,} bytes"
            )
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise ModelError(f"{shown} would unpack to more than {MOST_BYTES:,} bytes, which is the bound")
    if len(set(names)) < len(names):
        raise ModelError(f"{shown} holds a member twice")
    for name in (_CONFIG, _WEIGHTS):
        if name not in names:
            raise ModelError(f"{shown} has no {name}: save the model with model.save('NAME.keras') of Keras 3")


def _weights(layer: Layer, file: Any, counted: Counter[str]) -> dict[str, Floats]:
    """The weights of one layer by short name, found by their place: their own names are not kept."""
    place = _snake_case(layer.kind)
    counted[place] += 1
    if counted[place] > 1:
        place = f"{place}_{counted[place] - 1}"
    for root in _ROOTS:
        path = f"{root}/{place}/vars"
        if hdf5.has(file, path):
            return _arrays(layer, hdf5.member(file, path))
    return {}


def _arrays(layer: Layer, group: Any) -> dict[str, Floats]:
    meant = group.attrs.get("name", layer.name)
    if meant != layer.name:
        raise ModelError(f"Layer {layer.name}: in its place are the weights of {meant}.")
    names = list(ALLOWED[layer.kind].weights(layer.config))
    if len(group) > len(names):
        raise ModelError(f"Layer {layer.name} ({layer.kind}): weight {len(names)} has no place in it.")
    return {names[index]: hdf5.floats(group, str(index), layer.name) for index in range(len(group))}


def _snake_case(kind: str) -> str:
    """Spell a class name as Keras does: `Conv2D` is conv2d, `PReLU` p_re_lu."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()


_FORM = KerasForm(_network)
read, load, facts = _FORM.read, _FORM.load, _FORM.facts
