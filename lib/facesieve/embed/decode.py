"""Bytes to pixels, or the reason why not. The header decides before anything is decoded.

Oddities that embed correctly: a turn that the file states is undone, once; CMYK, grey, palette and 16-bit images and
those of wide gamut become 8-bit sRGB; of an animation the first frame counts. What is mended besides is noted: see
`jpeg_rows`, `colours` and `file_kinds`.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed import file_kinds
from facesieve.embed.colours import in_rgb
from facesieve.embed.formats import optional_formats
from facesieve.embed.formats.jpeg_rows import Rows, rows_of
from facesieve.embed.formats.jpeg_scans import MOST_SCANS
from facesieve.embed.formats.jxl_header import jxl_size
from facesieve.embed.kernels import tiles
from facesieve.embed.picture import Picture, Unusable

DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What Pillow and its plugins raise over damaged files, each kind seen in its sources or in a fuzzed image."""

_REDUCTIONS = (1, 2, 4, 8)
"""Fractions of its size at which a JPEG can be decoded: a half, a quarter, an eighth."""

_JPEG_BITS = 8
_TRUNCATED = "truncated: the last rows of the picture are not in the file"
_CUT = "image file is truncated"


def check_bytes(size: int, embed: Embed) -> None:
    """Raise Unusable if a file of `size` bytes is not worth reading: empty, or above the cap."""
    if size == 0:
        raise Unusable(Reason.EMPTY, "0 bytes")
    if size > embed.max_bytes:
        raise Unusable(Reason.TOO_LARGE, f"{size} bytes, embed.max_bytes is {embed.max_bytes}")


def out_of_memory(embed: Embed) -> Unusable:
    """Say of an image that decoding it takes too much memory."""
    return Unusable(Reason.TOO_LARGE, f"decoding takes more than embed.max_memory ({embed.max_memory} bytes)")


def picture(content: bytes, embed: Embed, full: bool = False) -> Picture:
    """Decode the bytes of an image file, upright and in RGB. Raises Unusable.

    Unless all pixels are wanted (`full`), a JPEG much larger than the detector looks at is decoded at 1/2, 1/4 or 1/8
    of its size, which takes a fraction of the time; its longer side stays at least `embed.detector_side`. It is reduced
    as well until it has no more than `embed.max_pixels`.
    """
    check_bytes(len(content), embed)
    image_bytes = file_kinds.bare(content)
    notes = () if len(image_bytes) == len(content) else (Reason.REPAIRED,)
    with _advice_switched_off(embed):
        if file_kinds.kind_of(image_bytes) == "JPEG":
            decoded = _jpeg(rows_of(image_bytes), embed, full)
        else:
            decoded = _decoded(_opened(image_bytes, embed), 1, embed)
    return replace(decoded, notes=tuple(dict.fromkeys((*notes, *decoded.notes))))


@contextlib.contextmanager
def _advice_switched_off(embed: Embed) -> Iterator[None]:
    """Let the caps of the configuration decide alone, instead of Pillow's own on large images."""
    former = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = math.ceil(embed.max_full_pixels / 2)  # Pillow raises at twice as many
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = former


def _jpeg(rows: Rows, embed: Embed, full: bool) -> Picture:
    """Decode a JPEG, if all its rows are there."""
    image = _opened(rows.content, embed, rows.scans.bits)
    if len(rows.scans.every) > MOST_SCANS:
        raise Unusable(Reason.UNDECODABLE, f"JPEG: more than {MOST_SCANS} scans, sound files have some ten")
    reduction = _reduction(image, rows, embed, full)
    if not rows.whole:
        raise Unusable(Reason.UNDECODABLE, f"JPEG: {_TRUNCATED}")
    decoded = _decoded(image, reduction, embed)
    for other in rows.others:
        if not np.array_equal(_decoded(_opened(other, embed), reduction, embed).pixels, decoded.pixels):
            raise Unusable(Reason.UNDECODABLE, f"JPEG: {_TRUNCATED}")
    return replace(decoded, notes=(*rows.notes, *decoded.notes))


