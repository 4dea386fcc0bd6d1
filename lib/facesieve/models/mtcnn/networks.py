"""MTCNN's three networks as plain TensorFlow functions, made of the package's weights without Keras.

They compute what the package's Keras models compute, up to rounding. What took most of their time is done otherwise:
a PReLU is two operations over whole rows instead of five over few channels, the heads of a network are one product,
and the pixels are standardised by the first layer's weights. Each function has free shapes and is traced once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facesieve.models.mtcnn.proposals import THRESHOLD

Floats = npt.NDArray[np.float32]
Weights = Sequence[Floats]
"""Kernel and bias of each layer, and slopes after all but the last: in the order in which the package stores them."""

REFINED_SIDE, JUDGED_SIDE = 24, 48
_MIDDLE, _RANGE = 127.5, 128.0
_POOLS = {REFINED_SIDE: ((3, "SAME"), (3, "VALID"), None), JUDGED_SIDE: ((3, "SAME"), (3, "VALID"), (2, "SAME"), None)}
"""Side and padding of the pooling after each convolution of the second and the third network; strides are 2."""
_HEADS = {REFINED_SIDE: (4, 2), JUDGED_SIDE: (4, 10, 2)}


@dataclass(frozen=True)
class Networks:
    """The three networks as TensorFlow functions, and the one that cuts their patches, uint8 values as float32.

    stack: pictures of one size as what `propose` takes, so that they get to TensorFlow once for all scales.
    """

    propose: Any
    refine: Any
    judge: Any
    cut: Any
    stack: Callable[[Sequence[npt.NDArray[np.uint8]]], Any] = np.stack


def compiled(tf: Any, proposing: Weights, refining: Weights, judging: Weights) -> Networks:
    """Make TensorFlow functions of the package's three lists of weights."""
    pixels, floats = tf.uint8, tf.float32

    def cut(picture: Any, boxes: Any, side: Any) -> Any:
        """Outside the picture is the middle of the range, as zeros are around the package's standardised one."""
        first = tf.zeros_like(boxes[:, 0], dtype=tf.int32)
        return tf.image.crop_and_resize(
            picture[None], boxes, first, tf.stack([side, side]), extrapolation_value=_MIDDLE
        )

    def function(body: Any, *signature: Any) -> Any:
        return tf.function(body, input_signature=[tf.TensorSpec(shape, kind) for shape, kind in signature])

    return Networks(
        function(_proposing(tf, proposing), ([None, None, None, 3], pixels), ([2], tf.int32)),
        function(_judging(tf, refining, REFINED_SIDE), ([None, REFINED_SIDE, REFINED_SIDE, 3], floats)),
        function(_judging(tf, judging, JUDGED_SIDE), ([None, JUDGED_SIDE, JUDGED_SIDE, 3], floats)),
        function(cut, ([None, None, 3], pixels), ([None, 4], floats), ([], tf.int32)),
        lambda pictures: tf.constant(np.stack(pictures)),
    )


def _proposing(tf: Any, weights: Weights) -> Callable[[Any, Any], tuple[Any, Any, Any]]:
    """The first network over whole pictures, searched at a size: the windows that it takes for faces."""
    kernel, bias = _merged(weights[9:])
    # of two classes the softmax is the sigmoid of their difference
    offsets, (no, yes) = slice(4), (4, 5)
    kernel = np.concatenate([kernel[..., offsets], kernel[..., [yes]] - kernel[..., [no]]], axis=-1)
    bias = np.concatenate([bias[offsets], bias[[yes]] - bias[[no]]])

    def propose(pictures: Any, size: Any) -> tuple[Any, Any, Any]:
        tensor = tf.raw_ops.ResizeArea(images=pictures, size=size)
        tensor = _convolved(tf, tensor, _standardising(weights[:3]), (2, "SAME"))
        tensor = _convolved(tf, tensor, weights[3:6])
        tensor = _convolved(tf, tensor, weights[6:9])
        heads = tf.nn.bias_add(tf.nn.conv2d(tensor, kernel, 1, "VALID"), bias)
        scores = tf.sigmoid(heads[..., 4])
        places = tf.where(scores > THRESHOLD)
        return places, tf.gather_nd(heads, places)[:, offsets], tf.gather_nd(scores, places)

    return propose


def _judging(tf: Any, weights: Weights, side: int) -> Callable[[Any], tuple[Any, ...]]:
    """The second or the third network over patches of `side` pixels."""
    pools = _POOLS[side]
    first = 3 * len(pools)
    kernel, bias, slopes = weights[first : first + 3]
    heads, heads_bias = _merged(weights[first + 3 :])

    def judge(patches: Any) -> tuple[Any, ...]:
        tensor = patches
        for layer, pool in enumerate(pools):
            own = weights[3 * layer : 3 * layer + 3]
            tensor = _convolved(tf, tensor, own if layer else _standardising(own), pool)
        height, width, channels = tensor.shape[1:]
        # the package swaps rows and columns before it flattens; here those of the weights are
        dense = kernel.reshape(width, height, channels, -1).transpose(1, 0, 2, 3).reshape(len(kernel), -1)
        tensor = tf.reshape(tensor, [-1, len(kernel)]) @ dense + bias
        tensor = tf.maximum(tensor, np.minimum(slopes, 1) * tensor)
        tensor = tf.minimum(tensor, np.maximum(slopes, 1) * tensor)
        *others, classes = tf.split(tensor @ heads + heads_bias, _HEADS[side], axis=1)
        return (*others, tf.nn.softmax(classes))

    return judge


def _merged(weights: Weights) -> tuple[Floats, Floats]:
    """Several heads, kernel and bias of each, as one."""
    return np.concatenate(weights[::2], axis=-1), np.concatenate(weights[1::2])


def _standardising(weights: Weights) -> Weights:
    """The first layer for pixels of 0..255 instead of standardised ones."""
    kernel, bias, slopes = weights
    scaled = kernel.astype(np.float64) / _RANGE
    return scaled.astype(np.float32), (bias - _MIDDLE * scaled.sum(axis=(0, 1, 2))).astype(np.float32), slopes


def _convolved(tf: Any, tensor: Any, weights: Weights, pool: tuple[int, str] | None = None) -> Any:
    """A convolution, its PReLU, and a pooling.

    Of x and slope * x a PReLU is the greater where the slope is at most 1, else the smaller. The latter rises with x,
    so that it may follow the pooling, where there is less to do.
    """
    kernel, bias, slopes = weights
    tensor = tf.nn.bias_add(tf.nn.conv2d(tensor, kernel, 1, "VALID"), bias)
    tensor = _against_multiple(tf, tensor, np.minimum(slopes, 1), tf.maximum)
    if pool is not None:
        tensor = tf.nn.max_pool2d(tensor, pool[0], 2, pool[1])
    return _against_multiple(tf, tensor, np.maximum(slopes, 1), tf.minimum) if (slopes > 1).any() else tensor


def _against_multiple(tf: Any, tensor: Any, slopes: Floats, operation: Callable[[Any, Any], Any]) -> Any:
    """Compare a tensor with its multiple, by channel: over whole rows, since TensorFlow is slow over few channels."""
    count, height, width, channels = tf.unstack(tf.shape(tensor))
    rows = tf.reshape(tensor, [count * height, width * channels])
    compared = operation(rows, tf.tile(slopes.ravel(), [width])[None] * rows)
    return tf.ensure_shape(tf.reshape(compared, [count, height, width, channels]), tensor.shape)
