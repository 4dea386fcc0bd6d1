from __future__ import annotations

import os
import subprocess
import sys

import pytest

from facesieve.models import runtime


def test_native_chatter_is_silenced_and_then_heard_again(capfd: pytest.CaptureFixture[str]) -> None:
    with runtime.silenced():
        os.write(2, b"greetings")
    with pytest.raises(IsADirectoryError), runtime.silenced():
        os.open(os.curdir, os.O_WRONLY)
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_tensorflow_runs_one_thread_a_task() -> None:
    tf = runtime.tensorflow()
    assert tf is runtime.tensorflow()
    assert tf.config.threading.get_intra_op_parallelism_threads() in (0, 1)


def test_tensorflow_is_loaded_without_keras_which_can_be_had_afterwards() -> None:
    program = (
        "import sys; from facesieve.models import runtime; tf = runtime.tensorflow();"
        "assert not any(name.split('.')[0] == 'keras' for name in sys.modules);"
        "assert tf.keras.layers.Dense(2)(tf.zeros((1, 3))).shape == (1, 2)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300)
