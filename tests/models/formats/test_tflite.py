"""TensorFlow Lite files: builtin operations and finite weights alone, whatever the number of crops at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lite import SIDE, changed, profile, stored

from facesieve.core.errors import ModelError
from facesieve.models import runtime
from facesieve.models.formats import flatbuffer, tflite


def converted(
    batch: int | None, reshape: int, dimension: int = 128, *, outputs: int = 1, optimise: bool = False
) -> bytes:
    """A small model: scaling, a convolution, a dense layer; `reshape`: what stands for the number of crops inside."""
    tf = runtime.tensorflow()
    rng = np.random.default_rng(0)
    kernel = tf.constant(rng.normal(size=(3, 3, 3, 4)), tf.float32)
    dense = tf.constant(rng.normal(size=(7 * 7 * 4, dimension)), tf.float32)

    def forward(crops: Any) -> Any:
        planes = tf.nn.relu(tf.nn.conv2d((crops - 127.5) * (1 / 128), kernel, 2, "VALID"))
        vectors = tf.matmul(tf.reshape(planes, [reshape, 7 * 7 * 4]), dense)
        return vectors if outputs == 1 else (vectors, planes)

    function = tf.function(forward, input_signature=[tf.TensorSpec([batch, SIDE, SIDE, 3], tf.float32)])
    with runtime.silenced():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
        converter.optimizations = [tf.lite.Optimize.DEFAULT] if optimise else []
        return bytes(converter.convert())


@pytest.fixture(scope="module")
def small() -> bytes:
    return converted(None, -1)


@pytest.fixture(scope="module")
def crops() -> Any:
    return np.random.default_rng(1).uniform(0, 255, (5, SIDE, SIDE, 3)).astype(np.float32)


def test_every_number_of_crops_gives_the_same(small: Any, crops: Any) -> None:
    infer = tflite.load(stored(small), profile())
    together = infer(crops)
    assert together.shape == (5, 128)
    for count in (1, 3, 2, 5):
        np.testing.assert_allclose(infer(crops[:count]), together[:count], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("batch", "reshape"), [(1, 1), (1, -1), (2, 2), (2, -1), (4, 4)])
def test_a_model_for_a_fixed_number_of_crops_takes_any(small: Any, crops: Any, batch: int, reshape: int) -> None:
    fixed = converted(batch, reshape)
    np.testing.assert_allclose(
        tflite.load(stored(fixed), profile())(crops), tflite.load(stored(small), profile())(crops), rtol=1e-4, atol=1e-4
    )


def test_a_model_that_mixes_the_images_of_a_batch_is_refused() -> None:
    tf = runtime.tensorflow()

    def forward(crops: Any) -> Any:
        sums = tf.reshape(tf.reduce_sum(crops, axis=[1, 2]), [1, 6])
        return tf.reshape(tf.matmul(sums, tf.ones([6, 16])), [2, 8])

    function = tf.function(forward, input_signature=[tf.TensorSpec([2, SIDE, SIDE, 3], tf.float32)])
    with runtime.silenced():
        content = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()]).convert()
    with pytest.raises(ModelError, match="tiny: of 2 images at once, an image's numbers depend on the others"):
        tflite.load(stored(bytes(content)), profile(8))


def test_tensors_are_allocated_anew_only_for_another_number_of_crops(
    small: Any, crops: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter_class = runtime.lite_interpreter()
    allocated: list[int] = []
    original = interpreter_class.allocate_tensors

    def allocate(interpreter: Any) -> None:
        allocated.append(1)
        original(interpreter)

    monkeypatch.setattr(interpreter_class, "allocate_tensors", allocate)
    infer = tflite.load(stored(small), profile())
    infer(crops)
    before = len(allocated)
    for _ in range(3):
        infer(crops)
    assert len(allocated) == before
    infer(crops[:2])
    assert len(allocated) == before + 1


def test_facts_are_the_files_own(small: Any) -> None:
    found = tflite.facts(stored(small))
    assert (found.input_size, found.dimension) == ((SIDE, SIDE), 128)
    assert found.parameters == pytest.approx(3 * 3 * 3 * 4 + 196 * 128, abs=300)
    assert found.inputs[0].endswith("float32 [?, 16, 16, 3]")
    assert found.notes == ()
    quantised = tflite.facts(stored(converted(None, -1, 512, optimise=True)))
    assert (quantised.dimension, quantised.notes) == (512, ("its weights are quantised",))
    assert tflite.facts(stored(converted(2, 2))).notes == ("it was converted for 2 images at a time",)


def test_one_of_several_outputs_is_named(crops: Any) -> None:
    content = converted(None, -1, outputs=2)
    names = [one.name for one in flatbuffer.read(content).outputs if one.shape == (None, 128)]
    with pytest.raises(ModelError, match="does not name one of"):
        tflite.load(stored(content), profile())
    assert tflite.load(stored(content), profile(output=names[0]))(crops).shape == (5, 128)


@pytest.mark.parametrize(
    ("given", "said"), [(profile(64), "output is"), (profile(side=20), "input is"), (profile(output="x"), "'x'")]
)
def test_the_profile_must_fit(small: Any, given: Any, said: str) -> None:
    with pytest.raises(ModelError, match=f"tiny: .*{said}"):
        tflite.load(stored(small), given)


def custom(name: str | None, number: Any = "CUSTOM") -> Any:
    def change(model: Any, schema: Any) -> None:
        code = model.operatorCodes[0]
        code.customCode = name
        code.builtinCode = getattr(schema.BuiltinOperator, number)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)

    return change


def kernel_of(model: Any) -> Any:
    """The kernel of the convolution: four filters of 3 x 3 x 3."""
    return next(one for one in model.subgraphs[0].tensors if one.shape is not None and list(one.shape) == [4, 3, 3, 3])


def weight(value: Any) -> Any:
    def change(model: Any, schema: Any) -> None:
        kernel = next(
            one for one in model.subgraphs[0].tensors if len(one.shape) == 4 and one.buffer and one.shape[0] == 4
        )
        numbers = np.frombuffer(bytes(model.buffers[kernel.buffer].data), np.float32).copy()
        numbers[3] = value
        model.buffers[kernel.buffer].data = list(numbers.tobytes())

    return change


def elsewhere(model: Any, schema: Any) -> None:
    kernel = next(
        one for one in model.subgraphs[0].tensors if one.buffer and one.shape is not None and len(one.shape) == 4
    )
    model.buffers[kernel.buffer].data = None
    model.buffers[kernel.buffer].offset, model.buffers[kernel.buffer].size = 4096, 4096


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (custom("FlexWriteFile"), "'FlexWriteFile'"),
        (custom("evil"), "'evil'"),
        (custom(None), "CUSTOM is not accepted"),
        (custom(None, "DELEGATE"), "DELEGATE"),
        (custom(None, "STABLEHLO_CUSTOM_CALL"), "STABLEHLO_CUSTOM_CALL"),
        (weight(np.nan), "not a finite number"),
        (weight(np.inf), "not a finite number"),
        (elsewhere, "outside of the flatbuffer"),
    ],
)
def test_what_is_not_accepted_is_refused_before_an_interpreter_sees_it(
    small: Any, monkeypatch: pytest.MonkeyPatch, change: Any, said: str
) -> None:
    content = changed(small, change)
    monkeypatch.setattr(runtime, "lite_interpreter", None)
    with pytest.raises(ModelError, match=said):
        tflite.load(stored(content), profile())
    assert tflite.facts(stored(content)).inputs == tflite.facts(stored(small)).inputs


def test_taking_apart_and_putting_together_changes_nothing(small: Any, crops: Any) -> None:
    content = changed(small, lambda model, schema: None)
    assert tflite.load(stored(content), profile())(crops).shape == (5, 128)


@pytest.mark.parametrize("at", [9, 100, 0.3, 0.6, 0.9])
def test_a_cut_file_is_a_sentence(small: Any, at: float) -> None:
    place = at if isinstance(at, int) else int(len(small) * at)
    with pytest.raises(ModelError, match=r"cannot be (parsed|loaded)|is not accepted|outside|finite"):
        tflite.load(stored(small[:place]), profile())
