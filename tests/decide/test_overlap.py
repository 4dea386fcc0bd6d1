"""Images of protected people: against the kernels, whatever the partitions; own protected faces; bad vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from factories import faces as synthetic
from pyspark.sql import SparkSession

from facesieve.core.errors import ContractError
from facesieve.core.tables import CLUSTERS, Clusters
from facesieve.decide.inputs import Overlaps
from facesieve.decide.kernels import overlap as rule
from facesieve.decide.kernels.nearest import greatest
from facesieve.decide.overlap import LISTED_FACES, PROTECTED_FACES, ProtectedFaces, overlaps
from facesieve.faces.blocks import ListedFaces
from facesieve.faces.hashing import id_hash
from facesieve.faces.vectors import Indices, Shorts

LINE = (0.0, 0.09)
PEOPLE, EACH, PROTECTED = 130, 4, 12


@dataclass(frozen=True)
class Crowd:
    """Faces, the person of each, and who is hidden: persons under PROTECTED; person 200 has single faces."""

    ids: Indices
    people: Indices
    vectors: Shorts
    protected: Shorts

    def faces(self, spark: SparkSession, partitions: int) -> ListedFaces:
        rows = [
            (int(face), int(face) // 2, f"{face}.jpg", f"folder-{person % 7}", vector.tolist())
            for face, person, vector in zip(self.ids, self.people, self.vectors, strict=True)
        ]
        return ListedFaces(spark.createDataFrame(rows, LISTED_FACES).repartition(partitions))

    def clusters(self, spark: SparkSession, scope: str = "global") -> Clusters:
        rows = [
            (scope, int(face), int(person), 1, 1.0, False, True, False, 1.0)
            for face, person in zip(self.ids, self.people, strict=True)
        ]
        return Clusters(spark.createDataFrame(rows, CLUSTERS.columns))


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    ids, names, vectors = synthetic(PEOPLE, EACH + 2, 0)
    people = np.unique(names, return_inverse=True)[1]
    shown = np.zeros(len(ids), bool)
    for person in range(PROTECTED):
        shown[np.flatnonzero(people == person)[:2]] = True
    return Crowd(ids[~shown], people[~shown], vectors[~shown], vectors[shown])


def protected(spark: SparkSession, vectors: Shorts, face_ids: list[int] | None = None) -> ProtectedFaces:
    ids: Sequence[int | None] = face_ids or [None] * len(vectors)
    rows = [(face, vector.tolist()) for face, vector in zip(ids, vectors, strict=True)]
    return ProtectedFaces(spark.createDataFrame(rows, PROTECTED_FACES).repartition(3))


def expected(crowd: Crowd, vectors: Shorts) -> dict[int, float]:
    """By the kernels: image -> greatest cosine of its marked faces."""
    halves, known = crowd.vectors.astype(np.float16), np.unique(vectors.astype(np.float16), axis=0)
    _, cosines = greatest(halves, known)
    units = np.floor(cosines.astype(np.float64) * 2**20)
    sizes = np.bincount(crowd.people)
    means = np.bincount(crowd.people, units) / np.maximum(1, sizes) / 2**20
    suspect = means[crowd.people] >= rule.cluster_cosine(LINE, len(known), sizes[crowd.people])
    cohort = rule.Cohort(LINE, halves[np.argsort(id_hash(crowd.ids, 0), kind="stable")])
    alike = rule.likeness(halves, rule.templates(known, cohort), cohort) >= rule.quantile(rule.FLOOR, len(known))
    images: dict[int, float] = {}
    for row in np.flatnonzero(suspect & alike):
        image = int(crowd.ids[row]) // 2
        images[image] = max(images.get(image, -1), float(cosines[row]))
    return images


def collected(images: Overlaps) -> dict[int, float]:
    rows = images.collect()
    assert images.dtypes == [("image_id", "bigint"), ("cosine", "float")]
    assert len({row.image_id for row in rows}) == len(rows)
    return {row.image_id: row.cosine for row in rows}


@pytest.mark.parametrize("partitions", [1, 5])
def test_as_the_kernels_say_whatever_the_partitions(spark: SparkSession, crowd: Crowd, partitions: int) -> None:
    found = collected(
        overlaps(crowd.faces(spark, partitions), crowd.clusters(spark), protected(spark, crowd.protected), LINE)
    )
    assert found == expected(crowd, crowd.protected)
    hidden = {int(face) // 2 for face in crowd.ids[crowd.people < PROTECTED]}
    assert len(hidden & set(found)) >= 0.9 * len(hidden)
    assert len(set(found) - hidden) <= 2


def test_the_scope_global_decides_before_the_folder_and_a_face_without_both_stands_alone(
    spark: SparkSession, crowd: Crowd
) -> None:
    """Clusters of the scope identity hold everybody; those of the scope global, where they are, count."""
    everybody = Crowd(crowd.ids, np.zeros_like(crowd.people), crowd.vectors, crowd.protected)
    both = Clusters(crowd.clusters(spark).unionByName(everybody.clusters(spark, "identity")))
    given = crowd.faces(spark, 2), protected(spark, crowd.protected)
    assert collected(overlaps(given[0], both, given[1], LINE)) == expected(crowd, crowd.protected)
    assert collected(overlaps(given[0], everybody.clusters(spark, "identity"), given[1], LINE)) == {}
    alone = Crowd(crowd.ids, np.arange(len(crowd.ids)), crowd.vectors, crowd.protected)
    nobody = Clusters(spark.createDataFrame([], CLUSTERS.columns))
    assert collected(overlaps(given[0], nobody, given[1], LINE)) == expected(alone, crowd.protected)


def test_faces_that_are_protected_themselves_mark_their_images(spark: SparkSession, crowd: Crowd) -> None:
    """A list names faces of the run: they are marked, and their people with them."""
    named = [np.flatnonzero(crowd.people == person)[0] for person in range(PROTECTED)]
    ids = [int(crowd.ids[row]) for row in named]
    found = collected(
        overlaps(crowd.faces(spark, 2), crowd.clusters(spark), protected(spark, crowd.vectors[named], ids), LINE)
    )
    assert {image: found[image] for image in (face // 2 for face in ids)} == {face // 2: 1.0 for face in ids}
    others = np.delete(np.arange(len(crowd.ids)), named)
    rest = Crowd(crowd.ids[others], crowd.people[others], crowd.vectors[others], crowd.protected)
    marked = set(expected(rest, crowd.vectors[named]))
    assert set(found) == marked | {face // 2 for face in ids}
    assert len(marked) > PROTECTED


def test_vectors_that_cannot_be_compared(spark: SparkSession, crowd: Crowd) -> None:
    faces, clusters = crowd.faces(spark, 2), crowd.clusters(spark)
    with pytest.raises(ContractError, match="differ in length"):
        overlaps(faces, clusters, protected(spark, crowd.protected[:, :64]), LINE)
    with pytest.raises(ContractError, match="there is no face"):
        overlaps(faces, clusters, ProtectedFaces(protected(spark, crowd.protected).limit(0)), LINE)
