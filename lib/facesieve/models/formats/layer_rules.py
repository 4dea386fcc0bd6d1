"""What a layer of an accepted kind must be: the shapes of its weights, and the settings that change its meaning."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from facesieve.models.network import Floats

_ACTIVATIONS = ("linear", "relu")
_SCALED_SUM = "_ScaleSum"

Shape = tuple[int | None, ...] | None
"""Shape of a weight as the configuration gives it: None for a side, or for the whole, that it leaves open."""


@dataclass(frozen=True)
class Layer:
    """One layer: its name, its Keras class, its configuration, the layers it reads and its weights by short name."""

    name: str
    kind: str
    config: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: Mapping[str, Floats]


Shapes = Callable[[Mapping[str, Any]], dict[str, Shape]]
"""Configuration -> the weights by short name, in the order in which Keras 3 stores them."""
Refuse = Callable[[Layer], str | None]
"""Layer -> what is wrong with it, or None."""


def no_weights(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Layers that only compute."""
    return {}


def _with_bias(config: Mapping[str, Any], kernel: Shape, width: int | None) -> dict[str, Shape]:
    return {"kernel": kernel, "bias": (width,)} if config["use_bias"] else {"kernel": kernel}


def conv_weights(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Kernel [height, width, in, filters] and bias [filters]."""
    filters = config["filters"]
    return _with_bias(config, (*config["kernel_size"], None, filters), filters)


def depthwise_weights(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Kernel [height, width, in, multiplier] and bias [in x multiplier]."""
    return _with_bias(config, (*config["kernel_size"], None, config["depth_multiplier"]), None)


def dense_weights(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Kernel [in, units] and bias [units]."""
    return _with_bias(config, (None, config["units"]), config["units"])


def norm_weights(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Gamma and beta where the layer has them, moving mean and variance: [channels] each."""
    optional = {"gamma": config["scale"], "beta": config["center"]}
    return dict.fromkeys(
        [*(name for name, there in optional.items() if there), "moving_mean", "moving_variance"], (None,)
    )


def slope_weights(config: Mapping[str, Any]) -> dict[str, Shape]:
    """The slopes of a PReLU: the shape of its input, or 1 along shared axes."""
    return {"alpha": None}


def accept(layer: Layer) -> str | None:
    """Nothing in the configuration changes what the layer computes."""
    return None


def refuse_activation(layer: Layer) -> str | None:
    """Accept no activation, or a ReLU."""
    activation = layer.config["activation"]
    return None if activation in _ACTIVATIONS else f"activation {activation!r} is not accepted"


def refuse_planes(layer: Layer) -> str | None:
    """Refuse what changes the meaning of a layer over planes: channels first, groups, dilation, odd padding."""
    config = layer.config
    if config.get("data_format", "channels_last") != "channels_last":
        return "data_format is not channels_last"
    if config.get("groups", 1) != 1 or list(config.get("dilation_rate", [1, 1])) != [1, 1]:
        return "groups and dilation are not accepted"
    if config.get("padding", "valid") not in ("valid", "same"):
        return f"padding {config['padding']!r} is not accepted"
    return refuse_activation(layer) if "activation" in config else None


def refuse_padding(layer: Layer) -> str | None:
    """Accept [[top, bottom], [left, right]] of channels-last planes."""
    padding = layer.config["padding"]
    fine = (
        isinstance(padding, list)
        and len(padding) == 2
        and all(isinstance(side, list) and len(side) == 2 and all(_whole(end) for end in side) for side in padding)
        and layer.config.get("data_format") in (None, "channels_last")
    )
    return None if fine else f"padding {padding!r} is not accepted"


def refuse_scaling(layer: Layer) -> str | None:
    """Accept one scale and one offset for the whole tensor."""
    numbers = [layer.config["scale"], layer.config["offset"]]
    return (
        None if all(_finite(number) for number in numbers) else f"scale and offset {numbers} are not two finite numbers"
    )


def refuse_bends(layer: Layer) -> str | None:
    """Accept a ReLU that bends at 0, with a slope below it and an upper bound."""
    config = layer.config
    most, slope = config.get("max_value"), config.get("negative_slope") or 0.0
    fine = (most is None or _finite(most)) and _finite(slope) and not config.get("threshold")
    return None if fine else f"max_value {most!r}, negative_slope {slope!r} or a threshold is not accepted"


def refuse_axis(layer: Layer) -> str | None:
    """Accept one axis; whether it is the last is seen when the layer is built."""
    axis = layer.config["axis"]
    single = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    return None if isinstance(single, int) else f"axis {axis!r} is not one axis"


def refuse_lambda(layer: Layer) -> str | None:
    """Accept the scaled sum alone: by name, its one argument and two inputs."""
    arguments = layer.config.get("arguments")
    fine = (
        layer.name.endswith(_SCALED_SUM)
        and isinstance(arguments, Mapping)
        and set(arguments) == {"scale"}
        and isinstance(arguments["scale"], float)
        and math.isfinite(arguments["scale"])
        and len(layer.inputs) == 2
    )
    return None if fine else f"a Lambda is accepted only as NAME{_SCALED_SUM} of two inputs with the argument scale"


def _finite(number: Any) -> bool:
    return isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number)


def _whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0
