"""The side inputs: what people say of images, and who is protected. They are read once per run of `decide`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.hidden_paths import path_seal
from facesieve.core.profiles import ImpostorLine
from facesieve.core.pseudonyms import names_key, pseudonym
from facesieve.core.tables import Clusters, Embeddings, Listing
from facesieve.decide import protected_people
from facesieve.decide.inputs import Overlaps, Overrides, SideInputs
from facesieve.decide.listed_names import listed_names
from facesieve.decide.overlap import listed_faces, overlaps
from facesieve.decide.override_file import OverrideRow, overrides, read_overrides
from facesieve.images.hidden.hidden_uris import shown_uris
from facesieve.images.side_tables import Entries
from facesieve.lake.run import Run, Stage

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SideTables:
    """What `decide.overrides` and `decide.protected` name; nothing is looked for in the lake yet."""

    overrides: Entries[OverrideRow]
    protection: protected_people.Protection | None
    line: ImpostorLine | None

    def settings(self, run: Run) -> dict[str, Any]:
        """Return what the key of the stage is made of: what the side tables say, and not where they lie."""
        protected = self.protection.digest if self.protection else ""
        decide = asdict(replace(run.config.decide, overrides=self.overrides.digest, protected=protected))
        # The impostor line decides who is like a protected person.
        return {"decide": decide, "impostors": asdict(self.line) if self.protection and self.line else None}


def side_tables(run: Run) -> SideTables:
    """Read what is named. Raises ConfigError with what is wrong there."""
    verdicts, protection = read_overrides(run.config.decide.overrides), protected_people.described(run)
    line = run.profile.impostor
    if protection is not None and line is None:
        problem = f"the profile {run.profile.name} has no [impostor], which tell who is protected"
        raise ConfigError([Fault("decide.protected", problem, "Give it that section (jobs/calibrate.py writes it).")])
    return SideTables(verdicts, protection, line)


def side_inputs(stage: Stage, named: SideTables) -> SideInputs:
    """Find the images that are overridden, and those that show a protected person."""
    listing = Listing(stage.read(tables.LISTING))
    shown = shown_uris(listing, path_seal(stage.run.config.lake))
    by_hand = overrides(named.overrides, shown, stage.run.warn, stage.run.config.images.root)
    if by_hand is not None and stage.run.config.images.same_names == "unite":
        by_hand = _united(by_hand, listing)
    key = names_key(stage.run.config.lake)
    if by_hand is not None and key is not None:
        by_hand = _hidden(by_hand, key)
    if by_hand is not None:
        _warn_of_new_folders(stage, by_hand, listing)
    return SideInputs(by_hand, _overlaps(stage, shown, named))


def _united(by_hand: Overrides, listing: Listing) -> Overrides:
    """Let `moved_to` mean the identity under which names that meet are united."""
    return _renamed(by_hand, listed_names(_targets(by_hand), listing))


def _hidden(by_hand: Overrides, key: bytes) -> Overrides:
    """Let `moved_to` hold pseudonyms, as the listing does."""
    return _renamed(by_hand, {name: pseudonym(key, name) for name in _targets(by_hand)})


def _targets(by_hand: Overrides) -> list[str]:
    rows = by_hand.select("moved_to").where("moved_to IS NOT NULL").distinct().collect()
    return [row["moved_to"] for row in rows]


def _renamed(by_hand: Overrides, names: Mapping[str, str]) -> Overrides:
    meant: dict[Any, Any] = dict(names)
    return Overrides(by_hand.replace(meant, subset=["moved_to"])) if meant else by_hand


def _warn_of_new_folders(stage: Stage, by_hand: Overrides, listing: Listing) -> None:
    """Say it where images go to a person whom nobody else is of: it may be meant, or a slip of the pen."""
    targets = by_hand.select(F.col("moved_to").alias("identity")).where("identity IS NOT NULL").distinct()
    new = targets.join(listing.select("identity"), on="identity", how="left_anti").count()
    if new:
        warning = f"{new} of the names in moved_to are of no folder of this run: new people are made of them"
        stage.run.warn(f"decide.overrides: {warning}")


def _overlaps(stage: Stage, listing: Listing, named: SideTables) -> Overlaps | None:
    if named.protection is None or named.line is None:
        return None
    listed = listed_faces(Embeddings(stage.of_model(tables.EMBEDDINGS)), listing)
    protected = protected_people.faces(named.protection, stage.run, listed)
    if protected is None:
        return None
    clusters = Clusters(stage.read(tables.CLUSTERS))
    images = Overlaps(overlaps(listed, clusters, protected, (named.line.intercept, named.line.slope)).persist())
    faces = count(protected.count())
    _log.info(f"decide: {count(images.count())} images show a protected person ({faces} protected faces)")
    return images
