"""What GraphFrames takes for granted: each vertex stands there once, and each edge ends at vertices that are there.

Neither is checked by GraphFrames. A vertex that stands twice receives its messages four times. An edge to a vertex that
is missing falls out of some messages and stays in others.
"""

from __future__ import annotations

from pyspark.sql import functions as F

from facesieve.cluster.frames import Voters
from facesieve.core.errors import ContractError
from facesieve.core.frames import broadcast_if_few
from facesieve.core.tables import Edges
from facesieve.faces.blocks import ListedFaces
from facesieve.faces.edge_frames import ends


def refuse_doubled(scope: str, voters: Voters) -> None:
    """Raise ContractError, naming the number, if a face stands twice among the vertices of a scope."""
    ids = voters.groupBy("face_id").count().where("count > 1")
    doubled, example = ids.agg(F.count("*"), F.min("face_id")).collect()[0]
    if doubled:
        raise doubled_faces(scope, doubled, example)


def doubled_faces(scope: str, doubled: int, example: int) -> ContractError:
    """Say that faces stand twice among the vertices of a scope."""
    return ContractError(
        f"cluster {scope}: {doubled} faces stand more than once among those to be clustered (face_id {example}): "
        "rows of embeddings or clusters were doubled by other hands. Remove the doubled rows."
    )


def refuse_strays(edges: Edges, faces: ListedFaces) -> None:
    """Raise ContractError, naming the number, if an edge names a face that is not of the run."""
    ids = broadcast_if_few(faces.select("face_id"), faces.count())
    strays = ends(edges).join(ids, "face_id", how="left_anti")
    edges_of, example = strays.agg(F.count("*"), F.min("face_id")).collect()[0]
    if edges_of:
        raise stray_ends(edges_of, example)


def stray_ends(ends_of: int, example: int) -> ContractError:
    """Say that edges name faces that are not of the run."""
    return ContractError(
        f"edges: {ends_of} ends of edges name a face without a row in embeddings (face_id {example}): rows were "
        "deleted by other hands after the edges were made. Run jobs/link.py with --full."
    )
