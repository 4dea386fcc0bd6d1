"""Which entry of a TensorFlow 2 checkpoint a variable is, by the names that the checkpoint itself keeps."""

from __future__ import annotations

from collections import Counter
from typing import Any

_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"


def keys(reader: Any) -> dict[str, str]:
    """Map variables' names to their keys in a checkpoint; a name that several variables bear is left out.

    reader: what `tf.train.load_checkpoint` returns. A checkpoint of TensorFlow 1 keeps no names: its keys are them.
    Source: TrackableObjectGraph, the table of objects that TensorFlow 2 writes into each checkpoint.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 (of TensorFlow)
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import (  # noqa: PLC0415 (imports TensorFlow)
        TrackableObjectGraph,
    )

    if not reader.has_tensor(_OBJECTS):
        return {}
    try:
        objects = TrackableObjectGraph.FromString(reader.get_tensor(_OBJECTS))
    except (DecodeError, TypeError):
        return {}
    pairs = [
        (entry.full_name, entry.checkpoint_key)
        for node in objects.nodes
        for entry in node.attributes
        if entry.full_name
    ]
    borne = Counter(name for name, _ in set(pairs))
    return {name: key for name, key in pairs if borne[name] == 1}
