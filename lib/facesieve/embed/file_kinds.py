"""What kind of file some bytes are, by their first ones: decoded here, decoded if asked for, or to be converted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from facesieve.core.reasons import Reason
from facesieve.embed.picture import Unusable

_DECODED = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG",
    "WEBP": rb"RIFF....WEBP",
    "BMP": rb"BM.{4}\0\0\0\0",
    "PPM": rb"P[1-6]\s",
    "GIF": rb"GIF8[79]a",
    "TIFF": rb"II\*\0|MM\0\*",
    "AVIF": rb".{4}ftyp(?:avif|avis|mif1.{4}(?:.{4}){0,12}?avif)",
    "HEIC": rb".{4}ftyp(?:hei[cfmsx]|hev[cmsx]|mif1|msf1)",
    "JXL": rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n",
    "JPEG2000": rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
}
"""Formats by the name that `embed.formats` has for them, and how a file of theirs begins."""

_OTHERS = {
    "a raw photograph (CR3)": rb".{4}ftypcrx ",
    "a video": rb".{4}ftyp|\x1a\x45\xdf\xa3|RIFF....AVI ",
    "a PSD file": rb"8BPS",
    "an icon": rb"\0\0\x01\0",
    "a PDF file": rb"%PDF-",
    "SVG": rb"<svg|<\?xml[^>]*>\s*(?:<!--.*?-->\s*)*<svg",
}
"""Kinds that no version decodes: to be converted, or no image at all."""

_BLANKS = b"\r\n\t \xef\xbb\xbf"
_MOST_BLANKS = 64


def kind_of(content: bytes) -> str | None:
    """Return the format of a file that can be decoded, by the name that `embed.formats` has for it."""
    return next((name for name, start in _DECODED.items() if _begins(content, start)), None)


def bare(content: bytes) -> bytes:
    """Leave out blanks before an image, as scripts put there that print one."""
    if kind_of(content[:_MOST_BLANKS]) is not None:
        return content
    stripped = content[:_MOST_BLANKS].lstrip(_BLANKS)
    blanks = min(len(content), _MOST_BLANKS) - len(stripped)
    return content[blanks:] if blanks and kind_of(content[blanks : blanks + _MOST_BLANKS]) is not None else content


def unidentified(content: bytes, formats: Sequence[str]) -> Unusable:
    """Say of a file that no decoder of `formats` takes what it is, and what may be done."""
    name = kind_of(content)
    if name in formats:
        return Unusable(Reason.UNDECODABLE, f"{name}: the header is damaged")
    if name is not None:
        return Unusable(Reason.WRONG_TYPE, f"{name} is not in embed.formats")
    other = next((name for name, start in _OTHERS.items() if _begins(content, start)), None)
    detail = f"{other} is not decoded here, convert it to JPEG or PNG" if other else "no image format known here"
    return Unusable(Reason.WRONG_TYPE, detail)


def _begins(content: bytes, start: bytes) -> bool:
    return re.match(start, content[:4_096], re.DOTALL) is not None
