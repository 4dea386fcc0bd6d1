"""The listing: every image given to the run, with the digest of its content, its identity and its id.

An image that cannot be read is a row without a digest. Spark keeps the result (in memory, else on disk), so that
nothing is read twice between the check of its ids, its key and its commit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import ids
from facesieve.core.config import Images
from facesieve.core.errors import ContractError
from facesieve.core.tables import LISTING, Listing, conform

_TASKS_PER_CORE = 4
_MOST_BYTES = 1 << 30  # the greatest embed.max_bytes: a larger file is never decoded, so it stays unread
_BUCKET_BITS = 10  # of an id: the rows of one bucket are digested in one task
_ARROW = pa.schema(
    [
        ("image_id", pa.int64()),
        ("uri", pa.string()),
        ("identity", pa.string()),
        ("size", pa.int64()),
        ("modified", pa.timestamp("us", tz="UTC")),
        ("sha256", pa.string()),
    ]
)


def listing(
    images: DataFrame, former: Listing | None, settings: Images, fetch: Callable[[str], bytes], rehash: bool
) -> Listing:
    """Give every image of a source its SHA-256, identity and id.

    `images` is as `sources` makes it. The digest of an image with equal uri, size and modification time in `former` is
    reused unless `rehash`; Parquet content has no modification time and is always hashed. The result is persisted.
    Raises ContractError if a uri is null or there twice, or if two images have one id.
    """
    rows = _spread(_with_known(images, None if rehash else former, settings), settings)
    hashed = rows.mapInArrow(_hasher(settings, fetch), LISTING.columns)
    return checked(Listing(conform(hashed, LISTING).persist()))


def checked(table: Listing) -> Listing:
    """Return `table` if every row has a uri of its own and an id of its own. Raises ContractError with the counts."""
    counts = table.agg(
        F.count("*").alias("rows"),
        F.count("uri").alias("named"),
        F.count_distinct("uri").alias("uris"),
        F.count_distinct("image_id").alias("ids"),
    ).collect()[0]
    faults = (
        (counts["rows"] - counts["named"], "listing.uri is null in {} rows: give every image a uri"),
        (counts["named"] - counts["uris"], "listing.uri repeats another in {} rows: give every image a uri of its own"),
        (counts["uris"] - counts["ids"], "listing.image_id collides in {} rows: rename one image of each pair"),
    )
    said = [text.format(count) for count, text in faults if count > 0]
    if said:
        raise ContractError("; ".join(said))
    return table


def listing_key(table: Listing) -> str:
    """Digest the rows of a listing: 64 hex digits, the same for any partitioning and order of equal rows.

    Rows meet by the leading bits of their id, so the driver sees 1,024 digests at most.
    """
    columns = [F.unix_micros(name).alias(name) if name == "modified" else F.col(name) for name in LISTING.columns.names]
    rows = table.select(
        F.shiftrightunsigned("image_id", 64 - _BUCKET_BITS).alias("bucket"),
        F.sha2(F.to_json(F.struct(*columns)), 256).alias("row"),
    )
    sorted_rows = F.concat_ws("", F.sort_array(F.collect_list("row")))
    buckets = rows.groupBy("bucket").agg(F.sha2(sorted_rows, 256).alias("digest")).collect()
    lines = sorted(f"{row['bucket']:04d} {row['digest']}\n" for row in buckets)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _with_known(images: DataFrame, former: Listing | None, settings: Images) -> DataFrame:
    if former is None or settings.format == "parquet":
        return images.withColumn("known", F.lit(None).cast("string"))
    known = former.select("uri", "size", "modified", F.col("sha256").alias("known"))
    return images.join(known, on=["uri", "size", "modified"], how="left")


def _spread(images: DataFrame, settings: Images) -> DataFrame:
    # Files are small rows that take long to hash, and would be left in few tasks. Parquet rows carry their content.
    if settings.format == "parquet":
        return images
    return images.repartition(_TASKS_PER_CORE * images.sparkSession.sparkContext.defaultParallelism, "uri")


def _hasher(
    settings: Images, fetch: Callable[[str], bytes]
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    identity_of = _identity_rule(settings)
    fetch_file = None if settings.format == "parquet" else fetch

    def hashed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            uris = batch.column("uri").to_pylist()
            given = batch.column("identity").to_pylist()
            digests = list(_digests(batch, fetch_file))
            columns = (
                [None if uri is None else ids.image_id(uri, sha256) for uri, sha256 in zip(uris, digests, strict=True)],
                uris,
                [identity_of(uri, name) for uri, name in zip(uris, given, strict=True)],
                batch.column("size"),
                batch.column("modified").cast(_ARROW.field("modified").type),
                digests,
            )
            arrays = [pa.array(column, field.type) for column, field in zip(columns, _ARROW, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=_ARROW)

    return hashed


def _digests(batch: pa.RecordBatch, fetch: Callable[[str], bytes] | None) -> Iterator[str | None]:
    small = (batch.column(name).to_pylist() for name in ("uri", "size", "known"))
    for uri, size, known, content in zip(*small, batch.column("content"), strict=True):
        if known is not None:
            yield known
        elif content.is_valid:
            yield hashlib.sha256(content.as_buffer()).hexdigest()
        elif fetch is None or uri is None or (size or 0) > _MOST_BYTES:
            yield None
        else:
            yield _digest_of_file(fetch, uri)


def _digest_of_file(fetch: Callable[[str], bytes], uri: str) -> str | None:
    try:
        return hashlib.sha256(fetch(uri)).hexdigest()
    except OSError:
        return None


def _identity_rule(settings: Images) -> Callable[[str | None, str | None], str | None]:
    """Return a function from uri and the source's own identity to the identity; an empty one is none."""
    if settings.identity == "none":
        return lambda uri, given: None
    if settings.identity == "folder":
        if settings.format == "parquet":
            return lambda uri, given: given or None
        return lambda uri, given: uri.split("/")[-2] if uri and "/" in uri else None
    pattern = re.compile(settings.identity)

    def searched(uri: str | None, given: str | None) -> str | None:
        found = pattern.search(uri or "")
        return (found["identity"] or None) if found else None

    return searched
