"""How people name the subject of an erasure: the arguments of the command, and what they choose."""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict, dataclass
from functools import partial, reduce
from operator import or_
from typing import Self

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, Fault


@dataclass(frozen=True)
class Selectors:
    """Images by id, by uri, by the beginning of the uri, by identity; and all images with a face in a cluster."""

    image_id: tuple[int, ...] = ()
    uri: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    cluster: tuple[int, ...] = ()

    @classmethod
    def of(cls, arguments: Namespace, *, needed: bool = True) -> Self:
        """Read them from the arguments. Raises ConfigError where a needed one is absent, or one is empty: anything."""
        chosen = cls(**{name: tuple(sorted(set(getattr(arguments, name)))) for name in cls.__dataclass_fields__})
        if needed and not any(asdict(chosen).values()):
            raise ConfigError([Fault("--identity", "nothing says who is meant", "Give one of the selectors.")])
        if "" in (*chosen.uri, *chosen.prefix, *chosen.identity):
            raise ConfigError([Fault("--prefix", "is empty", "Name who is meant: an empty text would be everybody.")])
        return chosen

    @property
    def digest(self) -> str:
        """Name the choice without telling it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def chooses(self) -> Column:
        """Return a condition on rows with image_id, uri and identity."""
        named = {name: getattr(self, name) for name in ("image_id", "uri", "identity")}
        equal = (F.col(name).isin(*values) for name, values in named.items() if values)
        begins = (F.col("uri").startswith(F.lit(prefix)) for prefix in self.prefix)
        return reduce(or_, (*equal, *begins), F.lit(False))


def add_selectors(parser: ArgumentParser) -> None:
    """Declare the arguments that choose; each may come several times."""
    add = partial(parser.add_argument, action="append", default=[])
    add("--image-id", type=int, metavar="ID", help="an image by its image_id")
    add("--uri", metavar="URI", help="an image by its path below images.root")
    add("--prefix", metavar="TEXT", help="all images whose uri begins so, such as ann/")
    add("--identity", metavar="NAME", help="all images listed under a name, or moved to it")
    add("--cluster", type=int, metavar="ID", help="all images with a face in a cluster")
