"""The collection: all faces of a run, as rows and as checked face blocks, with a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyspark import StorageLevel

from facesieve.core.frames import rows_at_once
from facesieve.faces.blocks import (
    BLOCK_FACES,
    NO_IDENTITY,
    FaceBlocks,
    Faces,
    ListedFaces,
    face_blocks,
    inventory,
    refuse_double_ids,
    sample,
)
from facesieve.link.kernels import recall
from facesieve.link.kernels.impostor_line import Line, estimate
from facesieve.link.kernels.voronoi import SAMPLE_PER_PIVOT, pivot_count
from facesieve.link.layout import COST_SAMPLE

LINE_FACES = 3_000
"""Faces that the collection's own impostor line is estimated from."""

_SEED = 0


@dataclass(frozen=True)
class Collection:
    """The faces of a run: as rows, as blocks, their number, and a sample by id hash.

    The sample's last faces serve to derive settings and to measure recall, its first to learn pivots.
    """

    faces: ListedFaces
    blocks: FaceBlocks
    total: int
    sample: Faces

    @property
    def cores(self) -> int:
        """Tasks that run at a time."""
        return self.blocks.sparkSession.sparkContext.defaultParallelism

    def last_sampled(self, number: int) -> Faces:
        """Return the last faces of the sample."""
        return Faces(self.sample.ids[-number:], self.sample.codes[-number:], self.sample.vectors[-number:])


def collection(faces: ListedFaces, dimension: int) -> Collection:
    """Gather the faces into blocks on disk (unpersist them after use) and draw the sample.

    Raises ContractError if a face_id comes more than once, or if vectors are unusable or not of this dimension.
    """
    with rows_at_once(faces.sparkSession, BLOCK_FACES):
        blocks = FaceBlocks(face_blocks(faces).persist(StorageLevel.DISK_ONLY))
    total = inventory(blocks, dimension)
    refuse_double_ids(blocks, total)
    size = max(COST_SAMPLE, pivot_count(total) * SAMPLE_PER_PIVOT) + recall.MOST_FACES
    return Collection(faces, blocks, total, sample(blocks, size, _SEED, total))


def impostor_line(faces: Faces) -> Line | None:
    """Estimate the impostor line from sampled faces; None where they cannot tell."""
    people = np.unique(faces.codes, return_inverse=True)[1].astype(np.int64)
    people[faces.codes == NO_IDENTITY] = -1
    return estimate(faces.vectors, people)
