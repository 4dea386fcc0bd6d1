"""Names of folders that stand under several parents, as sessions 0 and 1 do under each person.

Where the name of the folder is the identity, all of them are one person. That is meant where the parents are parts of
one data set: `train/Ann` and `val/Ann`. So a parent counts without the words that name a part.

| folder      | name | parent counts as | stands under several parents |
| train/Ann   | Ann  |                  | no                           |
| test_2/Ann  | Ann  |                  | no                           |
| Bea/0       | 0    | Bea              | yes                          |
| Cid/train/0 | 0    | Cid              | yes                          |

Folders of images below a folder with images mislead too: those of `Ann/2024` are `2024`, beside those of `Ann`.
"""

from __future__ import annotations

from typing import NamedTuple, NewType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core.console import count
from facesieve.core.frames import columns

Folders = NewType("Folders", DataFrame)
"""Images by folder and identity, with the columns of FOLDERS."""

FOLDERS = columns("folder string, identity string, images bigint")

_WORDS = "train(?:ing)?|trn|val(?:id(?:ation)?)?|test(?:ing)?|dev|eval(?:uation)?|gallery|probe|query|fold|split"
_PARTS = rf"(?i)(?<![^/_ .-])(?:{_WORDS}|part|shard|batch|subset)s?[-_ ]?\d{{0,3}}(?![^/_ .-])"
"""A word for a part of a data set, perhaps with a number, that stands between separators."""

_SEPARATORS = "[/_ .-]+"

_TOP = 'Where the first folder is the person, set images.identity = "top".'


class RepeatedNames(NamedTuple):
    """Names of folders under several parents: how many, parents of one at most, images, and what names the people."""

    names: int = 0
    parents: int = 0
    images: int = 0
    fix: str = ""

    @property
    def warning(self) -> str:
        """Return the sentence that counts them and names the key."""
        stand = "folder name stands" if self.names == 1 else "folder names stand"
        text = f"{count(self.names)} {stand} under several parents, up to {count(self.parents)} each"
        return (
            f"images.identity: {text}: {count(self.images)} images. Folders of one name count as one person. {self.fix}"
        )


class NestedNames(NamedTuple):
    """Folders of images below a folder that has images of its own: how many, and images in them."""

    names: int = 0
    images: int = 0

    @property
    def warning(self) -> str:
        """Return the sentence that counts them and names the key."""
        lie = "folder lies" if self.names == 1 else "folders lie"
        text = f"{count(self.names)} {lie} below another folder of images, with {count(self.images)} images"
        return f"images.identity: {text}. The folders above and below count as two people. {_TOP}"


def repeated_names(folders: Folders) -> RepeatedNames:
    """Count the names of folders that stand under several parents which are not parts of one data set."""
    rows = _by_folder(folders).select(
        _name().alias("name"), _parent().alias("parent"), _counts_as().alias("core"), "images"
    )
    by_name = rows.groupBy("name").agg(
        F.count_distinct("core").alias("cores"), F.count("*").alias("parents"), F.sum("images").alias("images")
    )
    repeated = by_name.where("cores > 1").persist()
    names, parents, images = repeated.agg(F.count("*"), F.max("parents"), F.sum("images")).collect()[0]
    if not names:
        return RepeatedNames()
    return RepeatedNames(names, parents, images, _fix(rows.join(repeated.select("name"), "name", how="left_semi")))


def nested_names(folders: Folders) -> NestedNames:
    """Count the folders below another one that is a person as well; a part of a data set is none."""
    rows = _by_folder(folders)
    people = rows.where(_without_parts(_name()) != "").select(F.col("folder").alias("above"))
    levels = F.sequence(F.lit(1), F.size(_parts()) - 1)
    above = F.transform(levels, _first_folders)
    deep = rows.where(F.size(_parts()) > 1).select("folder", "images", F.explode(above).alias("above"))
    nested = deep.join(people, "above", how="left_semi").select("folder", "images").distinct()
    names, images = nested.agg(F.count("*"), F.coalesce(F.sum("images"), F.lit(0))).collect()[0]
    return NestedNames(names, images)


def _by_folder(folders: Folders) -> DataFrame:
    """Folders below the root and the images in each, whatever the identity."""
    return folders.where("folder != ''").groupBy("folder").agg(F.sum("images").alias("images"))


def _fix(rows: DataFrame) -> str:
    """Say which setting names the people, by where the folders stand that are concerned."""
    depth = F.when(F.col("parent") == "", 0).otherwise(F.size(F.split("parent", "/")))
    first = F.element_at(F.split("parent", "/"), 1)
    least, most, firsts, cores = rows.agg(
        F.min(depth), F.max(depth), F.count_distinct(first), F.count_distinct(F.regexp_replace(first, _PARTS, ""))
    ).collect()[0]
    if (least, most) == (1, 1):
        return _TOP
    if (least, most) == (2, 2) and firsts == 1:
        return "Where the second folder is the person, set images.identity = 2."
    if (least, most) == (2, 2) and cores == 1:
        return 'Where the second folder is the person, set images.identity = "^[^/]+/(?P<identity>[^/]+)/".'
    return 'Where a folder above is the person, set images.identity to "top" or to a number of folders.'


def _parts() -> Column:
    return F.split("folder", "/")


def _name() -> Column:
    return F.element_at(_parts(), -1)


def _parent() -> Column:
    return _first_folders(F.size(_parts()) - 1)


def _first_folders(levels: Column) -> Column:
    return F.array_join(F.slice(_parts(), 1, levels), "/")


def _counts_as() -> Column:
    return _without_parts(_parent())


def _without_parts(names: Column) -> Column:
    return F.trim(F.regexp_replace(F.regexp_replace(names, _PARTS, ""), _SEPARATORS, " "))
