from __future__ import annotations

from typing import Any

from facesieve.models import runtime
from facesieve.models.formats import tracked


class Reader:
    """A checkpoint that holds a table of objects, or none."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def has_tensor(self, name: str) -> bool:
        return self.table is not None

    def get_tensor(self, name: str) -> Any:
        return self.table


def test_names_lead_to_keys_unless_two_variables_bear_them() -> None:
    runtime.tensorflow()
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph  # noqa: PLC0415

    objects = TrackableObjectGraph()
    for name, key in (("conv/kernel", "a"), ("conv/bias", "b"), ("twice", "c"), ("twice", "d"), ("", "e")):
        objects.nodes.add().attributes.add(full_name=name, checkpoint_key=key)
    assert tracked.keys(Reader(objects.SerializeToString())) == {"conv/kernel": "a", "conv/bias": "b"}
    assert tracked.keys(Reader(b"\xffnone")) == {}
    assert tracked.keys(Reader(None)) == {}
