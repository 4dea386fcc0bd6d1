"""ONNX models: one file of ONNX's own operators, run by onnxruntime with one thread, or on a GPU where there is one.

The file is read before onnxruntime sees it. Only the part between the input and one output gets there. The images go
in as the file wants them, (N, H, W, 3) or (N, 3, H, W).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facesieve.core.errors import ModelError, first_line
from facesieve.core.profiles import Profile
from facesieve.models import runtime
from facesieve.models.files import ModelFiles
from facesieve.models.formats import onnx_graph
from facesieve.models.formats.batches import of_any_size
from facesieve.models.formats.onnx_graph import Network, Tensor
from facesieve.models.network import Facts, Floats, Infer

_GPU = "CUDAExecutionProvider"
_EXACT = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
"""On a GPU: numbers as on a processor, and no search for the fastest convolution at each new number of images."""

_QUIET = 4
_FAILURES = (Exception,)
"""onnxruntime's errors have no common root but this one."""


class _Session:
    """A network that onnxruntime runs."""

    def __init__(self, content: bytes, source: str, channels_first: bool) -> None:
        self._source, self._channels_first = source, channels_first
        with runtime.silenced():
            self._run = _session(content)

    def __call__(self, batch: Floats) -> Floats:
        images = np.ascontiguousarray(batch.transpose(0, 3, 1, 2)) if self._channels_first else batch
        (rows,) = self._run.run(None, {self._source: images})
        return np.asarray(_without_single_sides(rows))


def read(files: ModelFiles, profile: Profile) -> None:
    """Read and check a file without onnxruntime. Raises ModelError as `load` does."""
    _checked(files, profile)


def load(files: ModelFiles, profile: Profile) -> Infer:
    """Make a session for an ONNX file: float32 [N, H, W, 3] -> float32 [N, D].

    A model that was converted for a fixed number of images gets so many at a time, unless it takes any number. Raises
    ModelError if the file cannot be parsed, holds what is not accepted, mixes the images of a batch, or does not fit
    the profile.
    """
    model, network, target = _checked(files, profile)
    source = network.inputs[0].name

    def session(any_size: bool) -> Infer:
        return _Session(onnx_graph.cut(model, source, target.name, any_size), source, network.channels_first)

    runtime.onnx_package("onnxruntime")
    try:
        return of_any_size(session, network.batch or 1, profile, _FAILURES)
    except (ModelError, MemoryError):
        raise
    except _FAILURES as problem:
        raise ModelError(f"{profile.name}: the ONNX file cannot be loaded ({first_line(problem)})") from None


def facts(files: ModelFiles) -> Facts:
    """Say what the file tells about the model, accepted or not. Raises ModelError if it cannot be parsed."""
    network = onnx_graph.read(onnx_graph.parse(files.single))
    together = "one image" if network.batch == 1 else f"{network.batch} images"
    notes = (
        (network.quantised, "its weights are quantised"),
        (network.batch is not None, f"it was converted for {together} at a time"),
        (network.channels_first, "it takes images as (3, height, width), into which they are brought"),
        (network.idle > 0, f"{network.idle} more inputs are declared, which no node uses"),
    )
    height, width = network.size
    return Facts(
        inputs=tuple(map(str, network.inputs)),
        outputs=tuple(map(str, network.outputs)),
        input_size=(height, width) if height and width else None,
        dimension=_dimension(network.outputs),
        parameters=network.parameters,
        notes=tuple(text for holds, text in notes if holds),
        scales_input=network.scales_input,
    )


def _checked(files: ModelFiles, profile: Profile) -> tuple[Any, Network, Tensor]:
    """Return the model, what it says, and the output that is meant."""
    model = onnx_graph.parse(files.single)
    onnx_graph.refuse(model)
    outputs = onnx_graph.read(model).outputs
    named = [tensor for tensor in outputs if profile.output in ("", tensor.name)]
    if len(named) != 1:
        names = ", ".join(tensor.name for tensor in outputs)
        raise ModelError(f"{profile.name}: output {profile.output!r} does not name one of: {names}")
    network = onnx_graph.read(model, named[0].name)
    _check_input(network, profile)
    sides = _sides(named[0])
    if named[0].kind != "FLOAT" or (sides is not None and sides not in ((profile.dimension,), (None,))):
        raise ModelError(f"{profile.name}: output is {named[0]}, the profile says {profile.dimension}")
    return model, network, named[0]


def _check_input(network: Network, profile: Profile) -> None:
    fits = len(network.inputs) == 1 and network.inputs[0].kind == "FLOAT" and _is_image(network.inputs[0])
    same = all(side in (None, wanted) for side, wanted in zip(network.size, profile.input, strict=True))
    if not (fits and same):
        shown = "; ".join(map(str, network.inputs)) or "none"
        wanted = (*profile.input, 3)
        raise ModelError(
            f"{profile.name}: input is {shown}, the profile says one float32 [N, H, W, 3] = {wanted}, or the 3 first"
        )


def _is_image(tensor: Tensor) -> bool:
    shape = tensor.shape
    return shape is not None and len(shape) == 4 and (3 in (shape[1], shape[3]) or None in (shape[1], shape[3]))


def _sides(tensor: Tensor) -> tuple[int | None, ...] | None:
    """The shape of one image's numbers, without sides of 1 behind the first; None where it is unknown."""
    if tensor.shape is None:
        return None
    sides = list(tensor.shape[1:])
    while len(sides) > 1 and sides[-1] == 1:
        sides.pop()
    return tuple(sides)


def _without_single_sides(rows: Floats) -> Floats:
    return rows.reshape(len(rows), -1) if rows.ndim > 2 and all(side == 1 for side in rows.shape[2:]) else rows


def _dimension(outputs: Sequence[Tensor]) -> int | None:
    sides = _sides(outputs[0]) if len(outputs) == 1 else None
    return sides[0] if sides and len(sides) == 1 else None


def _session(content: bytes) -> Any:
    """Make a session of one thread: Spark's tasks are the parallelism."""
    ort = runtime.onnx_package("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    processor: list[str | tuple[str, Mapping[str, str]]] = ["CPUExecutionProvider"]
    gpu: list[str | tuple[str, Mapping[str, str]]] = [(_GPU, _EXACT)] if _GPU in ort.get_available_providers() else []
    return ort.InferenceSession(content, options, providers=gpu + processor)
