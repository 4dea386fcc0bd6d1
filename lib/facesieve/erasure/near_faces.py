"""Faces of the lake near some vectors: all are compared, block by block, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NewType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame

from facesieve.core.frames import columns
from facesieve.faces.blocks import FaceBlocks, batch_of, blocks_in, rows_of
from facesieve.faces.vectors import hits

NearFaces = NewType("NearFaces", DataFrame)
"""Faces and their greatest cosine to one of the vectors, with the columns of NEAR_FACES."""
NEAR_FACES = columns("face_id bigint, cosine float")


def near_faces(blocks: FaceBlocks, vectors: npt.NDArray[np.float32], cosine: float) -> NearFaces:
    """Find the faces within a cosine of any of the vectors; exact.

    vectors: float32 [k, D], D that of the blocks.
    """
    probes = vectors.astype(np.float16)

    def compared(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in blocks_in(rows_of(batches)):
            faces, _probes, cosines = hits(block.vectors, probes, cosine)
            rows, first = np.unique(faces, return_index=True)
            greatest = np.maximum.reduceat(cosines, first) if len(faces) else cosines
            yield batch_of(face_id=block.ids[rows], cosine=greatest)

    return NearFaces(blocks.select("ids", "codes", "vectors").mapInArrow(compared, NEAR_FACES))
