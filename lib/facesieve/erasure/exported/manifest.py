"""manifest.csv of an export: which of its rows are of a subject."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from facesieve.erasure.exported.own_files import content_of
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage

MANIFEST = "manifest.csv"

Cells = dict[str, str]

_NEEDED = frozenset({"path", "identity", "label", "image_id"})


@dataclass(frozen=True)
class Manifest:
    """The columns of a manifest, and its rows: those of the subject, and all others."""

    columns: Sequence[str]
    going: Sequence[Cells]
    staying: Sequence[Cells]

    @classmethod
    def read(cls, folder: Storage, subject: Subject) -> Manifest:
        """Read the manifest of an export's folder, with the mark at its start that spreadsheets write, or without.

        Raises one of NOT_WHOLE if it is lost or no manifest: nothing tells then what is the subject's.
        """
        rows = csv.DictReader(io.StringIO(content_of(folder, MANIFEST).decode("utf-8-sig"), newline=""))
        if not _NEEDED.issubset(rows.fieldnames or ()):
            raise ValueError("the manifest lacks a column")
        images, digests = frozenset(subject.images), frozenset(subject.digests)
        sides = tuple[list[Cells], list[Cells]](([], []))
        for row in rows:
            # A spreadsheet may have rounded an id, but no digest.
            sides[_image_of(row) in images or row.get("sha256") in digests].append(row)
        return cls(tuple(rows.fieldnames or ()), sides[True], sides[False])

    @property
    def labels(self) -> frozenset[int]:
        """Return the labels of the subject that nobody else bears."""
        return frozenset({int(row["label"]) for row in self.going} - {int(row["label"]) for row in self.staying})

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the files that hold the subject, sorted."""
        return tuple(sorted({row["path"] for row in self.going}))

    def numbers(self, path: str) -> frozenset[int]:
        """Return the numbers of the subject's samples in a file."""
        return frozenset(int(row["number"]) for row in self.going if row["path"] == path)

    def write(self, folder: Storage) -> None:
        """Write the manifest of what stays."""
        folder.write(MANIFEST, as_csv(self.columns, self.staying))


def _image_of(row: Mapping[str | None, str | None]) -> int:
    """Return the image of a row. Raises ValueError if a cell that tells what is whose is lost or changed."""
    if None in row or None in row.values():
        raise ValueError("a row of the manifest has too few or too many cells")
    numbers = {name: int(row[name] or "") for name in ("image_id", "label", "number") if name in row}
    if numbers["label"] < 0:
        raise ValueError("a row of the manifest has no label")
    return numbers["image_id"]


def as_csv(columns: Sequence[str], rows: Iterable[Cells]) -> bytes:
    """Write rows under their heading."""
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, columns, lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue().encode()
