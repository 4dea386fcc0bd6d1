"""The column uri of a frame hidden, or shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.hidden_paths import PathSeal

Images = TypeVar("Images", bound=DataFrame)
"""Rows with the column uri."""


def hidden_uris(images: Images, seal: PathSeal | None) -> Images:
    """Hide the uris; without a seal they stay."""
    return images if seal is None else _mapped(images, seal.hide)


def shown_uris(images: Images, seal: PathSeal | None) -> Images:
    """Show the uris that hidden ones stand for; without a seal they stay."""
    return images if seal is None else _mapped(images, seal.show)


def _mapped(images: Images, change: Callable[[str], str]) -> Images:
    changed = F.udf(lambda uri: None if uri is None else change(uri), "string")
    return cast(Images, images.withColumn("uri", changed("uri")))
