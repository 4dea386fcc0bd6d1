"""The rows of a person, and of nobody else."""

from __future__ import annotations

import erasable

from facesieve.core import tables
from facesieve.erasure.access.collection import collect
from facesieve.erasure.selection import of_images
from facesieve.lake.catalog import Lake

FROM = erasable.FROM


def test_rows_come_by_image_and_clusters_by_face(lapsed_lake: Lake) -> None:
    collected = collect(lapsed_lake, of_images(lapsed_lake, (FROM + 2, FROM + 7, FROM + 8)))
    assert {erasable.small(image) for image in collected.rows["embeddings"]} == {2, 8}
    assert [row.reason for row in collected.of(tables.REJECTS, FROM + 7)] == ["no_face"]
    assert collected.of(tables.REJECTS, FROM + 2) == ()
    assert {erasable.small(face) for face in collected.clusters} == {102, 108}
    assert collected.own == {("global", FROM + 102): 1, ("global", FROM + 103): 1}
    assert collected.linked == (1, 1)
    assert {erasable.small(image): names for image, names in collected.named.items()} == {
        **{2: ["ann"], 7: ["dan"], 8: ["ann"]}
    }, "7 is gone, and a former listing tells its name"
