"""The choice of a subject: by selectors, by a probe, or by both; and that a probe's is confirmed."""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

from facesieve.core.errors import ConfigError, Fault
from facesieve.erasure.probe import Probe, add_probe, digest_of
from facesieve.erasure.selectors import Selectors, add_selectors


@dataclass(frozen=True)
class Choice:
    """What the arguments choose by. confirm: digest of the images that a person has seen and means; may be empty."""

    selectors: Selectors
    probe: Probe
    confirm: str = ""

    @classmethod
    def of(cls, arguments: Namespace) -> Self:
        """Read it from the arguments. Raises ConfigError, also where `--apply` follows a probe without `--confirm`."""
        probe = Probe.of(arguments)
        if probe and arguments.apply and not arguments.confirm:
            fix = "Start the command without --apply first, look at the candidates, and give the digest it ends with."
            raise ConfigError([Fault("--confirm", "is not given, and a probe alone erases nothing", fix)])
        return cls(Selectors.of(arguments, needed=not probe), probe, arguments.confirm)

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

    def check(self, images: Sequence[int]) -> None:
        """Raise ConfigError if other images are chosen than those that were confirmed."""
        if self.confirm and self.confirm != digest_of(images):
            fix = "A run may have added or removed some: start the command without --apply, and look again."
            raise ConfigError([Fault("--confirm", "other images are chosen than those that were shown", fix)])


def add_choice(parser: ArgumentParser) -> None:
    """Declare the arguments that choose and confirm."""
    add_selectors(parser)
    add_probe(parser)
    parser.add_argument("--confirm", default="", metavar="DIGEST", help="what was shown for a probe is meant")
