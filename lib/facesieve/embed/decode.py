"""Bytes to pixels, or the reason why not. The header decides before anything is decoded.

Oddities that embed correctly: EXIF rotation is undone; CMYK, grey, palette and 16-bit images become 8-bit RGB;
transparency is laid on white, which is what a viewer shows, whereas the colours under transparent pixels are arbitrary;
of an animation the first frame counts.
"""

from __future__ import annotations

import io
import math
import re
import struct
import warnings
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed

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
    NotImplementedError,
    MemoryError,
    struct.error,
    zlib.error,
)
"""What Pillow raises over damaged files, each kind seen in its sources or in a fuzzed image."""

_SIGNATURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG",
    "WEBP": rb"RIFF....WEBP",
    "BMP": rb"BM.{4}\0\0\0\0",
    "PPM": rb"P[1-6]\s",
    "GIF": rb"GIF8[79]a",
    "TIFF": rb"II\*\0|MM\0\*",
}
_JPEG = ("JPEG", "MPO")  # a JPEG that other pictures follow, as telephones write it, goes by the second name
_START_OF_SCAN, _END_OF_JPEG = 0xDA, 0xD9
_JPEG_SEGMENT = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
_MOST_SCANS = 100  # a progressive JPEG has some ten; with thousands, small files take minutes
_LONGEST_DETAIL = 120
_SIXTEEN_TO_EIGHT = 257


@dataclass(frozen=True)
class Picture:
    """A decoded image, upright: `pixels` uint8 [h, w, 3] in RGB, and the size of the full image in pixels.

    `pixels` may be smaller than the full image: large JPEGs are decoded at a fraction of their size.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int

    @property
    def scale(self) -> float:
        """How many pixels of the full image one of `pixels` stands for, along either side: 1 or more."""
        return float(self.width / self.pixels.shape[1])


class Unusable(Exception):
    """An image gives no face: the reason and a detail without path or pixels."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail[:_LONGEST_DETAIL]


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
    of its size, which takes a fraction of the time; its longer side stays at least `embed.detector_side`.
    """
    check_bytes(len(content), embed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's advice on large or odd images: the caps below decide
        image = _opened(content, embed)
        _check_header(image, content, embed)
        try:
            return _decoded(image, None if full or embed.detector == "aligned" else embed.detector_side)
        except MemoryError:
            raise out_of_memory(embed) from None
        except DECODING_ERRORS as problem:
            raise Unusable(Reason.UNDECODABLE, f"{image.format}: {_described(problem)}") from None


def _opened(content: bytes, embed: Embed) -> Image.Image:
    """Read the header, by the content's own format whatever the file is called."""
    try:
        return Image.open(io.BytesIO(content), formats=embed.formats)
    except Image.DecompressionBombError:
        raise Unusable(Reason.TOO_LARGE, f"more pixels than embed.max_pixels, {embed.max_pixels}") from None
    except UnidentifiedImageError:
        formats = [name for name, start in _SIGNATURES.items() if re.match(start, content, re.DOTALL)]
        if set(formats) & set(embed.formats):
            raise Unusable(Reason.UNDECODABLE, f"{formats[0]}: the header is damaged") from None
        detail = f"{formats[0]} is not in embed.formats" if formats else "no image format known here"
        raise Unusable(Reason.WRONG_TYPE, detail) from None
    except DECODING_ERRORS as problem:
        raise Unusable(Reason.UNDECODABLE, _described(problem)) from None


def _check_header(image: Image.Image, content: bytes, embed: Embed) -> None:
    width, height = image.size
    if image.format in _JPEG and _has_many_scans(content):
        raise Unusable(Reason.UNDECODABLE, f"JPEG: more than {_MOST_SCANS} scans, sound files have some ten")
    if min(width, height) < 1:
        raise Unusable(Reason.BAD_ASPECT, f"{width} x {height} pixels")
    if width * height > embed.max_pixels:
        raise Unusable(Reason.TOO_LARGE, f"{width} x {height} pixels, embed.max_pixels is {embed.max_pixels}")
    if max(width, height) > embed.max_aspect * min(width, height):
        raise Unusable(Reason.BAD_ASPECT, f"{width} x {height} pixels, embed.max_aspect is {embed.max_aspect:g}")


def _has_many_scans(content: bytes) -> bool:
    """Count the scans of a JPEG from segment to segment: bytes like theirs are in segments, and in a video behind."""
    scans, place = 0, 2
    if content.count(bytes([0xFF, _START_OF_SCAN])) <= _MOST_SCANS:
        return False
    while scans <= _MOST_SCANS and (segment := _JPEG_SEGMENT.search(content, place)):
        marker = segment.group()[1]
        if marker == _END_OF_JPEG:
            return False
        scans += marker == _START_OF_SCAN
        place = segment.end() + int.from_bytes(content[segment.end() : segment.end() + 2], "big")
    return scans > _MOST_SCANS


def _decoded(image: Image.Image, enough: int | None) -> Picture:
    """Decode; a JPEG, where `enough` is given, so that its longer side has at least so many pixels."""
    full = image.size
    if enough is not None and image.format in _JPEG:
        shrink = min(1.0, enough / max(full))
        image.draft(None, tuple(math.ceil(side * shrink) for side in full))  # type: ignore[arg-type]
    image.load()
    upright = _upright(image)
    width, height = full if upright.size == image.size else full[::-1]
    return Picture(np.asarray(_rgb(upright)), width, height)


def _upright(image: Image.Image) -> Image.Image:
    """Undo the camera's rotation; a damaged EXIF block beside sound pixels means none."""
    try:
        return ImageOps.exif_transpose(image)
    except DECODING_ERRORS:
        return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        deep = np.clip(np.asarray(image), 0, 65_535).astype(np.uint16)  # Pillow would clip 16 bits at 255, not scale
        grey = (deep // _SIXTEEN_TO_EIGHT + (deep % _SIXTEEN_TO_EIGHT > _SIXTEEN_TO_EIGHT // 2)).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if image.mode == "F":
        raise Unusable(Reason.WRONG_TYPE, "pixels are floating-point numbers, whose range is unknown")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _described(problem: BaseException) -> str:
    """The exception in one line, without memory addresses, so that equal images give equal details."""
    text = re.sub(r"<[^>]*>", "", " ".join(str(problem).split())).strip()
    return f"{type(problem).__name__} {text}".strip()
