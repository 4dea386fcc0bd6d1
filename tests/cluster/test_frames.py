"""The frames of the room fit the tables that they end in, and every frame that has a name has columns."""

from __future__ import annotations

import re
from typing import NewType

from pyspark.sql import types as T

from facesieve.cluster import frames
from facesieve.core.tables import CLUSTERS, VOTES


def types(columns: T.StructType) -> dict[str, str]:
    return {field.name: field.dataType.simpleString() for field in columns}


def test_frames_that_become_tables_lack_the_scope_alone() -> None:
    scope = {"scope": "string"}
    assert types(frames.CLUSTERED_FACES) | scope == types(CLUSTERS.columns)
    assert types(frames.SCORED_EDGES) | scope == types(VOTES.columns)


def test_every_named_frame_has_columns_of_its_name() -> None:
    names = {name for name, value in vars(frames).items() if isinstance(value, NewType)}
    columns = {name for name, value in vars(frames).items() if isinstance(value, T.StructType)}
    # Directed edges have the columns of voting edges.
    expected = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for name in names - {"DirectedEdges"}}
    assert expected <= columns
