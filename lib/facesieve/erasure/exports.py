"""Exports without a subject: plain files are rewritten, packed forms that hold the subject go whole.

| form | what is done |
| --- | --- |
| `parquet`, `clean_list` | the rows or lines of the subject go |
| `folders`, `crops` | the files of the subject go, and their rows of manifest.csv |
| `webdataset`, `huggingface`, `recordio` | the form goes if its manifest.csv names the subject |
| any form without `_SUCCESS`, as a killed run leaves it | the form goes |

CURRENT goes if nothing whole is left of the run that it names: the next run with `publish.apply` writes it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.fs import FileInfo, FileSelector, FileType

from facesieve.core.sections import OUTPUTS
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage
from facesieve.publish import exports
from facesieve.publish.exports import LABELS, SUCCESS, clear_current, current, plain

_PLACED = ("folders", "crops")
MARK = ".facesieve"
"""The file by which the folder of a run's exports is known as ours."""
_MANIFEST, _LABELS_FILE, _ASIDE = "manifest.csv", "labels.csv", ".facesieve-"


@dataclass(frozen=True)
class Touched:
    """A form of a run's export that holds the subject: `rewritten`, or `removed`; rows of the subject in it."""

    run: str
    form: str
    action: str
    rows: int = 0


def files_below(root: Storage, name: str = "") -> list[str]:
    """Return the files below a folder by their path from the root, sorted; nothing where there is no folder."""
    if not root.exists(name):
        return []
    base = root.at()[1].rstrip("/")

    def files(system: object, path: str) -> list[FileInfo]:
        return list(system.get_file_info(FileSelector(path, recursive=True)))  # type: ignore[attr-defined]

    return sorted(str(each.path)[len(base) + 1 :] for each in root.ask(name, files) if each.type == FileType.File)


def without_subject(root: Storage, subject: Subject, *, apply: bool) -> list[Touched]:
    """Find the subject in all exports below a root, and take it out if told to. Raises OSError."""
    touched = [each for run in runs_below(root) for each in _of_run(root.child(run), run, subject, apply=apply)]
    named = current(root) if root.exists() and not exports.pointer_is_folder(root) else None
    if apply and named is not None and not any(root.exists(f"{named}/{form}/{SUCCESS}") for form in OUTPUTS):
        clear_current(root)
    return touched


def runs_below(root: Storage) -> Iterator[str]:
    """Yield the runs with exports below a root."""
    for each in root.entries() if root.exists() else ():
        if each.type == FileType.Directory and root.exists(f"{each.base_name}/{MARK}"):
            yield str(each.base_name)


def _of_run(target: Storage, run: str, subject: Subject, *, apply: bool) -> Iterator[Touched]:
    forms = [form for form in OUTPUTS if target.exists(form)]
    touched = [each for form in forms if (each := _of_form(target, run, form, subject, apply=apply)) is not None]
    yield from touched
    if apply and touched:
        _count_labels(target)
    for file in files_below(target) if apply else ():
        if file.rpartition("/")[2].startswith(_ASIDE):  # a file that a killed run was writing
            target.delete_tree(file)


def _of_form(target: Storage, run: str, form: str, subject: Subject, *, apply: bool) -> Touched | None:
    if not target.exists(f"{form}/{SUCCESS}"):
        return _removed(target, run, form, 0, apply=apply)
    if form == "parquet":
        rows = sum(_parquet(target, file, subject, apply=apply) for file in files_below(target, form))
    elif form == "clean_list":
        rows = sum(_lines(target, file, subject, apply=apply) for file in files_below(target, form))
    else:
        rows = len(_named(_manifest(target, form)[1], subject))
        if rows and form not in _PLACED:
            return _removed(target, run, form, rows, apply=apply)
        if rows and apply:
            _take_files(target, form, subject)
    return Touched(run, form, "rewritten", rows) if rows else None


