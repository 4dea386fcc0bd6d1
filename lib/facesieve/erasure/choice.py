"""The choice of a subject: by selectors, by a probe, or by both; and that a probe's is confirmed.

What is erased and what is told of a person are chosen by the same code.
"""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import NamedTuple, Self

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.hidden_paths import path_seal
from facesieve.core.pseudonyms import names_key, pseudonym
from facesieve.core.sections import Lake
from facesieve.core.tables import LISTING
from facesieve.embed.same_names import folds
from facesieve.erasure.candidates import Candidates, candidates
from facesieve.erasure.probe import Probe, add_probe, digest_of
from facesieve.erasure.refusals import refuse_unopened
from facesieve.erasure.selection import subject_of
from facesieve.erasure.selectors import Selectors, add_selectors
from facesieve.erasure.subject import Subject
from facesieve.erasure.tombstone_rows import check_key
from facesieve.lake.side_job import SideJob


@dataclass(frozen=True)
class Choice:
    """What the arguments choose by.

    confirm: digest of the images that a person has seen and means; may be empty. applied: whether they will go.
    """

    selectors: Selectors
    probe: Probe
    confirm: str = ""
    applied: bool = False

    @classmethod
    def of(cls, arguments: Namespace) -> Self:
        """Read it from the arguments. Raises ConfigError with all that is wrong with them."""
        probe = Probe.of(arguments)
        return cls(
            Selectors.of(arguments, needed=not probe), probe, arguments.confirm, getattr(arguments, "apply", False)
        )

    @property
    def unconfirmed(self) -> bool:
        """Say whether nobody has confirmed what a probe chooses."""
        return bool(self.probe) and not self.confirm

    def refuse_unconfirmed(self) -> None:
        """Raise ConfigError where nobody has confirmed what a probe chooses."""
        if self.unconfirmed:
            fix = "Start the command without --apply first, look at the candidates, and give the digest it ends with."
            raise ConfigError([Fault("--confirm", "is not given, and a probe alone erases nothing", fix)])

    @property
    def kinds(self) -> str:
        """Name the ways in which the subject is chosen, not the subject."""
        return ", ".join(
            [*(name for name, values in asdict(self.selectors).items() if values), *["probe"] * bool(self.probe)]
        )

    @property
    def digest(self) -> str:
        """Name the choice without telling it. Of a probe it is what was confirmed: the photograph may be erased."""
        if not self.probe:
            return self.selectors.digest
        parts = [self.selectors.digest, self.probe.settings, self.confirm]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def with_images(self, images: Collection[int]) -> Selectors:
        """Return the selectors with the images of the probe's candidates."""
        return replace(self.selectors, image_id=tuple(sorted({*self.selectors.image_id, *images})))

    def pseudonyms(self, lake: Lake) -> dict[str, str]:
        """Return the names asked for by what stands in the tables for them, where these hold no names."""
        key = names_key(lake) if self.selectors.identity else None
        return {} if key is None else {pseudonym(key, name): name for name in self.selectors.identity}

    def check(self, images: Sequence[int]) -> None:
        """Raise ConfigError if other images are chosen than those that were confirmed."""
        if self.confirm and self.confirm != digest_of(images):
            fix = "A run may have added or removed some: look at the candidates again, without --confirm and --apply."
            raise ConfigError([Fault("--confirm", "other images are chosen than those that were shown", fix)])


class Chosen(NamedTuple):
    """The subject, and the candidates of its probe; None without one."""

    subject: Subject
    shown: Candidates | None


def choose(job: SideJob, choice: Choice, configuration: str) -> Chosen:
    """Find who is chosen. configuration: the file beside which the model profiles are.

    Raises ConfigError for what cannot be a probe, for other images than those that were confirmed, and without the keys
    of the lake; Refused above `erase.max_images`.
    """
    refuse_unopened(job)
    if choice.applied:
        check_key(job)
    shown = candidates(job, choice.probe, configuration) if choice.probe else None
    hidden = choice.pseudonyms(job.config.lake)
    selectors = choice.with_images(shown.images if shown else ())
    selectors = replace(selectors, identity=(*selectors.identity, *hidden))
    subject = subject_of(job.lake, selectors, job.config.erase.max_images, path_seal(job.config.lake))
    choice.check(subject.images)
    _tell_of_spellings(job, choice.selectors.identity)
    names = (name for each, name in hidden.items() if each in subject.names)
    return Chosen(replace(subject, names=tuple(sorted({*subject.names, *names}))), shown)


def _tell_of_spellings(job: SideJob, names: Collection[str]) -> None:
    """Warn where another spelling of a name is listed, in any version: its images are not chosen."""
    if not names or job.lake.current(LISTING) is None:
        return
    folded = {folds(name)[2] for name in names}
    meets = F.udf(lambda name: folds(name)[2] in folded, "boolean")
    versions = (job.lake.read(LISTING, each).select("identity") for each in job.lake.versions(LISTING))
    others = reduce(DataFrame.unionByName, versions).where(
        F.col("identity").isNotNull() & ~F.col("identity").isin(*names)
    )
    if not others.distinct().where(meets("identity")).isEmpty():
        job.warn(
            "--identity: a name of the lake differs from one that was asked for in Unicode form, letter case or blanks "
            "alone. Its images are not chosen: ask for it as well, as the table listing spells it."
        )


def add_choice(parser: ArgumentParser) -> None:
    """Declare the arguments that choose and confirm."""
    add_selectors(parser)
    add_probe(parser)
    parser.add_argument("--confirm", default="", metavar="DIGEST", help="what was shown for a probe is meant")
