"""Whether so many images failed that a setting is wrong: judged on the whole listing, not on what a run has added."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.reasons import Reason

_CONTENT = "The column detail of the table rejects says what is wrong with each image."

_NOT_NAMED = " is not in embed.formats"
"""How the detail of a reject ends whose format could be decoded (`file_kinds.unidentified`)."""

_FIXES = {
    Reason.NO_FACE: (
        "embed.detector",
        "Look whether the images show faces. Lower embed.min_face or embed.min_confidence if these are small. "
        'Set embed.detector = "aligned" if the images are cut-out faces.',
    ),
    Reason.CROP_OUTSIDE: (
        "embed.model",
        'In the profile, give [crop] in shares of the image (unit = "share"), or leave [crop] out to take whole '
        'images. Or set embed.detector = "mtcnn".',
    ),
    Reason.WRONG_TYPE: ("embed.formats", f"Allow the format of the images, if it is one that is decoded. {_CONTENT}"),
    Reason.TOO_LARGE: ("embed.max_bytes", "Raise embed.max_bytes, embed.max_pixels or embed.max_memory."),
    Reason.BAD_ASPECT: ("embed.max_aspect", "Raise embed.max_aspect."),
    Reason.EMPTY: (
        "images.root",
        f"Copy the files again, or embed the pictures in the rows: they have no bytes. {_CONTENT}",
    ),
}
"""Of each reason the key that may be wrong, and what to do."""


def check_rejects(reasons: Mapping[str, int], total: int, most: float, warn: Callable[[str], None]) -> None:
    """Warn of each reason for which more than a share `most` of `total` images failed.

    reasons: images by reason. Raises ConfigError, a fault for each reason, if every image failed.
    """
    if total and sum(reasons.values()) == total:
        raise ConfigError([_fault(reason, number, total) for reason, number in _by_number(reasons)])
    for reason, number in _by_number(reasons):
        if number > most * total:
            warn(f"embed: {_fault(reason, number, total)}")


def warn_of_formats(formats: Mapping[str, int], warn: Callable[[str], None]) -> None:
    """Warn of images of formats that could be read: images by what their rejects say, the most first.

    What is no image at all is among the rejects, and no key would change that.
    """
    for detail, number in _by_number(formats):
        name = detail.removesuffix(_NOT_NAMED)
        if name != detail:
            warn(f"embed: {count(number)} images were not read: {detail}. Add {name} to embed.formats.")


def warn_of_erased(images: int, warn: Callable[[str], None]) -> None:
    """Warn of images of the source that were erased before: nobody would look for them in a table of counts."""
    if images:
        warn(
            f"embed: {count(images)} images of the source were erased before. They are rejected as erased, but their "
            "paths and digests are in the lake again. Delete them from the source, and erase them once more."
        )


def _by_number(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))


def _fault(reason: str, number: int, total: int) -> Fault:
    key, fix = _FIXES.get(Reason(reason), ("images.root", _CONTENT))
    share = "all" if number == total else f"{number / total:.0%} of all"
    return Fault(key, f"{count(number)} images ({share}) fail with {reason}", fix)
