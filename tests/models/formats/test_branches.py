from __future__ import annotations

import pytest
from small_graphs import graph, lines

from facesieve.core.errors import ModelError
from facesieve.models.formats.branches import decided

BRANCHED = """
    images = Placeholder
    phase = Const {phase}
    training = Identity phase
    apart = Switch images training
    still = Relu apart:0
    dropped = RandomUniform apart:1
    joined = Merge still dropped
    vectors = Sum joined
"""


@pytest.mark.parametrize(
    ("phase", "taken"), [("false", "still = Relu apart:0"), ("true", "dropped = RandomUniform apart:0")]
)
def test_the_branch_that_is_never_taken_is_cut_off(phase: str, taken: str) -> None:
    name = taken.split(maxsplit=1)[0]
    rest = decided(graph(BRANCHED.format(phase=phase)), "images:0", "vectors:0")
    assert lines(rest) == [
        "images = Placeholder",
        "apart = Identity images",
        taken,
        f"joined = Identity {name}",
        "vectors = Sum joined",
    ]


def test_a_condition_may_be_turned_round() -> None:
    turned = BRANCHED.replace("Identity phase", "LogicalNot phase").format(phase="true")
    assert "still = Relu apart:0" in lines(decided(graph(turned), "images:0", "vectors:0"))


def test_a_target_that_only_training_makes_is_refused() -> None:
    with pytest.raises(ModelError, match="only while it trains"):
        decided(graph(BRANCHED.format(phase="false")), "images:0", "dropped:0")
