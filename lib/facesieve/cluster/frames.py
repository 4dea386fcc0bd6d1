"""Frames that travel between the modules of this room: their names, and their columns as constants made without a JVM.

A vertex is a face, or the smallest of several faces that must be together. Ids, labels and clusters are ids of faces.
"""

from __future__ import annotations

from typing import NewType

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from facesieve.core.frames import columns

ListedFaces = NewType("ListedFaces", DataFrame)
"""Every face of the run once, with the image that it is on and the folder of that image."""
LISTED_FACES = columns("face_id bigint, image_id bigint, face_rank int, identity string")

Photos = NewType("Photos", DataFrame)
"""Faces of which no two of one image are one person."""
PHOTOS = columns("face_id bigint, image_id bigint")

ScoredEdges = NewType("ScoredEdges", DataFrame)
"""The edges of one scope, each once: score (an integer / 2^20, exactly), and whether the edge votes."""
SCORED_EDGES = columns("src bigint, dst bigint, score float, votes boolean")

FaceVectors = NewType("FaceVectors", DataFrame)
"""Faces of one scope, each once."""
FACE_VECTORS = columns("face_id bigint, vector array<float>")

Voters = NewType("Voters", DataFrame)
"""The faces that vote, each once, with the label to begin with."""
VOTERS = columns("face_id bigint, vector array<float>, label bigint")

Vertices = NewType("Vertices", DataFrame)
"""The vertices of a vote, each once, with the label to begin with: the id of a vertex."""
VERTICES = columns("id bigint, label bigint")

VotingEdges = NewType("VotingEdges", DataFrame)
"""The edges that vote, each pair once with src < dst; vote is above 0."""
DirectedEdges = NewType("DirectedEdges", DataFrame)
"""The edges that vote, each in both directions: the vote of `src` for `dst`."""
VOTING_EDGES = columns("src bigint, dst bigint, vote bigint")

VoteState = NewType("VoteState", DataFrame)
"""Every vertex after a superstep, by coin: its label, the label that it preferred before its move, whether it moved.

wanting: the vertex preferred another label than its own. Each array has an element for every coin.
"""
VOTE_STATE = columns(
    "id bigint, labels array<bigint>, preferred array<bigint>, wanting array<boolean>, moved array<boolean>"
)

Sums = NewType("Sums", DataFrame)
"""Votes that the vertices of label `src` give the vertex `dst`, by coin, each pair once; null: none that could win."""
SUMS = columns("src bigint, dst bigint, votes array<bigint>")

BestLabels = NewType("BestLabels", DataFrame)
"""The vertices that received a message, each once, with the label that got most votes, by coin."""
BEST_LABELS = columns("id bigint, best array<bigint>")

_RANK = columns("draw bigint, id bigint")
Ranks = NewType("Ranks", DataFrame)
"""The vertices that want another label in some coin, by coin: the least rank among neighbours moves."""
RANKS = T.StructType([*columns("id bigint"), T.StructField("ranks", T.ArrayType(_RANK))])

Rivals = NewType("Rivals", DataFrame)
"""Vertices with ranks among their neighbours, each once, with the least of these ranks, by coin."""
RIVALS = T.StructType([*columns("id bigint"), T.StructField("rivals", T.ArrayType(_RANK))])

FinishedVertices = NewType("FinishedVertices", DataFrame)
"""The vertices that one task has finished, each once, by coin; wanting: the vertex still prefers another label."""
FINISHED_VERTICES = columns("id bigint, labels array<bigint>, wanting array<boolean>")

Labels = NewType("Labels", DataFrame)
"""Every vertex after a vote, with its label by coin; settled: it prefers its own label in every coin."""
LABELS = columns("id bigint, labels array<bigint>, settled boolean")

VotedVertices = NewType("VotedVertices", DataFrame)
"""Every vertex after a vote, with its cluster: the smallest id of those that the vote holds together."""
VOTED_VERTICES = columns("id bigint, labels array<bigint>, settled boolean, cluster bigint")

VertexClusters = NewType("VertexClusters", DataFrame)
"""Every vertex once, with its cluster: the id of one of the members."""
VERTEX_CLUSTERS = columns("id bigint, cluster bigint")

Conflicts = NewType("Conflicts", DataFrame)
"""Vertices of one cluster with the same (photo, group), which must not be together."""
CONFLICTS = columns("cluster bigint, id bigint, photo boolean, group bigint")

Members = NewType("Members", DataFrame)
"""Every face once, with its cluster, its vector, and the label of its vertex by coin."""
MEMBERS = columns("cluster bigint, face_id bigint, vector array<float>, labels array<bigint>, settled boolean")

LabelledFaces = NewType("LabelledFaces", DataFrame)
"""Every face once, with its vector, and the label of its vertex by coin."""
LABELLED_FACES = columns("face_id bigint, vector array<float>, labels array<bigint>")

MeasuredFaces = NewType("MeasuredFaces", DataFrame)
"""Every face once, with its cluster (named by its smallest face), and what was measured of the cluster."""
MEASURED_FACES = columns(
    "face_id bigint, settled boolean, cluster_id bigint, cluster_size bigint, cohesion float, medoid boolean,"
    "stability float"
)

ClusteredFaces = NewType("ClusteredFaces", DataFrame)
"""Measured faces; attached: the face has joined its cluster as a leftover."""
CLUSTERED_FACES = T.StructType([*MEASURED_FACES, *columns("attached boolean")])

MeasuredMembers = NewType("MeasuredMembers", DataFrame)
"""Every face once, with its vector, its label by coin, and its cluster as it was measured."""
MEASURED_MEMBERS = columns(
    "cluster bigint, cluster_size bigint, face_id bigint, vector array<float>, labels array<bigint>, medoid boolean"
)

Joins = NewType("Joins", DataFrame)
"""Small clusters that join large ones: `cluster` becomes part of `target`."""
JOINS = columns("cluster bigint, target bigint")