def _removed(target: Storage, run: str, form: str, rows: int, *, apply: bool) -> Touched:
    if apply:
        target.delete_tree(f"{form}/{SUCCESS}")
        target.delete_tree(form)
    return Touched(run, form, "removed", rows)


def _parquet(target: Storage, file: str, subject: Subject, *, apply: bool) -> int:
    if not file.endswith(".parquet"):
        return 0
    rows = pq.read_table(io.BytesIO(target.read(file)))
    staying = rows.filter(pc.invert(pc.is_in(rows["image_id"], pa.array(subject.images, pa.int64()))))
    if apply and len(staying) < len(rows):
        sink = io.BytesIO()
        pq.write_table(staying, sink, compression="zstd")
        _put(target, file, sink.getvalue() if len(staying) else b"")
    return len(rows) - len(staying)


def _lines(target: Storage, file: str, subject: Subject, *, apply: bool) -> int:
    if not file.endswith(".txt"):
        return 0
    uris = {plain(uri) for uri in subject.uris}
    lines = target.read(file).decode("utf-8").split("\n")
    staying = [line for line in lines if line.partition("\t")[2] not in uris]
    if apply and len(staying) < len(lines):
        _put(target, file, "\n".join(staying).encode())
    return len(lines) - len(staying)


def _put(target: Storage, file: str, content: bytes) -> None:
    """Write a file anew; one without rows goes."""
    if content:
        target.write(file, content)
    else:
        target.delete_tree(file)


Cells = dict[str, str]


def _manifest(target: Storage, form: str) -> tuple[Sequence[str], list[Cells]]:
    """Return the columns and the rows of a manifest; none where there is none."""
    if not target.exists(f"{form}/{_MANIFEST}"):
        return (), []
    rows = csv.DictReader(io.StringIO(target.read(f"{form}/{_MANIFEST}").decode("utf-8"), newline=""))
    return tuple(rows.fieldnames or ()), list(rows)


def _named(rows: Iterable[Cells], subject: Subject) -> list[Cells]:
    images = {str(image) for image in subject.images}
    return [row for row in rows if row["image_id"] in images]


def _take_files(target: Storage, form: str, subject: Subject) -> None:
    """Delete the files first: a manifest that still names them is what a second try goes by."""
    columns, rows = _manifest(target, form)
    going = _named(rows, subject)
    staying = [row for row in rows if row not in going]
    kept_paths = {row["path"] for row in staying}
    for path in {row["path"] for row in going} - kept_paths:
        target.delete_tree(f"{form}/{path}")
        folder = f"{form}/{path.rpartition('/')[0]}"
        if target.exists(folder) and not target.entries(folder):
            target.delete_tree(folder)
    target.write(f"{form}/{_MANIFEST}", _csv(columns, staying))


def _csv(columns: Sequence[str], rows: Iterable[Cells]) -> bytes:
    text = io.StringIO(newline="")
    lines = csv.DictWriter(text, columns, lineterminator="\n")
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue().encode()


def _count_labels(target: Storage) -> None:
    """Write labels.csv by what is left; it goes where no form is left that has labels."""
    people: dict[tuple[int, str], set[str]] = {}
    for label, identity, image in _labelled(target):
        people.setdefault((label, identity), set()).add(image)
    rows = [dict(zip(LABELS, (str(label), name, str(len(of))), strict=True)) for (label, name), of in people.items()]
    ordered = sorted(rows, key=lambda row: int(row["label"]))
    _put(target, _LABELS_FILE, _csv(LABELS, ordered) if ordered else b"")


def _labelled(target: Storage) -> Iterator[tuple[int, str, str]]:
    for form in OUTPUTS:
        if form == "parquet":
            for file in (each for each in files_below(target, form) if each.endswith(".parquet")):
                rows = pq.read_table(io.BytesIO(target.read(file)), columns=["label", "identity", "image_id"])
                yield from ((row["label"], row["identity"], str(row["image_id"])) for row in rows.to_pylist())
        else:
            yield from ((int(row["label"]), row["identity"], row["image_id"]) for row in _manifest(target, form)[1])
