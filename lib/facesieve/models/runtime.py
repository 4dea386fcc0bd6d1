"""What runs models, set up for a Spark worker: one thread, no chatter, GPU memory as needed.

That is TensorFlow, LiteRT for TensorFlow Lite files where it is installed, and onnxruntime for ONNX files.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from facesieve.core.errors import ModelError


@cache
def tensorflow() -> Any:
    """Import TensorFlow, with one thread for each pool: Spark's tasks are the parallelism.

    In a process that has used TensorFlow already its threads stay as they are, since they cannot be changed any more.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with silenced():
        with _without_keras():
            import tensorflow as tf  # noqa: PLC0415 (an import of this module must not load TensorFlow)

        tf.get_logger().setLevel("ERROR")
        try:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
            gpus = tf.config.list_physical_devices("GPU")
            for gpu in gpus:
                tf.config.experimental.set_memory_growth(gpu, True)
            # On a processor the optimiser takes seconds per model, and gains nothing for networks without training.
            tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not gpus})
        except RuntimeError:
            pass
        tf.zeros(1)
    return tf


def lite_interpreter() -> Any:
    """Return the class that runs TensorFlow Lite files: LiteRT's where that is installed, else TensorFlow's."""
    litert = _litert("interpreter")
    return litert.Interpreter if litert else tensorflow().lite.Interpreter


@cache
def lite_schema() -> Any:
    """Return what reads TensorFlow Lite files in Python: of LiteRT where that is installed, else of TensorFlow."""
    litert = _litert("schema_py_generated")
    if litert:
        return litert
    tensorflow()
    with silenced():
        return importlib.import_module("tensorflow.lite.python.schema_py_generated")


@cache
def _litert(module: str) -> Any:
    if importlib.util.find_spec("ai_edge_litert") is None:
        return None
    with silenced():
        return importlib.import_module(f"ai_edge_litert.{module}")


@cache
def onnx_package(name: str) -> Any:
    """Import `onnx`, a module of it, or `onnxruntime`. Raises ModelError if the package is not installed."""
    package = name.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        raise ModelError(f"models of the form onnx need the package {package}: install facesieve[onnx] on every node")
    with silenced():
        return importlib.import_module(name)


@contextmanager
def _without_keras() -> Iterator[None]:
    """Hide Keras while TensorFlow is imported: it would load Keras at once, which takes as long as all the rest.

    Afterwards Keras can be imported as always, and is what `tf.keras` gives.
    """
    if "keras" in sys.modules:
        yield
        return
    sys.modules["keras"] = None  # type: ignore[assignment] # Python's way to make an import fail
    try:
        yield
    finally:
        del sys.modules["keras"]


@contextmanager
def silenced() -> Iterator[None]:
    """Send standard error to nowhere: native code greets there before any log level can be set.

    Python's exceptions pass as always; warnings are muted.
    """
    sys.stderr.flush()
    standard_error = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
