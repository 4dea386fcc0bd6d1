from __future__ import annotations

from typing import Any

import pytest

from facesieve.models.formats import layer_rules as rules
from facesieve.models.formats.layer_rules import Layer, Refuse

PLANES = {"kernel_size": [3, 5], "filters": 7, "depth_multiplier": 2, "use_bias": True, "activation": "relu"}


def layer(**config: Any) -> Layer:
    return Layer(config.pop("name", "it"), "Any", config, config.pop("inputs", ("before",)), {})


def test_weights_follow_from_the_configuration() -> None:
    assert rules.no_weights(PLANES) == {}
    assert rules.conv_weights(PLANES) == {"kernel": (3, 5, None, 7), "bias": (7,)}
    assert rules.depthwise_weights(PLANES) == {"kernel": (3, 5, None, 2), "bias": (None,)}
    assert rules.dense_weights({"units": 4, "use_bias": False}) == {"kernel": (None, 4)}
    norm = rules.norm_weights({"scale": False, "center": True})
    assert list(norm) == ["beta", "moving_mean", "moving_variance"], "in the order in which Keras stores them"


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (rules.refuse_activation, {"activation": "relu"}, {"activation": "tanh"}),
        (rules.refuse_planes, {"padding": "same"}, {"padding": "causal"}),
        (rules.refuse_planes, {"groups": 1}, {"groups": 2}),
        (rules.refuse_planes, {"dilation_rate": (1, 1)}, {"dilation_rate": [2, 1]}),
        (rules.refuse_planes, {"data_format": "channels_last"}, {"data_format": "channels_first"}),
        (rules.refuse_padding, {"padding": [[0, 1], [2, 3]]}, {"padding": [[0, 1], [2, -3]]}),
        (rules.refuse_padding, {"padding": [[0, 0], [0, 0]]}, {"padding": 1}),
        (rules.refuse_scaling, {"scale": 0.5, "offset": 0}, {"scale": [0.5, 1], "offset": 0}),
        (rules.refuse_scaling, {"scale": 1, "offset": 0.0}, {"scale": float("inf"), "offset": 0.0}),
        (rules.refuse_bends, {"max_value": 6.0}, {"max_value": 6.0, "threshold": 0.1}),
        (rules.refuse_bends, {"negative_slope": 0.2}, {"negative_slope": "0.2"}),
        (rules.refuse_axis, {"axis": [3]}, {"axis": [1, 3]}),
        (
            rules.refuse_lambda,
            {"name": "x_ScaleSum", "inputs": ("a", "b"), "arguments": {"scale": 0.17}},
            {"name": "x_ScaleSum", "inputs": ("a",), "arguments": {"scale": 0.17}},
        ),
    ],
)
def test_a_rule_tells_good_from_bad(rule: Refuse, good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert rule(layer(**good)) is None
    assert rule(layer(**bad))
