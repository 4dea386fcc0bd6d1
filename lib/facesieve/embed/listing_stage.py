"""The listing as a stage of a run: made anew, or the one that the lake has, and what is said of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ContractError
from facesieve.core.hidden_paths import path_seal
from facesieve.core.pseudonyms import fingerprint, names_key
from facesieve.core.tables import Listing
from facesieve.embed.listing import Digests, is_unread, listing, listing_key
from facesieve.images.hidden.hidden_source import of_hidden
from facesieve.images.identity import hidden, identity_rule, united
from facesieve.images.protocol import Source, SourceImages
from facesieve.lake.records import ListingRecord
from facesieve.lake.run import Stage

_log = logging.getLogger(__name__)


def list_again(stage: Stage, record: ListingRecord) -> None:
    """Let the listing stand that the lake has, and say of it what was said when it was made."""
    if record.layout:
        _log.info(f"layout: {record.layout.text}")
    for warning in record.warnings:
        stage.run.warn(warning)
    stage.key = stage.since[tables.LISTING.name].key
    stage.reuse()
    stage.done(replace(record, reused=True, new=0, gone=0, changed=0))


def list_images(
    stage: Stage,
    images: SourceImages,
    origin: Source,
    fresh: Digests | None,
    spelling: Mapping[str, str],
    record: ListingRecord,
) -> None:
    """List the images, and complete what is recorded of them."""
    run = stage.run
    former = Listing(stage.former(tables.LISTING))
    rehash = run.config.embed.rehash
    key = names_key(run.config.lake)
    rule = hidden(united(identity_rule(run.config.images), spelling), key)
    rule = of_hidden(rule, path_seal(run.config.lake))
    rows = listing(images, None if rehash else former, run.config.images, origin.fetch(), fresh, rule)
    total, failed = rows.agg(F.count("*"), F.count_if(is_unread())).collect()[0]
    if failed:
        run.warn(
            f"listing: {count(failed)} images could not be read, and are undecodable for now; the next run tries them"
        )
    _refuse_lost(total, origin)
    stage.holds(listing_key(rows))
    reused = stage.reuse()
    if not reused:
        stage.overwrite(tables.LISTING, rows)
    same = run.at[tables.LISTING.name].version == stage.since[tables.LISTING.name].version
    since = Since(0, 0, 0) if same else since_last(rows, former)
    rows.unpersist()
    if since.gone:
        _log.info(f"listing: {count(since.gone)} images of the last listing are gone; what is stored of them stays")
    counts = replace(record, new=since.new, gone=since.gone, changed=since.changed, rows_in=total, rows_out=total)
    mark = None if key is None else fingerprint(key)
    stage.done(replace(counts, reused=reused, state=None if failed else record.state, names_key=mark))


def _refuse_lost(listed: int, images: Source) -> None:
    """Refuse a listing that has more or fewer images than the source says that it has."""
    expected = images.rows()
    if expected is not None and expected != listed:
        raise ContractError(f"images.root: {expected} rows by the footers, {listed} were listed; run again")


class Since(NamedTuple):
    """What became of the images since the last listing, by uri: new ones, gone ones, those of other content."""

    new: int
    gone: int
    changed: int


def since_last(listed: Listing, former: Listing) -> Since:
    """Count what became of the images, by uri."""
    now = listed.select("uri", F.coalesce("sha256", F.lit("")).alias("now"))
    then = former.select("uri", F.coalesce("sha256", F.lit("")).alias("then"))
    states = (F.col("then").isNull(), F.col("now").isNull(), F.col("now") != F.col("then"))
    return Since(*now.join(then, on="uri", how="full").agg(*map(F.count_if, states)).collect()[0])
