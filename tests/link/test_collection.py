"""The collection of a run: all faces, checked, and the same sample for any partitioning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import oracle
import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ContractError
from facesieve.faces.blocks import NO_IDENTITY, Faces
from facesieve.link.collection import collection, impostor_line


def test_faces_are_counted_and_sampled(spark: SparkSession) -> None:
    faces = oracle.crowd(10, 4, seed=1)
    every = collection(oracle.frame(spark, faces, 3), 32)
    assert every.total == 40
    assert sorted(every.sample.ids.tolist()) == sorted(faces.ids.tolist()), "few faces are all sampled"
    assert every.last_sampled(7).ids.tolist() == every.sample.ids[-7:].tolist()
    assert every.last_sampled(7).vectors.tobytes() == every.sample.vectors[-7:].tobytes()
    assert every.cores == spark.sparkContext.defaultParallelism
    every.blocks.unpersist()


def test_what_is_wrong_is_named(spark: SparkSession) -> None:
    faces = oracle.crowd(10, 4, seed=1)
    twice = np.where(np.arange(40) == 11, faces.ids[3], faces.ids)
    with pytest.raises(ContractError, match=r"^embeddings\.face_id: 1 ids come more than once$"):
        collection(oracle.frame(spark, replace(faces, ids=twice), 3), 32)
    with pytest.raises(ContractError, match="and the model makes 33"):
        collection(oracle.frame(spark, faces), 33)


def test_the_impostor_line_comes_from_people_with_a_name() -> None:
    faces = oracle.crowd(150, 4, seed=1)
    line = impostor_line(Faces(faces.ids, faces.codes, faces.halves))
    assert line is not None
    assert line.how == "identities"
    nameless = impostor_line(Faces(faces.ids, np.full(len(faces.ids), NO_IDENTITY), faces.halves))
    assert nameless is not None
    assert nameless.how == "robust", "faces without a name are not one person"
    assert impostor_line(Faces(faces.ids[:40], faces.codes[:40], faces.halves[:40])) is None