def _opened(content: bytes, embed: Embed, bits: int = 0) -> Image.Image:
    """Read the header, by the content's own format whatever the file is called.

    bits: of a JPEG's samples, 0 if that is not known. The decoder of JPEG XL decodes at once, so that its header is
    read here before.
    """
    formats = optional_formats.ready(embed.formats)
    size = jxl_size(content) if file_kinds.kind_of(content) == "JXL" and "JXL" in formats else None
    if size is not None:
        _check_size(size, 1, embed)
    try:
        return Image.open(io.BytesIO(content), formats=formats)
    except Image.DecompressionBombError:
        raise _too_many(embed, "more", file_kinds.kind_of(content) == "JPEG") from None
    except UnidentifiedImageError:
        if bits not in (0, _JPEG_BITS) and "JPEG" in embed.formats:
            detail = f"JPEG: {bits} bits a sample are not decoded here, convert it to {_JPEG_BITS}"
            raise Unusable(Reason.WRONG_TYPE, detail) from None
        optional_formats.refuse_absent(file_kinds.kind_of(content), embed.formats)
        raise file_kinds.unidentified(content, embed.formats) from None
    except DECODING_ERRORS as problem:
        raise Unusable(Reason.UNDECODABLE, _described(problem)) from None


def _reduction(image: Image.Image, rows: Rows, embed: Embed, full: bool) -> int:
    """By how much a JPEG is reduced while it is decoded: 1, 2, 4 or 8."""
    width, height = image.size
    if embed.detector == "aligned" or not (rows.scans.streamed or rows.scans.layered) or min(image.size) < 1:
        return 1
    enough = 1.0 if full else embed.detector_side * tiles.stretch(width, height) / max(image.size)
    sides = [math.ceil(side * min(1.0, enough)) for side in image.size]
    wanted = min(width // sides[0], height // sides[1])
    fitting = (each for each in _REDUCTIONS if math.ceil(width / each) * math.ceil(height / each) <= embed.max_pixels)
    return max(*(each for each in _REDUCTIONS if each <= wanted), next(fitting, _REDUCTIONS[-1]))


def _check_size(size: tuple[int, int], reduction: int, embed: Embed) -> None:
    width, height = size
    if min(width, height) < 1:
        raise Unusable(Reason.BAD_ASPECT, f"{width} x {height} pixels")
    if width * height > embed.max_full_pixels:
        raise _too_many(embed, f"{width} x {height}", full=True)
    if math.ceil(width / reduction) * math.ceil(height / reduction) > embed.max_pixels:
        raise _too_many(embed, f"{width} x {height}", full=False)
    if max(width, height) > embed.max_aspect * min(width, height):
        raise Unusable(Reason.BAD_ASPECT, f"{width} x {height} pixels, embed.max_aspect is {embed.max_aspect:g}")


def _too_many(embed: Embed, size: str, full: bool) -> Unusable:
    name = "max_full_pixels" if full else "max_pixels"
    return Unusable(Reason.TOO_LARGE, f"{size} pixels, embed.{name} is {getattr(embed, name)}")


def _decoded(image: Image.Image, reduction: int, embed: Embed) -> Picture:
    """Decode an image whose header is sound; a JPEG at a fraction of its size."""
    _check_size(image.size, reduction, embed)
    width, height = image.size
    try:
        if reduction > 1:
            image.draft(None, (width // reduction, height // reduction))
        image.load()
        upright = _upright(image)
        if reduction == 1:
            width, height = upright.size  # some decoders know the size that counts only now
        elif upright.size != image.size:
            width, height = height, width
        coloured = in_rgb(upright, image.format)
        return Picture(np.asarray(coloured.image), width, height, coloured.notes)
    except MemoryError:
        raise out_of_memory(embed) from None
    except DECODING_ERRORS as problem:
        cut = str(problem).startswith(_CUT)
        raise Unusable(Reason.UNDECODABLE, f"{image.format}: {_TRUNCATED if cut else _described(problem)}") from None


def _upright(image: Image.Image) -> Image.Image:
    """Undo the camera's rotation, unless the decoder did; a damaged EXIF block beside sound pixels means none."""
    if optional_formats.upright(image):
        return image
    try:
        return ImageOps.exif_transpose(image)
    except DECODING_ERRORS:
        return image


def _described(problem: BaseException) -> str:
    """The exception in one line, without memory addresses, so that equal images give equal details."""
    text = re.sub(r"<[^>]*>", "", " ".join(str(problem).split())).strip()
    return f"{type(problem).__name__} {text}".strip()
