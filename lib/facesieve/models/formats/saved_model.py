"""SavedModels of TensorFlow 1 and 2 (a directory with `saved_model.pb` and `variables`), such as Keras exports.

TensorFlow's own loader is not used: the signature `serving_default` says which tensors are input and output, the part
of the graph between them is cut out, and the weights are read from `variables`. What else is in the files (saver,
assets, other signatures, objects, metadata of Keras) is never reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.models.files import ModelFiles
from facesieve.models.formats import graph_surgery, graphs, ops
from facesieve.models.network import Facts, Floats, Infer

_TAG, _SIGNATURE = "serve", "serving_default"
_FILE, _VARIABLES = "saved_model.pb", "variables/variables"


def load(files: ModelFiles, profile: Profile) -> Infer:
    """Make a function of a SavedModel's signature: float32 [N, H, W, 3] -> float32 [N, D].

    The profile's `output` names one of several outputs. Raises ModelError if files or the signature are missing, the
    graph holds what is not accepted, or does not fit the profile.
    """
    meta = _meta_graph(files)
    return graphs.infer(_network(files, meta, _target(meta, profile.output)), profile)


def facts(files: ModelFiles) -> Facts:
    """Say what a SavedModel is. Raises ModelError as `load` does."""
    meta = _meta_graph(files)
    outputs = dict(_signature(meta).outputs)
    facts_of_graph = graphs.facts(_network(files, meta, next(iter(outputs.values())).name))
    if len(outputs) == 1:
        return facts_of_graph
    shown = tuple(f"{name}: {_described(info)}" for name, info in sorted(outputs.items()))
    note = "there are several outputs: name one as `output` in the profile"
    return replace(facts_of_graph, outputs=shown, dimension=None, notes=(note,))


def _meta_graph(files: ModelFiles) -> Any:
    if _FILE not in files.contents:
        raise ModelError(
            f"{files.root} holds no {_FILE}: a SavedModel is a directory with that file and {_VARIABLES}.*"
        )
    saved = graphs.parse(files.contents[_FILE], "SavedModel")
    tagged = [meta for meta in saved.meta_graphs if list(meta.meta_info_def.tags) == [_TAG]]
    if len(tagged) != 1:
        tags = "; ".join(",".join(meta.meta_info_def.tags) for meta in saved.meta_graphs) or "none"
        raise ModelError(f"the SavedModel must hold one graph tagged {_TAG!r}, its graphs have the tags: {tags}")
    return tagged[0]


def _signature(meta: Any) -> Any:
    if _SIGNATURE not in meta.signature_def or not meta.signature_def[_SIGNATURE].outputs:
        names = ", ".join(sorted(name for name in meta.signature_def if not name.startswith("__"))) or "none"
        raise ModelError(f"the SavedModel has no signature {_SIGNATURE!r} with an output; its signatures: {names}")
    return meta.signature_def[_SIGNATURE]


def _target(meta: Any, output: str) -> str:
    """The output tensor: the only one of the signature, or the one that the profile names (by key or tensor)."""
    outputs = dict(_signature(meta).outputs)
    named = [info.name for key, info in outputs.items() if output in ("", key, info.name)]
    if len(named) != 1:
        raise ModelError(f"output {output!r} does not name one of the signature's: {', '.join(sorted(outputs))}")
    return str(named[0])


def _network(files: ModelFiles, meta: Any, target: str) -> graphs.Graph:
    inputs = dict(_signature(meta).inputs)
    images = {key: info for key, info in inputs.items() if info.dtype != graph_surgery.BOOL}
    if len(images) != 1:
        shown = "; ".join(f"{key}: {_described(info)}" for key, info in sorted(inputs.items())) or "none"
        raise ModelError(f"the signature must take images alone (and flags, held false), its inputs are {shown}")
    image = next(iter(images.values()))
    if image.dtype != graph_surgery.FLOAT:
        raise ModelError(f"the signature takes {_described(image)}, float32 images are accepted")
    off = {graphs.PHASE, *(graph_surgery.tensor(info.name)[0] for key, info in inputs.items() if key not in images)}
    keys = _restored(meta)

    def values(shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, Floats]:
        if not shapes:
            return {}
        if f"{_VARIABLES}.index" not in files.contents:
            raise ModelError(f"{files.root} holds no {_VARIABLES}.index, the weights")
        with files.on_disk() as folder:
            return graphs.read_values(folder / _VARIABLES, keys, shapes)

    return graphs.network(meta.graph_def, (image.name, target), off, values, graphs.sides_of(image.tensor_shape))


def _restored(meta: Any) -> dict[str, str]:
    """Which entry of `variables` each variable gets: node name -> key, read off the function that restores them.

    In TensorFlow 2 the saver names a call of a function, which takes the variables' handles and assigns to each an
    output of one RestoreV2. In TensorFlow 1 there is no such function, and a variable's key is its name.
    """
    nodes = {node.name: node for node in meta.graph_def.node}
    call = nodes.get(graph_surgery.tensor(meta.saver_def.restore_op_name)[0])
    if call is None or call.op not in ops.CALLS:
        return {}
    library = {function.signature.name: function for function in meta.graph_def.library.function}
    function = library.get(call.attr["f"].func.name)
    if function is None:
        return {}
    body = {node.name: node for node in function.node_def}
    handles = {arg.name: name for arg, name in zip(function.signature.input_arg, call.input, strict=False)}
    assigned = [node.input for node in function.node_def if node.op == "AssignVariableOp" and len(node.input) > 1]
    pairs = [(handles.get(target, ""), _key(body, value)) for target, value, *_ in assigned]
    return {graph_surgery.tensor(name)[0]: key for name, key in pairs if name and key}


def _key(body: Mapping[str, Any], text: str) -> str:
    """The key of the tensor `text` inside the function that restores: through Identity back to RestoreV2's list."""
    name, _, output = text.partition(":")
    for _ in body:
        node = body.get(name)
        if node is None or node.op not in ("Identity", "RestoreV2"):
            return ""
        if node.op == "RestoreV2":
            names = body.get(node.input[1].partition(":")[0])
            keys = names.attr["value"].tensor.string_val if names is not None else ()
            index = output.rpartition(":")[2]
            return keys[int(index)].decode("utf-8", "replace") if index.isdecimal() and int(index) < len(keys) else ""
        name, _, output = node.input[0].partition(":")
    return ""


def _described(info: Any) -> str:
    return graphs.described(
        info.name, graphs.KINDS.get(info.dtype, f"type {info.dtype}"), graphs.sides_of(info.tensor_shape)
    )
