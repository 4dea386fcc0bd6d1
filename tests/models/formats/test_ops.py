from __future__ import annotations

import pytest
from small_graphs import graph

from facesieve.core.errors import ModelError
from facesieve.models.formats import ops


@pytest.mark.parametrize("name", ["ReadFile", "WriteFile", "PyFunc", "LoadLibrary", "RestoreV2", "ParseExample"])
def test_operations_that_reach_out_are_refused(name: str) -> None:
    assert name not in ops.ALLOWED
    with pytest.raises(ModelError, match=f"graph node evil is a {name}, which is not accepted"):
        ops.refuse(graph(f"images = Placeholder\nevil = {name} images"))


def test_the_end_of_a_queue_is_accepted_where_it_is_asked_for_only() -> None:
    queue = graph("queue = FIFOQueueV2\nimages = QueueDequeueManyV2 queue")
    ops.refuse(queue, ops.QUEUE_ENDS)
    with pytest.raises(ModelError, match="queue is a FIFOQueueV2"):
        ops.refuse(queue)


@pytest.mark.parametrize("text", ["a = Placeholder\nb = RandomUniform a", "a = Placeholder\nb = FusedBatchNormV3 a"])
def test_what_still_trains_at_inference_is_refused(text: str) -> None:
    ops.refuse(graph(text))
    with pytest.raises(ModelError, match=r"graph node b .* also at inference"):
        ops.refuse_training(graph(text))


def test_a_norm_that_is_told_not_to_train_is_accepted() -> None:
    still = graph("a = Placeholder\nb = FusedBatchNormV3 a")
    still.node[1].attr["is_training"].b = False
    ops.refuse_training(still)
