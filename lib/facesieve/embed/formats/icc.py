"""Colours of a picture that bears an ICC profile, as sRGB.

Telephones write Display P3, cameras Adobe RGB, print shops the inks of a paper. A profile that means sRGB but for
rounding changes nothing, so that pictures in sRGB keep their pixels to the bit.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
"""What a profile calls the colours that Pillow calls so."""

_UNSEEN = 3
"""The most levels of 255 by which a profile may differ from sRGB and count as sRGB."""

_STEPS = 9
"""So many levels of each of three colours are tried: 729 colours."""

_PROFILES = 16
_UNUSABLE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
"""What a damaged profile raises."""


def in_srgb(image: Image.Image) -> Image.Image | None:
    """Return the picture in sRGB by its profile; None where it has none that fits and differs from sRGB.

    Transparency is left out. A damaged profile, or one of other colours than the picture's, counts as none.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile:
        return None
    opaque = _opaque(image)
    transform = _transform(profile, opaque.mode) if opaque.mode in _SPACES else None
    return None if transform is None else ImageCms.applyTransform(opaque, transform)


def _opaque(image: Image.Image) -> Image.Image:
    """Return the picture in one of the modes that profiles are of, if its own may become one."""
    if image.mode in _SPACES:
        return image
    if image.mode in ("LA", "La", "1"):
        return image.convert("LA").getchannel("L")
    return image.convert("RGB") if image.mode in ("P", "PA", "RGBA", "RGBa", "RGBX", "YCbCr") else image


@lru_cache(maxsize=_PROFILES)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Make what turns colours into sRGB; None for a profile that is damaged, of other colours, or sRGB itself."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode != "CMYK" and _is_srgb(transform, mode) else transform
    except _UNUSABLE:
        return None


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    levels = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    if mode == "L":
        tried = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    else:
        colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
        tried = Image.fromarray(colours.reshape(1, -1, 3))
    changed = ImageCms.applyTransform(tried, transform)
    differences = np.asarray(changed).astype(int) - np.asarray(tried.convert("RGB"))
    return bool(np.abs(differences).max() <= _UNSEEN)
