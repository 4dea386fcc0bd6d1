"""TensorFlow Lite models: a flat file of operations and weights, run by the interpreter with one thread.

The interpreter is that of LiteRT (`ai-edge-litert`), which needs no TensorFlow; else TensorFlow's own. The file is read
before an interpreter sees it: operations that are not TensorFlow Lite's own are refused.
"""

from __future__ import annotations

import numpy as np

from facesieve.core.errors import ModelError, first_line
from facesieve.core.profiles import Profile
from facesieve.models import runtime
from facesieve.models.files import ModelFiles
from facesieve.models.formats import flatbuffer
from facesieve.models.formats.batches import of_any_size
from facesieve.models.network import Facts, Floats, Infer

_FAILURES = (ValueError, RuntimeError)
"""What the interpreter raises where it cannot load or run a file."""


class _Interpreter:
    """One interpreter, kept; its tensors are allocated anew only when the number of crops changes."""

    def __init__(self, content: bytes, output: str) -> None:
        interpreter = runtime.lite_interpreter()
        with runtime.silenced():
            self._run = interpreter(model_content=content, num_threads=1)
            self._run.allocate_tensors()
        source = self._run.get_input_details()[0]
        named = [tensor for tensor in self._run.get_output_details() if output in ("", tensor["name"])]
        self._source, self._target = int(source["index"]), int(named[0]["index"])
        self._shape = tuple(int(side) for side in source["shape"])

    def __call__(self, batch: Floats) -> Floats:
        if self._shape != batch.shape:
            with runtime.silenced():
                self._run.resize_tensor_input(self._source, batch.shape)
                self._run.allocate_tensors()
            self._shape = batch.shape
        self._run.set_tensor(self._source, batch)
        self._run.invoke()
        return np.asarray(self._run.get_tensor(self._target))


def load(files: ModelFiles, profile: Profile) -> Infer:
    """Make an interpreter for a TFLite file: float32 [N, H, W, 3] -> float32 [N, D].

    A model that was converted for a fixed number of images gets so many at a time. Raises ModelError if the file cannot
    be parsed, holds what is not accepted, mixes the images of a batch, or its input or output is not the profile's.
    """
    flat = flatbuffer.read(files.single)
    flatbuffer.refuse(files.single)
    _check(flat, profile)
    size = flat.batch
    try:
        return of_any_size(lambda _: _Interpreter(files.single, profile.output), size, profile, _FAILURES)
    except _FAILURES as problem:
        raise ModelError(f"{profile.name}: the TFLite file cannot be loaded ({first_line(problem)})") from None


def facts(files: ModelFiles) -> Facts:
    """Say what the file tells about the model, accepted or not. Raises ModelError if it cannot be parsed."""
    flat = flatbuffer.read(files.single)
    sides = flat.inputs[0].shape[1:3] if len(flat.inputs) == 1 and len(flat.inputs[0].shape) == 4 else ()
    only = flat.outputs[0].shape if len(flat.outputs) == 1 else ()
    batch = f"it was converted for {flat.batch} images at a time" if flat.batch > 1 else ""
    return Facts(
        inputs=tuple(str(tensor) for tensor in flat.inputs),
        outputs=tuple(str(tensor) for tensor in flat.outputs),
        input_size=(sides[0], sides[1]) if len(sides) == 2 and sides[0] and sides[1] else None,
        dimension=only[1] if len(only) == 2 else None,
        parameters=flat.parameters,
        notes=tuple(note for note in ("its weights are quantised" if flat.quantised else "", batch) if note),
        scales_input=flat.scales_input,
    )


def _check(flat: flatbuffer.Flat, profile: Profile) -> None:
    wanted = (*profile.input, 3)
    shown = "; ".join(map(str, flat.inputs))
    if len(flat.inputs) != 1 or flat.inputs[0].kind != "FLOAT32" or not _is(flat.inputs[0].shape[1:], wanted):
        raise ModelError(f"{profile.name}: input is {shown}, the profile says one float32 [N, H, W, 3] = {wanted}")
    named = [tensor for tensor in flat.outputs if profile.output in ("", tensor.name)]
    if len(named) != 1:
        names = ", ".join(tensor.name for tensor in flat.outputs)
        raise ModelError(f"{profile.name}: output {profile.output!r} does not name one of: {names}")
    if named[0].kind != "FLOAT32" or not _is(named[0].shape[1:], (profile.dimension,)):
        raise ModelError(f"{profile.name}: output is {named[0]}, the profile says {profile.dimension}")


def _is(sides: tuple[int | None, ...], wanted: tuple[int, ...]) -> bool:
    return len(sides) == len(wanted) and all(side in (None, own) for side, own in zip(sides, wanted, strict=True))
