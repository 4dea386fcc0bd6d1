"""How people name the subject of an erasure: the arguments of the command, and what they choose."""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import asdict, dataclass
from functools import partial, reduce
from operator import or_
from typing import Self

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, Fault

_LONG = 2**63
_FIXES = {
    "uri": "Name an image by its path below images.root.",
    "prefix": "Name who is meant: an empty text would be everybody.",
    "identity": "Name who is meant; images without a name are chosen by --uri or --image-id.",
}


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
        empty = [name for name, values in asdict(chosen).items() if "" in values]
        if empty:
            raise ConfigError([Fault(f"--{name}", "is empty", _FIXES[name]) for name in empty])
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


def _id(text: str) -> int:
    """Read an id of the tables: a whole number of 64 bits."""
    try:
        number = int(text)
    except ValueError:
        number = _LONG
    if not -_LONG <= number < _LONG:
        raise ArgumentTypeError(f"{text} is no id: give a whole number of 64 bits, as the tables have it")
    return number


def add_selectors(parser: ArgumentParser) -> None:
    """Declare the arguments that choose; each may come several times."""
    add = partial(parser.add_argument, action="append", default=[])
    add("--image-id", type=_id, metavar="ID", help="an image by its image_id")
    add("--uri", metavar="URI", help="an image by its path below images.root")
    add("--prefix", metavar="TEXT", help="all images whose uri begins so, such as ann/")
    add("--identity", metavar="NAME", help="all images listed under a name, or moved to it")
    add("--cluster", type=_id, metavar="ID", help="all images with a face in a cluster")
