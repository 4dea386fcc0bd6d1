"""Images of protected people: against the kernels, whatever the partitions; own protected faces; bad vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from factories import faces as synthetic
from pyspark.sql import DataFrame, SparkSession

from facesieve.core.errors import ContractError
from facesieve.core.tables import CLUSTERS, Clusters
from facesieve.decide.kernels import overlap as rule
from facesieve.decide.overlap import overlap
from facesieve.faces.hashing import id_hash

LINE = (0.0, 0.09)
PEOPLE, EACH, PROTECTED = 130, 4, 12


@dataclass(frozen=True)
class Heap:
    """Faces, the person of each, and who is hidden: persons under PROTECTED; person 200 has single faces."""

    ids: np.ndarray
    people: np.ndarray
    vectors: np.ndarray
    protected: np.ndarray

    def faces(self, spark: SparkSession, partitions: int) -> DataFrame:
        rows = [
            (int(face), int(face) // 2, f"folder-{person % 7}", vector.tolist())
            for face, person, vector in zip(self.ids, self.people, self.vectors, strict=True)
        ]
        columns = "face_id bigint, image_id bigint, identity string, vector array<float>"
        return spark.createDataFrame(rows, columns).repartition(partitions)

    def clusters(self, spark: SparkSession, scope: str = "global") -> Clusters:
        rows = [(scope, int(face), int(person), 1, 1.0, False, True, False) for face, person in self._grouped()]
        return Clusters(spark.createDataFrame(rows, CLUSTERS.columns))

    def _grouped(self):
        return zip(self.ids, self.people, strict=True)


@pytest.fixture(scope="module")
def heap() -> Heap:
    ids, names, vectors = synthetic(PEOPLE, EACH + 2, 0)
    people = np.unique(names, return_inverse=True)[1]
    shown = np.zeros(len(ids), bool)
    for person in range(PROTECTED):
        shown[np.flatnonzero(people == person)[:2]] = True
    return Heap(ids[~shown], people[~shown], vectors[~shown], vectors[shown])


def protected(spark: SparkSession, vectors: np.ndarray, face_ids: list | None = None) -> DataFrame:
    ids = face_ids or [None] * len(vectors)
    rows = [(face, vector.tolist()) for face, vector in zip(ids, vectors, strict=True)]
    return spark.createDataFrame(rows, "face_id bigint, vector array<float>").repartition(3)


def expected(heap: Heap, vectors: np.ndarray) -> dict[int, float]:
    """By the kernels: image -> greatest cosine of its marked faces."""
    halves, known = heap.vectors.astype(np.float16), np.unique(vectors.astype(np.float16), axis=0)
    _, cosines = rule.greatest(halves, known)
    units = np.floor(cosines.astype(np.float64) * 2**20)
    sizes = np.bincount(heap.people)
    means = np.bincount(heap.people, units) / np.maximum(1, sizes) / 2**20
    suspect = means[heap.people] >= rule.cluster_cosine(LINE, len(known), sizes[heap.people])
    around = rule.Heap(LINE, halves[np.argsort(id_hash(heap.ids, 0), kind="stable")])
    alike = rule.likeness(halves, rule.templates(known, around), around) >= rule.quantile(rule.FLOOR, len(known))
    found: dict[int, float] = {}
    for row in np.flatnonzero(suspect & alike):
        image = int(heap.ids[row]) // 2
        found[image] = max(found.get(image, -1), float(cosines[row]))
    return found


def collected(found: DataFrame) -> dict[int, float]:
    rows = found.collect()
    assert found.dtypes == [("image_id", "bigint"), ("cosine", "float")]
    assert len({row.image_id for row in rows}) == len(rows)
    return {row.image_id: row.cosine for row in rows}


@pytest.mark.parametrize("partitions", [1, 5])
def test_as_the_kernels_say_whatever_the_partitions(spark: SparkSession, heap: Heap, partitions: int) -> None:
    found = collected(
        overlap(heap.faces(spark, partitions), heap.clusters(spark), protected(spark, heap.protected), LINE)
    )
    assert found == expected(heap, heap.protected)
    hidden = {int(face) // 2 for face in heap.ids[heap.people < PROTECTED]}
    assert len(hidden & set(found)) >= 0.9 * len(hidden)
    assert len(set(found) - hidden) <= 2


def test_the_heap_decides_before_the_folder_and_a_face_without_both_stands_alone(
    spark: SparkSession, heap: Heap
) -> None:
    """Clusters of the identity scope hold everybody; those of the heap, where they are, count."""
    everybody = Heap(heap.ids, np.zeros_like(heap.people), heap.vectors, heap.protected)
    both = Clusters(heap.clusters(spark).unionByName(everybody.clusters(spark, "identity")))
    given = heap.faces(spark, 2), protected(spark, heap.protected)
    assert collected(overlap(given[0], both, given[1], LINE)) == expected(heap, heap.protected)
    assert collected(overlap(given[0], everybody.clusters(spark, "identity"), given[1], LINE)) == {}
    alone = Heap(heap.ids, np.arange(len(heap.ids)), heap.vectors, heap.protected)
    nobody = Clusters(spark.createDataFrame([], CLUSTERS.columns))
    assert collected(overlap(given[0], nobody, given[1], LINE)) == expected(alone, heap.protected)


def test_faces_that_are_protected_themselves_mark_their_images(spark: SparkSession, heap: Heap) -> None:
    """A list names faces of the heap: they are marked, and their people with them."""
    named = [np.flatnonzero(heap.people == person)[0] for person in range(PROTECTED)]
    ids = [int(heap.ids[row]) for row in named]
    found = collected(
        overlap(heap.faces(spark, 2), heap.clusters(spark), protected(spark, heap.vectors[named], ids), LINE)
    )
    assert {image: found[image] for image in (face // 2 for face in ids)} == {face // 2: 1.0 for face in ids}
    others = np.delete(np.arange(len(heap.ids)), named)
    rest = Heap(heap.ids[others], heap.people[others], heap.vectors[others], heap.protected)
    marked = set(expected(rest, heap.vectors[named]))
    assert set(found) == marked | {face // 2 for face in ids}
    assert len(marked) > PROTECTED


def test_vectors_that_cannot_be_compared(spark: SparkSession, heap: Heap) -> None:
    faces, clusters = heap.faces(spark, 2), heap.clusters(spark)
    with pytest.raises(ContractError, match="differ in length"):
        overlap(faces, clusters, protected(spark, heap.protected[:, :64]), LINE)
    with pytest.raises(ContractError, match="there is no face"):
        overlap(faces, clusters, protected(spark, heap.protected).limit(0), LINE)
