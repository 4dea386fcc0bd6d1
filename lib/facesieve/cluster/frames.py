"""Frames that travel between the modules of this room: their names, and their columns as constants made without a JVM.

A vertex is a face, or the smallest of several faces that must be together. Ids, labels and clusters are ids of faces.
"""

from __future__ import annotations

from typing import NewType

from pyspark.sql import DataFrame
from pyspark.sql import types as T

_LONG, _FLOAT, _FLAG = T.LongType(), T.FloatType(), T.BooleanType()
_VECTOR = T.ArrayType(_FLOAT)


def _columns(**types: T.DataType) -> T.StructType:
    return T.StructType([T.StructField(name, kind) for name, kind in types.items()])


ListedFaces = NewType("ListedFaces", DataFrame)
"""Every face of the run once, with the image that it is on and the folder of that image."""
LISTED_FACES = _columns(face_id=_LONG, image_id=_LONG, face_rank=T.IntegerType(), identity=T.StringType())

Photos = NewType("Photos", DataFrame)
"""Faces of which no two of one image are one person."""
PHOTOS = _columns(face_id=_LONG, image_id=_LONG)

ScoredEdges = NewType("ScoredEdges", DataFrame)
"""The edges of one scope, each once: score (an integer / 2^20, exactly), and whether the edge votes."""
SCORED_EDGES = _columns(src=_LONG, dst=_LONG, score=_FLOAT, votes=_FLAG)

FaceVectors = NewType("FaceVectors", DataFrame)
"""Faces of one scope, each once."""
FACE_VECTORS = _columns(face_id=_LONG, vector=_VECTOR)

Voters = NewType("Voters", DataFrame)
"""The faces that vote, each once, with the label to begin with."""
VOTERS = _columns(face_id=_LONG, vector=_VECTOR, label=_LONG)

Vertices = NewType("Vertices", DataFrame)
"""The vertices of a vote, each once, with the label to begin with: the id of a vertex."""
VERTICES = _columns(id=_LONG, label=_LONG)

VotingEdges = NewType("VotingEdges", DataFrame)
"""The edges that vote, each pair once with src < dst; vote is above 0."""
DirectedEdges = NewType("DirectedEdges", DataFrame)
"""The edges that vote, each in both directions: the vote of `src` for `dst`."""
VOTING_EDGES = _columns(src=_LONG, dst=_LONG, vote=_LONG)

VoteState = NewType("VoteState", DataFrame)
"""Every vertex after a superstep: its label, the label that it preferred before its move, and whether it moved.

wanting: the vertex preferred another label than its own.
"""
VOTE_STATE = _columns(id=_LONG, label=_LONG, preferred=_LONG, wanting=_FLAG, moved=_FLAG)

BestLabels = NewType("BestLabels", DataFrame)
"""The vertices that received a message, each once, with the label that got most votes."""
BEST_LABELS = _columns(id=_LONG, best=_LONG)

_RANK = _columns(draw=_LONG, id=_LONG)
Ranks = NewType("Ranks", DataFrame)
"""The vertices that want another label: the least rank among neighbours moves."""
RANKS = _columns(id=_LONG, rank=_RANK)

Rivals = NewType("Rivals", DataFrame)
"""Vertices with ranks among their neighbours, each once, with the least of these ranks."""
RIVALS = _columns(id=_LONG, rival=_RANK)

FinishedVertices = NewType("FinishedVertices", DataFrame)
"""The vertices that one task has finished, each once; wanting: the vertex still prefers another label."""
FINISHED_VERTICES = _columns(id=_LONG, label=_LONG, wanting=_FLAG)

Labels = NewType("Labels", DataFrame)
"""Every vertex after a vote; settled: it prefers its own label."""
LABELS = _columns(id=_LONG, label=_LONG, settled=_FLAG)

VotedVertices = NewType("VotedVertices", DataFrame)
"""Every vertex after a vote, with its cluster: the smallest id of those that the vote holds together."""
VOTED_VERTICES = _columns(id=_LONG, settled=_FLAG, cluster=_LONG)

VertexClusters = NewType("VertexClusters", DataFrame)
"""Every vertex once, with its cluster: the id of one of the members."""
VERTEX_CLUSTERS = _columns(id=_LONG, cluster=_LONG)

Conflicts = NewType("Conflicts", DataFrame)
"""Vertices of one cluster with the same (photo, group), which must not be together."""
CONFLICTS = _columns(cluster=_LONG, id=_LONG, photo=_FLAG, group=_LONG)

Members = NewType("Members", DataFrame)
"""Every face once, with its cluster and its vector."""
MEMBERS = _columns(cluster=_LONG, face_id=_LONG, vector=_VECTOR, settled=_FLAG)

MeasuredFaces = NewType("MeasuredFaces", DataFrame)
"""Every face once, with its cluster (named by its smallest face), and what was measured of the cluster."""
MEASURED_FACES = _columns(
    face_id=_LONG, settled=_FLAG, cluster_id=_LONG, cluster_size=_LONG, cohesion=_FLOAT, medoid=_FLAG
)

ClusteredFaces = NewType("ClusteredFaces", DataFrame)
"""Measured faces; attached: the face has joined its cluster as a leftover."""
CLUSTERED_FACES = T.StructType([*MEASURED_FACES, T.StructField("attached", _FLAG)])

MeasuredMembers = NewType("MeasuredMembers", DataFrame)
"""Every face once, with its vector, and its cluster as it was measured."""
MEASURED_MEMBERS = _columns(cluster=_LONG, cluster_size=_LONG, face_id=_LONG, vector=_VECTOR, medoid=_FLAG)

Joins = NewType("Joins", DataFrame)
"""Small clusters that join large ones: `cluster` becomes part of `target`."""
JOINS = _columns(cluster=_LONG, target=_LONG)
