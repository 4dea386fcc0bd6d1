"""Lone images: those whose faces are like none in their folder, and the pictures in the folder that they may copy.

A detector may take something else for the face of a copy that was turned, cut or made small. Then no edge joins the
copy to its original. So the pictures themselves are compared, as they stand and turned by quarters: those of lone
images with all others of the same folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NewType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.decide.kernels.duplicates import Ids, lone_pairs
from facesieve.embed.perceptual_hash import TURNED_BYTES, TURNS, VIEW_BYTES
from facesieve.faces.arrow_groups import as_numpy, groups, whole_groups

NearFaces = NewType("NearFaces", DataFrame)
NEAR_FACES = columns("face_id bigint")
"""Faces with an edge of at least `decide.near_cosine`; a face may come more than once."""

HashedImages = NewType("HashedImages", DataFrame)
HASHED_IMAGES = columns("image_id bigint, face_id bigint, identity string, phash binary, turned_phash binary")
"""One row per face of an image that has a hash."""

LonePairs = NewType("LonePairs", DataFrame)
LONE_PAIRS = columns("image bigint, to_image bigint, face bigint, to bigint, difference int, turn int")
"""Pairs of images whose pictures are alike, each once, and their first faces. turn: by so many quarter turns,
counter-clockwise, the one becomes the other."""

Batches = Iterable[pa.RecordBatch]

_LARGEST = 20_000
"""Images of a folder from which on its lone images are not compared: the time grows with lone images x images."""


def pairs_of_lone(images: HashedImages, near: NearFaces, most: int) -> LonePairs:
    """Pair lone images with the images of their folder whose pictures differ in at most `most` bits."""
    joined = near.select("face_id", F.lit(True).alias("near")).distinct()
    named = images.where("identity IS NOT NULL").join(joined, on="face_id", how="left")
    rows = named.groupBy("identity", "image_id").agg(
        F.min("face_id").alias("face_id"),
        F.max("near").isNull().alias("lone"),
        F.min(F.substring("phash", 1, VIEW_BYTES)).alias("whole"),
        F.min("turned_phash").alias("turned"),
    )
    return LonePairs(
        rows.repartition("identity")
        .sortWithinPartitions("identity", "image_id")
        .mapInArrow(_pairs(most, _LARGEST), LONE_PAIRS)
    )


def _pairs(most: int, largest: int) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def paired(batches: Batches) -> Iterator[pa.RecordBatch]:
        for rows in whole_groups(batches, ("identity",)):
            first, second, bits, turn = _pairs_in(rows, most, largest)
            ends = [as_numpy(rows[name])[places] for name in ("image_id", "face_id") for places in (first, second)]
            cells = [*map(pa.array, ends), pa.array(bits, pa.int32()), pa.array(turn, pa.int32())]
            yield pa.RecordBatch.from_arrays(cells, LONE_PAIRS.names)

    return paired


def _pairs_in(rows: pa.Table, most: int, largest: int) -> Ids:
    """Pair the images of several folders, each within its own, as `lone_pairs` does: row numbers, bits, turns.

    A folder of more than `largest` images is left.
    """
    every, (wholes, turned) = as_numpy(rows["lone"]).astype(np.bool_), _hashes(rows)
    pairs = [np.empty((4, 0), np.int64)]
    for part in groups(rows, ("identity",)):
        lone = every[part]
        if lone.any() and 1 < len(lone) <= largest:
            of_folder = lone_pairs(wholes[part], turned[part], lone, most)
            of_folder[:2] += part.start
            pairs.append(of_folder)
    return np.concatenate(pairs, axis=1)


def _hashes(rows: pa.Table) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The wholes [N, B] and the turned wholes [N, 3, B]; a picture whose turns were not hashed stands for them."""
    wholes: list[bytes] = rows["whole"].to_pylist()
    turned: list[bytes | None] = rows["turned"].to_pylist()
    filled = [
        hashed if hashed is not None and len(hashed) == TURNED_BYTES else whole * len(TURNS)
        for hashed, whole in zip(turned, wholes, strict=True)
    ]
    return (
        np.frombuffer(b"".join(wholes), np.uint8).reshape(-1, VIEW_BYTES),
        np.frombuffer(b"".join(filled), np.uint8).reshape(-1, len(TURNS), VIEW_BYTES),
    )
