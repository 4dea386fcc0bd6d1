"""A source whose uris are hidden: all that goes by uris, ids too, goes by hidden ones; workers open the real ones.

A fetch also takes a uri that is not hidden, such as one that has been shown for an export.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import SparkSession

from facesieve.core.hidden_paths import PathSeal
from facesieve.images.hidden.hidden_uris import hidden_uris
from facesieve.images.identity import IdentityRule
from facesieve.images.protocol import Fetch, Ignored, Source, SourceImages


def hidden_source(origin: Source, seal: PathSeal | None) -> Source:
    """Return the source with hidden uris; as it is without a seal."""
    return origin if seal is None else HiddenSource(origin, seal)


def of_hidden(rule: IdentityRule, seal: PathSeal | None) -> IdentityRule:
    """Return the rule of who an image is for hidden uris; as it is without a seal."""
    if seal is None:
        return rule
    return lambda uri, name: rule(None if uri is None else seal.show(uri), name)


@dataclass(frozen=True)
class HiddenSource:
    """The source `origin`, whose images bear hidden uris."""

    origin: Source
    seal: PathSeal

    @property
    def carries_content(self) -> bool:
        """Whether `images` has the content."""
        return self.origin.carries_content

    def check(self) -> None:
        """Raise ConfigError if there is no such place, or no image in it."""
        self.origin.check()

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per image."""
        return hidden_uris(self.origin.images(spark, content=content), self.seal)

    def rows(self) -> int | None:
        """Return how many images there are by what the source says itself."""
        return self.origin.rows()

    def count(self, spark: SparkSession) -> int:
        """Return how many images there are."""
        return self.origin.count(spark)

    def state(self, spark: SparkSession) -> str | None:
        """Digest all that decides whether an image must be read again."""
        return self.origin.state(spark)

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count what was not taken for an image."""
        return self.origin.ignored(spark)

    def fetch(self) -> Fetch:
        """Return what fetches one image by its hidden uri."""
        return _Fetch(self.origin.fetch(), self.seal)


@dataclass(frozen=True)
class _Fetch:
    fetch: Fetch
    seal: PathSeal

    def __call__(self, uri: str) -> bytes:
        return self.fetch(self.seal.show(uri))
