"""What people say of images, and who is protected: found once per run of `decide`."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.profiles import ImpostorLine
from facesieve.core.tables import Clusters
from facesieve.decide import protected_people
from facesieve.decide.overlap import overlap
from facesieve.decide.override_file import OverrideRow, overrides, read_overrides
from facesieve.decide.side_columns import Asides
from facesieve.images.side_tables import Entries
from facesieve.lake.run import Run, Stage

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Given:
    """What `decide.overrides` and `decide.protected` name; nothing is found in the lake yet."""

    said: Entries[OverrideRow]
    guarded: protected_people.Protection | None
    line: ImpostorLine | None

    def settings(self, run: Run) -> dict[str, Any]:
        """Return what the key of the stage is made of: what the side tables say, and not where they lie."""
        guarded = self.guarded.digest if self.guarded else ""
        decide = asdict(replace(run.config.decide, overrides=self.said.digest, protected=guarded))
        # The impostor line decides who is like a protected person.
        return {"decide": decide, "impostors": asdict(self.line) if self.guarded and self.line else None}


def given(run: Run) -> Given:
    """Read what is named. Raises ConfigError with what is wrong there."""
    said, guarded = read_overrides(run.config.decide.overrides), protected_people.described(run)
    line = run.profile.impostor
    if guarded is not None and line is None:
        problem = f"the profile {run.profile.name} has no [impostor], which tell who is protected"
        raise ConfigError([Fault("decide.protected", problem, "Give it that section (jobs/calibrate.py writes it).")])
    return Given(said, guarded, line)


def asides(stage: Stage, known: Given) -> Asides:
    """Find the images that are ruled upon, and those that show a protected person."""
    listing = stage.read(tables.LISTING)
    ruled = overrides(known.said, listing.select("image_id", "uri"), stage.run.warn)
    if ruled is not None:
        _warn_of_new_folders(stage, ruled, listing)
    return Asides(ruled, _overlap(stage, listing, known))


def _warn_of_new_folders(stage: Stage, ruled: DataFrame, listing: DataFrame) -> None:
    """Say it where images go to a person whom nobody else is of: it may be meant, or a slip of the pen."""
    named = ruled.select(F.col("moved_to").alias("identity")).where("identity IS NOT NULL").distinct()
    new = named.join(listing.select("identity"), on="identity", how="left_anti").count()
    if new:
        said = f"{new} of the names in moved_to are of no folder of this run: new people are made of them"
        stage.run.warn(f"decide.overrides: {said}")


def _overlap(stage: Stage, listing: DataFrame, known: Given) -> DataFrame | None:
    if known.guarded is None or known.line is None:
        return None
    embedded = stage.of_model(tables.EMBEDDINGS).select("face_id", "image_id", "vector")
    listed = embedded.join(listing.select("image_id", "uri", "identity"), "image_id", how="inner")
    faces = protected_people.faces(known.guarded, stage.run, listed)
    if faces is None:
        return None
    clusters = Clusters(stage.read(tables.CLUSTERS))
    found = overlap(listed, clusters, faces, (known.line.intercept, known.line.slope)).persist()
    _log.info(f"decide: {count(found.count())} images show a protected person ({count(faces.count())} protected faces)")
    return found
