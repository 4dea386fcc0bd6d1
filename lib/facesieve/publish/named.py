"""Names join back into exports where the tables hold pseudonyms: from the labels, the source, and people's verdicts.

Paths that are hidden are shown by the key alone.
"""

from __future__ import annotations

from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.frames import broadcast_if_few
from facesieve.core.hidden_paths import path_seal
from facesieve.core.pseudonyms import names_key, pseudonym
from facesieve.core.tables import CLEANED, Cleaned
from facesieve.decide.override_file import read_overrides
from facesieve.images.hidden.hidden_uris import shown_uris
from facesieve.images.identity import identity_rule
from facesieve.images.labels import read_labels
from facesieve.images.sources import source
from facesieve.lake.run import Run

_NAMES = "identity string, name string"


def named(run: Run, cleaned: Cleaned) -> Cleaned:
    """Return the rows with names as identities, and with paths as uris; as they are where names are stored.

    Warns of people without a name.
    """
    key = names_key(run.config.lake)
    if key is None:
        return cleaned
    pairs = [(pseudonym(key, name), name) for name in sorted(_names(run))]
    names = broadcast_if_few(run.spark.createDataFrame(pairs, _NAMES), len(pairs))
    rows = cleaned.join(names, "identity", how="left")
    people = F.count_distinct(F.when(F.col("name").isNull() & F.col("identity").startswith("p-"), F.col("identity")))
    nameless = rows.agg(people.alias("people")).collect()[0].people
    if nameless:
        run.warn(f"publish: the names of {count(nameless)} people are neither in the source nor in images.labels")
    bearing = rows.withColumn("identity", F.coalesce("name", "identity")).select(*CLEANED.columns.names)
    return Cleaned(shown_uris(bearing, path_seal(run.config.lake)))


def _names(run: Run) -> set[str]:
    """Return the names of all people whom an image may be of."""
    images, ruled = run.config.images, read_overrides(run.config.decide.overrides)
    further = {row.moved_to for row in ruled.rows if row.moved_to}
    if images.labels:
        return further | {row.identity for row in read_labels(images.labels).rows if row.identity}
    if images.identity == "none":
        return further
    rows = source(images).images(run.spark, content=False).select("uri", "identity")
    if images.format == "files":
        rows = rows.withColumn("identity", F.udf(identity_rule(images), "string")("uri", "identity"))
    return further | {row.identity for row in rows.select("identity").distinct().collect() if row.identity}
