"""What the ledger keeps of the layout of the images: people, images of each, folders, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facesieve.core.console import count
from facesieve.core.records import Record, mapping

_KINDS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class LayoutRecord(Record):
    """The layout as a run found it before it embedded anything.

    unnamed: images without an identity. fewest, most: images of one identity. shallowest, deepest: folders above an
    image; null where the source has none. left_out: kind -> files that are not images. same_names: identities that
    meet another but for Unicode form, blanks or letter case. repeated_folders: names of folders under several parents,
    where the folder is the identity. examples: kind of what could be an image -> the first of it by uri.
    """

    images: int = 0
    identities: int = 0
    unnamed: int = 0
    fewest: int | None = None
    most: int | None = None
    shallowest: int | None = None
    deepest: int | None = None
    left_out: Mapping[str, int] = mapping()
    same_names: int = 0
    repeated_folders: int = 0
    examples: Mapping[str, str] = mapping()

    @property
    def text(self) -> str:
        """Return the layout as one line, without a name."""
        parts = [self._people(), self._folders(), self._files()]
        return "; ".join(part for part in parts if part)

    def _people(self) -> str:
        if not self.identities:
            return f"{_many(self.images, 'image')} without identities"
        each = _range(self.fewest or 0, self.most or 0)
        people = f"{_many(self.identities, 'identity', 'identities')}, {each} images each"
        return f"{people}; {_many(self.unnamed, 'image')} without an identity" if self.unnamed else people

    def _folders(self) -> str:
        if self.shallowest is None or self.deepest is None:
            return ""
        if not self.deepest:
            return "no folders"
        return f"{_range(self.shallowest, self.deepest)} level{'s' * (self.deepest > 1)} of folders"

    def _files(self) -> str:
        if not self.left_out:
            return ""
        ranked = sorted(self.left_out.items(), key=lambda pair: (-pair[1], pair[0]))
        kinds = [f"{count(files)} {kind}" for kind, files in ranked[:_KINDS_SHOWN]]
        kinds += [f"and {len(ranked) - _KINDS_SHOWN} more kinds"] if len(ranked) > _KINDS_SHOWN else []
        files = sum(self.left_out.values())
        are = "is not an image" if files == 1 else "are not images"
        return f"{_many(files, 'file')} {are}: {', '.join(kinds)}"


def _many(number: int, word: str, plural: str = "") -> str:
    return f"{count(number)} {word if number == 1 else plural or word + 's'}"


def _range(low: int, high: int) -> str:
    return count(low) if low == high else f"{count(low)} to {count(high)}"
