"""TensorFlow Lite models: a flat file of operations and weights, run by the interpreter with one thread.

The file is read before an interpreter sees it: operations that are not TensorFlow Lite's own are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facesieve.core.errors import ModelError, first_line
from facesieve.core.profiles import Profile
from facesieve.models import runtime
from facesieve.models.files import ModelFiles
from facesieve.models.formats import flatbuffer
from facesieve.models.network import Facts, Floats, Infer


class _Interpreter:
    """One interpreter, kept; its tensors are allocated anew only when the number of crops changes."""

    def __init__(self, content: bytes, output: str) -> None:
        tf = runtime.tensorflow()
        with runtime.silenced():
            self._run = tf.lite.Interpreter(model_content=content, num_threads=1)
            self._run.allocate_tensors()
        source = self._run.get_input_details()[0]
        named = [tensor for tensor in self._run.get_output_details() if output in ("", tensor["name"])]
        self._source, self._target = int(source["index"]), int(named[0]["index"])
        self._shape = tuple(int(side) for side in source["shape"])
        self.batch = self._shape[0]
        """How many images the file was converted for."""

    def __call__(self, batch: Floats) -> Floats:
        if self._shape != batch.shape:
            with runtime.silenced():
                self._run.resize_tensor_input(self._source, batch.shape)
                self._run.allocate_tensors()
            self._shape = batch.shape
        self._run.set_tensor(self._source, batch)
        self._run.invoke()
        return np.asarray(self._run.get_tensor(self._target))


@dataclass(frozen=True)
class _Fixed:
    """An interpreter that takes its own number of crops only; the last batch is filled up with black."""

    interpreter: _Interpreter

    def __call__(self, batch: Floats) -> Floats:
        size = self.interpreter.batch
        missing = -len(batch) % size
        filled = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), np.float32)])
        rows = [self.interpreter(filled[start : start + size]) for start in range(0, len(filled), size)]
        return np.concatenate(rows)[: len(batch)]


def load(files: ModelFiles, profile: Profile) -> Infer:
    """Make an interpreter for a TFLite file: float32 [N, H, W, 3] -> float32 [N, D].

    A model that was converted for a fixed number of images gets so many at a time. Raises ModelError if the file cannot
    be parsed, holds what is not accepted, mixes the images of a batch, or its input or output is not the profile's.
    """
    flat = flatbuffer.read(files.single)
    flatbuffer.refuse(files.single)
    _check(flat, profile)
    try:
        interpreter = _Interpreter(files.single, profile.output)
        if _takes_batches(interpreter, profile):
            return interpreter
        fixed = _Fixed(_Interpreter(files.single, profile.output))
        mixed = _mixes(fixed, profile)
    except (ValueError, RuntimeError) as problem:
        raise ModelError(f"{profile.name}: the TFLite file cannot be loaded ({first_line(problem)})") from None
    if mixed:
        size = fixed.interpreter.batch
        raise ModelError(
            f"{profile.name}: of {size} images at once, an image's numbers depend on the others: not a model of faces"
        )
    return fixed


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


def _takes_batches(interpreter: _Interpreter, profile: Profile) -> bool:
    """Say whether one crop more, and one alone, give what the file's own number of crops gives.

    A fixed reshape inside fails, or mixes the crops.
    """
    size = interpreter.batch
    crops = _noise(size + 1, profile)
    own = interpreter(crops[1:])
    try:
        more = interpreter(crops)
        alone = interpreter(crops[1:2])
    except (ValueError, RuntimeError):
        return False
    return more.shape == (size + 1, *own.shape[1:]) and _agree(more[1:], own) and _agree(alone, own[:1])


def _mixes(fixed: _Fixed, profile: Profile) -> bool:
    """Say whether a crop gives other numbers beside other crops."""
    size = fixed.interpreter.batch
    crops = _noise(2 * size, profile)
    rows = fixed(crops[:size])
    return len(rows) != size or not _agree(fixed(crops[[0, *range(size + 1, 2 * size)]])[:1], rows[:1])


def _noise(count: int, profile: Profile) -> Floats:
    return np.random.default_rng(0).uniform(-1, 1, (count, *profile.input, 3)).astype(np.float32)


def _agree(rows: Floats, others: Floats) -> bool:
    return rows.shape == others.shape and np.allclose(rows, others, rtol=1e-2, atol=1e-3)
