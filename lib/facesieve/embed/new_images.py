"""Images that no run has seen: hashed and embedded in one read, before they are listed.

An image's id follows from its content, so that the listing can be completed only after the read. Every chunk of new
images is one commit to `embeddings` and to `rejects`; their rows bear the digests that the listing then takes. After a
crash the next run finds by uri which images those commits hold. It reads them again for their digest alone, and goes on
with the others.
"""

from __future__ import annotations

from typing import NewType

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.core.sections import VECTORS
from facesieve.core.tables import EMBEDDINGS, LISTING, REJECTS, Listing
from facesieve.embed.listing import DIGESTS, Digests, with_former_digests
from facesieve.images.protocol import SourceImages
from facesieve.lake.run import Stage

NewUris = NewType("NewUris", DataFrame)
"""The uris of images that are new, with the column of NEW_URIS."""

SeenImages = NewType("SeenImages", DataFrame)
"""Images that a model has seen, with the columns of SEEN_IMAGES."""

SEEN_IMAGES = columns("image_id bigint, uri string")

NEW_URIS = columns("uri string")


def new_uris(images: SourceImages, listing: Stage, faces: Stage) -> NewUris:
    """Find the images whose digest the former listing does not tell, and whose uri the model has not seen. Persisted.

    None are new where the listing was moved back (a refused or an undone run): the tables of then are perhaps reused,
    once the listing's key is known.

    | uri   | former digest | in embeddings or rejects | new |
    | a.jpg | yes           | yes                      | no  |
    | b.jpg | yes           | no (another model)       | no  |
    | c.jpg | no (changed)  | yes                      | no  |
    | d.jpg | no            | no                       | yes |
    """
    run = listing.run
    if run.lake.versions(LISTING)[-1].version != listing.since[LISTING.name].version:
        return NewUris(images.select(*NEW_URIS.names).limit(0).persist())
    # A vector is read as fast as its digest is looked up, so that what another model has listed is new as well.
    read = run.config.embed.rehash or run.config.images.format == VECTORS
    former = None if read else Listing(listing.former(LISTING))
    unlisted = with_former_digests(images, former, run.config.images).where("digest IS NULL")
    seen = seen_images(faces).select("uri").distinct()
    return NewUris(unlisted.select(*NEW_URIS.names).join(seen, "uri", how="left_anti").persist())


def seen_images(faces: Stage) -> SeenImages:
    """Read which images the run's model had embedded or rejected when a stage began: one row per face or reject."""
    mine = F.col("model") == faces.run.model
    embeddings, rejects = (
        faces.former(table).where(mine).select(*SEEN_IMAGES.names) for table in (EMBEDDINGS, REJECTS)
    )
    return SeenImages(embeddings.unionByName(rejects))


def digests_of(uris: NewUris, faces: Stage) -> Digests:
    """Read the digests of new images off the rows that their embedding has left."""
    rows = faces.of_model(EMBEDDINGS).select(*DIGESTS.names).unionByName(faces.of_model(REJECTS).select(*DIGESTS.names))
    return Digests(rows.join(uris, "uri", how="left_semi").distinct())
