"""manifest.csv of an export: which of its rows are of a subject."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage

MANIFEST = "manifest.csv"

Cells = dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """The columns of a manifest, and its rows: those of the subject, and all others."""

    columns: Sequence[str]
    going: Sequence[Cells]
    staying: Sequence[Cells]

    @classmethod
    def read(cls, folder: Storage, subject: Subject) -> Manifest:
        """Read the manifest of an export's folder; without one there are no rows."""
        if not folder.exists(MANIFEST):
            return cls((), (), ())
        rows = csv.DictReader(io.StringIO(folder.read(MANIFEST).decode("utf-8"), newline=""))
        images, sides = {str(image) for image in subject.images}, tuple[list[Cells], list[Cells]](([], []))
        for row in rows:
            sides[row["image_id"] in images].append(row)
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


def as_csv(columns: Sequence[str], rows: Iterable[Cells]) -> bytes:
    """Write rows under their heading."""
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, columns, lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue().encode()
