"""Faces near a probe are those that a comparison of all with all gives."""

from __future__ import annotations

import numpy as np
import oracle
from pyspark.sql import SparkSession

from facesieve.erasure.near_faces import near_faces
from facesieve.faces.blocks import FaceBlocks, ListedFaces, face_blocks
from facesieve.faces.vectors import pair_cosine


def test_all_faces_are_compared_and_each_is_there_once(spark: SparkSession) -> None:
    faces = oracle.crowd(40, 5, seed=2)
    probes = faces.vectors[[3, 4, 77]].astype(np.float32)
    blocks = FaceBlocks(face_blocks(ListedFaces(oracle.frame(spark, faces, 3))))
    near = {row.face_id: row.cosine for row in near_faces(blocks, probes, 0.4).collect()}
    all_cosines = np.array([pair_cosine(faces.vectors, np.tile(each, (len(faces.ids), 1))) for each in probes])
    greatest = all_cosines.max(axis=0)
    expected = {int(face): float(cosine) for face, cosine in zip(faces.ids, greatest, strict=True) if cosine >= 0.4}
    assert near == expected
    assert 3 < len(near) < len(faces.ids)
    assert near_faces(blocks, -probes[:1], 0.999).collect() == []
