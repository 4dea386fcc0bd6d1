"""Picture formats that a package beside Pillow decodes, and how many threads the decoders take.

A decoder gets one thread: the parallelism is that of Spark, and each thread takes address space of `embed.max_memory`.
Neither Spark nor TensorFlow is imported here.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import NamedTuple

from PIL import Image

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.reasons import Reason
from facesieve.embed.picture import Unusable


class _Plugin(NamedTuple):
    """What decodes a format: Pillow's name of the format, the package on PyPI, the module that is imported."""

    pillow: str
    package: str
    module: str


_PLUGINS = {
    "HEIC": _Plugin("HEIF", "pillow-heif", "pillow_heif"),
    "JXL": _Plugin("JXL", "pillow-jxl-plugin", "pillow_jxl"),
}
"""Formats by the name that `embed.formats` has for them."""


def _start_heif(module: ModuleType) -> None:
    module.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)


def _start_jxl(module: ModuleType) -> None:
    """The module registers itself with Pillow when it is imported."""
    module.JpegXLImagePlugin.DECODE_THREADS = 1


_START = {"HEIC": _start_heif, "JXL": _start_jxl}


def check(formats: Sequence[str]) -> None:
    """Raise ConfigError if `embed.formats` names a format whose package is not installed here."""
    faults = [
        Fault(
            "embed.formats",
            f"{name} needs the package {plugin.package}, which is not installed",
            f"Install facesieve[formats] on every node, or take {name} out of embed.formats.",
        )
        for name, plugin in _PLUGINS.items()
        if name in formats and not _installed(plugin)
    ]
    if faults:
        raise ConfigError(faults)


@cache
def ready(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Make Pillow know the formats, and return its names of those that can be decoded here."""
    plugins = {name: plugin for name, plugin in _PLUGINS.items() if name in formats}
    for name, plugin in plugins.items():
        if _installed(plugin):
            _START[name](importlib.import_module(plugin.module))
    if "AVIF" in formats:
        importlib.import_module("PIL.AvifImagePlugin").DEFAULT_MAX_THREADS = 1  # type: ignore[attr-defined]
    absent = {name for name, plugin in plugins.items() if not _installed(plugin)}
    return tuple(plugins[name].pillow if name in plugins else name for name in formats if name not in absent)


def upright(image: Image.Image) -> bool:
    """Say whether the decoder has turned the picture as the file says, so that its EXIF orientation is no news.

    In JPEG XL a JPEG may stand, which is decoded as a JPEG.
    """
    return image.format == "HEIF" or (image.format == "JXL" and not getattr(image, "jpeg", False))


def refuse_absent(kind: str | None, formats: Sequence[str]) -> None:
    """Raise Unusable if a file of a kind in `formats` is not decoded only because the package is absent."""
    plugin = _PLUGINS.get(kind or "")
    if plugin is not None and kind in formats and not _installed(plugin):
        raise Unusable(Reason.WRONG_TYPE, f"{kind} needs the package {plugin.package}, which is not installed here")


def _installed(plugin: _Plugin) -> bool:
    return importlib.util.find_spec(plugin.module) is not None
