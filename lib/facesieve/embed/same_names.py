"""Identities that meet: equal but for Unicode form, blanks around the name or letter case (`images.same_names`).

One person's folders come from several machines: one writes `é` as one letter, another as two.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, NewType

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.frames import columns

Identities = NewType("Identities", DataFrame)
"""Images by identity, with the columns of IDENTITIES."""

IDENTITIES = columns("identity string, images bigint")

_FOLDED = columns("identity string, images bigint, form string, bare string, folded string")


class SameNames(NamedTuple):
    """How many identities meet another, by what they differ in."""

    form: int = 0
    blanks: int = 0
    case: int = 0

    @property
    def total(self) -> int:
        """How many identities there are too many."""
        return sum(self)

    @property
    def kinds(self) -> str:
        """Return the counts in words."""
        words = zip(self, ("Unicode form", "blanks around the name", "letter case"), strict=True)
        return ", ".join(f"{count(number)} in {kind}" for number, kind in words if number)

    @property
    def warning(self) -> str:
        """Return the sentence that counts them and names the key."""
        people = "identity differs" if self.total == 1 else "identities differ"
        text = f"{count(self.total)} {people} from another only a little ({self.kinds})"
        return f'images.same_names: {text}. Set images.same_names = "unite" to take them for one, or rename folders.'


def folds(name: str) -> tuple[str, str, str]:
    """Return a name in one Unicode form, also without blanks around it, and also without letter case.

    >>> folds(" Zoé ") == folds(" Zoe\u0301 "), folds("ANN ")[2] == folds("ann")[2]
    (True, True)
    """
    form = unicodedata.normalize("NFC", name)
    bare = form.strip()
    # Canonical caseless matching of The Unicode Standard (definition D145): decomposed before and after.
    return form, bare, unicodedata.normalize("NFD", unicodedata.normalize("NFD", bare).casefold())


def same_names(identities: Identities) -> SameNames:
    """Count the identities that meet another."""
    groups = _meeting(identities).select(
        (F.col("names") - F.col("forms")).alias("form"),
        (F.col("forms") - F.col("bares")).alias("blanks"),
        (F.col("bares") - 1).alias("case"),
    )
    return SameNames(*(number or 0 for number in groups.agg(*map(F.sum, SameNames._fields)).collect()[0]))


def spellings(identities: Identities) -> dict[str, str]:
    """Return the spelling under which identities that meet are one: of most images, then the smaller text.

    Identities that meet none, and the spelling itself, are not in it. They are held by the driver.
    """
    stays = {}
    for row in _meeting(identities).select("spelled").collect():
        first, *others = sorted(row["spelled"], key=lambda each: (-each["images"], each["identity"].encode()))
        stays.update({other["identity"]: first["identity"] for other in others})
    return stays


def _meeting(identities: Identities) -> DataFrame:
    groups = (
        identities.mapInArrow(_folder(), _FOLDED)
        .groupBy("folded")
        .agg(
            F.count("*").alias("names"),
            F.count_distinct("form").alias("forms"),
            F.count_distinct("bare").alias("bares"),
            F.collect_list(F.struct("identity", "images")).alias("spelled"),
        )
    )
    return groups.where("names > 1")


def _folder() -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def folded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            names = [folds(name) for name in batch.column("identity").to_pylist()]
            arrays = [pa.array([name[number] for name in names], pa.string()) for number in range(3)]
            yield pa.RecordBatch.from_arrays([*batch.columns, *arrays], names=_FOLDED.names)

    return folded
