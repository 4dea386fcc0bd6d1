"""Pseudonyms: what stands in the tables in place of names where `lake.store_names` is false.

A pseudonym is a keyed hash of a name. Who has the key can tell which pseudonym a name has, and nobody else can. The key
stays outside the lake: in a file, or in an environment variable.
"""

from __future__ import annotations

import os
from pathlib import Path

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.ids import keyed_hash
from facesieve.core.places import is_below
from facesieve.core.sections import Lake

VARIABLE = "FACESIEVE_NAMES_KEY"
"""The environment variable that may hold the key itself."""
PSEUDONYM = "p-[0-9a-f]{32}"
"""The pattern that every pseudonym has."""

_KEY = "lake.names_key"
_LEAST = 32
_HEX_DIGITS = 32
_FIX = "Make one outside the lake: openssl rand -hex 32 > FILE"


def pseudonym(key: bytes, name: str) -> str:
    """Return the pseudonym of a name: 128 bits of HMAC-SHA256 (RFC 2104, FIPS 180-4) in hex.

    >>> pseudonym(b"k" * 32, "Ann")
    'p-f52e0e31f7615471eb0197cc9b099514'
    """
    return f"p-{keyed_hash(key, name)[:_HEX_DIGITS]}"


def names_key(lake: Lake) -> bytes | None:
    """Return the key of the names; None where names are stored. Raises ConfigError if it is not fit for that."""
    if lake.store_names:
        return None
    key = _written(lake).strip()
    if not key:
        fault = f"is empty, and so is {VARIABLE}, but lake.store_names is false"
        raise ConfigError([Fault(_KEY, fault, f"{_FIX}, and name FILE.")])
    if len(key) < _LEAST:
        raise ConfigError([Fault(_KEY, f"the key has fewer than {_LEAST} bytes", f"{_FIX}.")])
    return key


def fingerprint(key: bytes) -> str:
    """Return what tells two keys apart and gives neither away."""
    return pseudonym(key, "")


def _written(lake: Lake) -> bytes:
    if not lake.names_key:
        return os.environ.get(VARIABLE, "").encode()
    if lake.root and is_below(lake.names_key, lake.root):
        raise ConfigError([Fault(_KEY, "lies in the lake, whose names it opens", f"{_FIX}.")])
    try:
        return Path(lake.names_key).read_bytes()
    except OSError as problem:
        raise ConfigError([Fault(_KEY, f"cannot be read ({problem.strerror})", f"{_FIX}.")]) from problem
