"""Pixels of any colour mode as 8-bit sRGB, read as they were meant where the file does not say so.

Transparency is laid on white, which is what a viewer shows, whereas the colours under transparent pixels are arbitrary.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from facesieve.core.reasons import Reason
from facesieve.embed.formats.icc import in_srgb
from facesieve.embed.picture import Unusable

JPEG = ("JPEG", "MPO")
"""Pillow's names of the format: a JPEG that other pictures follow, as telephones write it, goes by the second."""

_SIXTEEN_BITS = 65_535
_FEWER_BITS = (255, 1_023, 4_095)
"""The largest values of 8, 10 and 12 bits, which cameras store in 16: shown as 16 bits they are black."""

_LITTLE_BLACK, _LITTLE_INK = 0.4, 0.45
"""Shares of black ink, and of all ink with black counted twice, on average, that say a reading is right; its negative
has the rest. Both must agree. Of 118 photographs separated with no black, half and all of the possible black, none is
read wrongly; dark ones are unclear."""


class Coloured(NamedTuple):
    """A picture in sRGB, and what was done to its colours beyond what the file says."""

    image: Image.Image
    notes: tuple[Reason, ...] = ()


def in_rgb(image: Image.Image, form: str | None) -> Coloured:
    """Convert a decoded image of a file format to sRGB. Raises Unusable if what its numbers mean cannot be known."""
    if image.mode.startswith("I"):
        return _grey(_sixteen_bits(np.asarray(image)), image)
    if image.mode == "F":
        raise Unusable(Reason.WRONG_TYPE, "pixels are floating-point numbers, whose range is unknown")
    if image.mode == "CMYK" and form in JPEG and "adobe" not in image.info:
        return _unmarked_inks(image)
    return Coloured(_on_white(image) if image.has_transparency_data else _opaque(image))


def _opaque(image: Image.Image) -> Image.Image:
    """Convert by the file's ICC profile, where that says other than sRGB."""
    managed = in_srgb(image)
    return image.convert("RGB") if managed is None else managed


def _on_white(image: Image.Image) -> Image.Image:
    layer, managed = image.convert("RGBA"), in_srgb(image)
    if managed is not None:
        managed.putalpha(layer.getchannel("A"))
        layer = managed
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _sixteen_bits(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint32]:
    """Return whole numbers of at most 16 bits as such; below 0 is black. Raises Unusable if some are larger."""
    numbers = np.maximum(values.astype(np.int64), 0)
    if numbers.max(initial=0) > _SIXTEEN_BITS:
        raise Unusable(Reason.WRONG_TYPE, "pixels are whole numbers of 32 bits, whose range is unknown")
    return numbers.astype(np.uint32)


def _grey(deep: npt.NDArray[np.uint32], image: Image.Image) -> Coloured:
    """Scale 16 bits of `image` to 8, or what fewer bits stand in them for; Pillow would clip at 255."""
    highest = next((bits for bits in _FEWER_BITS if deep.max(initial=0) <= bits), _SIXTEEN_BITS)
    grey = ((deep * 255 + highest // 2) // highest).astype(np.uint8)
    notes = () if highest == _SIXTEEN_BITS or not deep.any() else (Reason.RECOLOURED,)
    short = Image.fromarray(grey)
    short.info = {name: value for name, value in image.info.items() if name == "icc_profile"}
    return Coloured(_opaque(short), notes)


def _unmarked_inks(image: Image.Image) -> Coloured:
    """Read a CMYK JPEG that does not say whether its inks are inverted: Pillow takes them for inverted, as Adobe's are.

    A photograph takes little ink, and black least of all, so the reading with little of both is right.
    """
    inks = np.asarray(image).mean(axis=(0, 1)) / 255
    black, ink = float(inks[3]), float(inks.sum() + inks[3]) / 5
    if black <= _LITTLE_BLACK and ink <= _LITTLE_INK:
        return Coloured(_opaque(image))
    if black >= 1 - _LITTLE_BLACK and ink >= 1 - _LITTLE_INK:
        inverted = ImageChops.invert(image)
        inverted.info = dict(image.info)
        return Coloured(_opaque(inverted), (Reason.RECOLOURED,))
    raise Unusable(Reason.UNDECODABLE, "JPEG: CMYK without Adobe's marker, whether its inks are inverted is unclear")
