"""Variables whose weights stand in the file, and those that a conversion has lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lite import SIDE, changed, profile, stored

from facesieve.core.errors import ModelError
from facesieve.models import runtime
from facesieve.models.formats import tflite


@pytest.fixture(scope="module")
def with_variable(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model whose dense layer is a variable of the file, since the model writes to it."""
    tf = runtime.tensorflow()

    class Model(tf.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.dense = tf.Variable(np.random.default_rng(0).normal(size=(SIDE * SIDE * 3, 8)).astype(np.float32))

        @tf.function(input_signature=[tf.TensorSpec([1, SIDE, SIDE, 3], tf.float32)])  # type: ignore[untyped-decorator]
        def run(self, crops: Any) -> Any:
            self.dense.assign(self.dense * 1.0)
            return tf.matmul(tf.reshape(crops, [-1, SIDE * SIDE * 3]), self.dense.read_value())

    model, folder = Model(), str(tmp_path_factory.mktemp("variable") / "saved")
    with runtime.silenced():
        tf.saved_model.save(model, folder, signatures=model.run.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.experimental_enable_resource_variables = True
        return bytes(converter.convert())


def lose(model: Any, schema: Any) -> None:
    """Leave out what assigns the variable, as a conversion does that is not given the variable's owner."""
    names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    main = model.subgraphs[0]
    codes = [names[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]
    main.operators = [one for one in main.operators if codes[one.opcodeIndex] != "CALL_ONCE"]


def test_a_variable_with_weights_is_accepted(with_variable: bytes) -> None:
    crops = np.ones((3, SIDE, SIDE, 3), np.float32)
    vectors = tflite.load(stored(with_variable), profile(8))(crops)
    assert vectors.shape == (3, 8)
    assert np.abs(vectors).max() > 1


def test_a_file_without_its_weights_is_refused_with_the_way_to_convert(with_variable: bytes) -> None:
    content = changed(with_variable, lose)
    with pytest.raises(ModelError, match=r"the conversion lost the weights.*never assigned.*from_saved_model"):
        tflite.load(stored(content), profile(8))
    assert tflite.facts(stored(content)).outputs[0].endswith("float32 [?, 8]")
