"""TensorFlow Lite models: a flat file of operations and weights, run by the interpreter with one thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from facesieve.errors import ModelError
from facesieve.models import runtime
from facesieve.models.network import Floats, Infer
from facesieve.profiles import Profile


def load(content: bytes, profile: Profile) -> Infer:
    """Make an interpreter for a TFLite file: float32 [N, H, W, 3] -> float32 [N, D].

    Raises ModelError if the file cannot be parsed, or its input or output is not the profile's.
    """
    tf = runtime.tensorflow()
    with runtime.silenced():
        try:
            interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as problem:
            raise ModelError(f"{profile.name}: the TFLite file cannot be loaded ({problem})") from None
    source, target = _input(interpreter, profile), _output(interpreter, profile)

    def infer(batch: Floats) -> Floats:
        if tuple(interpreter.get_input_details()[0]["shape"]) != batch.shape:
            interpreter.resize_tensor_input(source, batch.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(source, batch)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(target))

    return infer


def _input(interpreter: Any, profile: Profile) -> int:
    details = interpreter.get_input_details()
    wanted = (*profile.input, 3)
    if len(details) != 1 or tuple(details[0]["shape"][1:]) != wanted or details[0]["dtype"] is not np.float32:
        found = "; ".join(f"{one['dtype'].__name__} {one['shape'].tolist()}" for one in details)
        raise ModelError(f"{profile.name}: input is {found}, the profile says one float32 [N, H, W, 3] = {wanted}")
    return int(details[0]["index"])


def _output(interpreter: Any, profile: Profile) -> int:
    details = interpreter.get_output_details()
    named = [one for one in details if profile.output in ("", one["name"])]
    if len(named) != 1:
        names = ", ".join(one["name"] for one in details)
        raise ModelError(f"{profile.name}: output {profile.output!r} does not name one of: {names}")
    shape, dtype = named[0]["shape"].tolist(), named[0]["dtype"]
    if shape[1:] != [profile.dimension] or dtype is not np.float32:
        raise ModelError(f"{profile.name}: output is {dtype.__name__} {shape}, the profile says {profile.dimension}")
    return int(named[0]["index"])
