"""What is published, and under which identity."""

from __future__ import annotations

from pyspark.sql import SparkSession

from deciding import Face, Photo, inputs
from facesieve.stages.cleaned import cleaned
from facesieve.tables import CLEANED, DECISIONS, Decisions


def test_kept_and_moved_images_with_the_identity_they_end_with(spark: SparkSession) -> None:
    photos = {name: Photo(f"{name}.jpg", None, (Face((0.6, 0.8)), Face(rank=1))) for name in "abcde"}
    rows = [
        ("a", "Ann", "keep", None, 7),
        ("b", None, "keep", None, -7),
        ("c", "Ann", "move", "Bob", 8),
        ("d", "Ann", "drop", None, 8),
        ("e", None, "quarantine", None, 9),
    ]
    decided = [
        (p.image_id, p.uri, identity, verdict, [], p.face_id(p.faces[0]), "heap", cluster, to, None, None, None)
        for p, identity, verdict, to, cluster in ((photos[name], *rest) for name, *rest in rows)
    ]
    given = inputs(spark, list(photos.values()))
    table = cleaned(Decisions(spark.createDataFrame(decided, DECISIONS.columns)), given.listing, given.embeddings)
    assert table.schema == CLEANED.columns
    found = {row.uri: row for row in table.collect()}
    assert {uri: row.identity for uri, row in found.items()} == {"a.jpg": "Ann", "b.jpg": "cluster--7", "c.jpg": "Bob"}
    a = found["a.jpg"]
    assert (a.image_id, a.face_id) == (photos["a"].image_id, photos["a"].face_id(photos["a"].faces[0]))
    assert (a.sha256, a.bytes) == (photos["a"].sha256, None)
    assert [round(x, 6) for x in a.vector] == [0.6, 0.8]
