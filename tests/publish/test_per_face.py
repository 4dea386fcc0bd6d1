"""By which faces an image without an identity is published."""

from __future__ import annotations

import pytest
from deciding import rows_of
from pyspark.sql import SparkSession

from facesieve.core.tables import CLUSTERS, DECISIONS, EMBEDDINGS, Clusters, Decisions, Embeddings
from facesieve.publish.per_face import NAMELESS_FACES, nameless_faces

Image = tuple[str | None, str, list[str], dict[int, int]]
"""Identity, verdict, reasons, and the cluster of each face."""

CROWD: dict[int, Image] = {
    1: (None, "keep", [], {11: 7, 12: 8}),
    2: (None, "quarantine", ["unclustered", "small_box"], {21: 5, 22: 8}),  # the leading face is a passer-by
    3: (None, "drop", ["near_duplicate"], {31: 7, 32: 8}),
    4: ("ann", "keep", [], {41: 7, 42: 8}),  # counts in both, and stays with its folder
    5: (None, "drop", ["overridden", "small_box"], {51: 7, 52: 9}),
    6: (None, "quarantine", ["small_box"], {61: 7, 62: 9}),  # decide.quality = "quarantine"
    7: (None, "fail", ["no_face"], {}),
    8: (None, "move", ["overridden"], {81: 7, 82: 9}),
    9: (None, "keep", ["overridden", "unclustered"], {91: 6, 92: 9}),
}


def tables(spark: SparkSession, images: dict[int, Image]) -> tuple[Decisions, Embeddings, Clusters]:
    decided = [
        {"image_id": image, "uri": f"{image}.jpg", "identity": identity, "verdict": verdict, "reasons": reasons}
        for image, (identity, verdict, reasons, _) in images.items()
    ]
    faces = [(image, face, cluster) for image, row in images.items() for face, cluster in row[3].items()]
    embedded = [{"image_id": image, "face_id": face} for image, face, _ in faces]
    members = [{"scope": "global", "face_id": face, "cluster_id": cluster} for _, face, cluster in faces]
    members += [{"scope": "identity", "face_id": face, "cluster_id": 8} for _, face, _ in faces]
    return (
        Decisions(rows_of(spark, DECISIONS.columns, decided)),
        Embeddings(rows_of(spark, EMBEDDINGS.columns, embedded)),
        Clusters(rows_of(spark, CLUSTERS.columns, members)),
    )


@pytest.mark.parametrize(
    ("min_faces", "expected"),
    [
        (1, {(1, 11), (1, 12), (2, 21), (2, 22), (9, 91), (9, 92)}),
        # 7: images 1, 4, 6; 8: images 1, 2, 4; 9: images 6 and 9 (5 and 8 count no more); 5 and 6: one each.
        (2, {(1, 11), (1, 12), (2, 22), (9, 92)}),
        (3, {(1, 11), (1, 12), (2, 22)}),
        (4, set()),
    ],
)
def test_faces_in_large_clusters_are_published(
    spark: SparkSession, min_faces: int, expected: set[tuple[int, int]]
) -> None:
    faces = nameless_faces(*tables(spark, CROWD), min_faces)
    assert faces.columns == NAMELESS_FACES.names
    assert {(row.image_id, row.face_id) for row in faces.collect()} == expected


def test_an_image_with_two_faces_in_a_cluster_makes_it_no_larger(spark: SparkSession) -> None:
    collage: dict[int, Image] = {1: (None, "keep", [], {11: 7, 12: 7})}
    assert nameless_faces(*tables(spark, collage), 2).count() == 0
    assert nameless_faces(*tables(spark, collage), 1).count() == 2
