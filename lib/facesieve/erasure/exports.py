"""Exports without a subject: files are rewritten or deleted, and what a killed run has left goes whole.

| form | what is done |
| --- | --- |
| `parquet`, `clean_list` | the rows or lines of the subject go |
| `folders`, `crops` | the files of the subject go, and their rows of manifest.csv |
| `webdataset`, `huggingface`, `recordio` | the shards that hold the subject are written anew, and manifest.csv |
| any form without `_SUCCESS`, as a killed run leaves it | the form goes |
| shards that hold the subject, but are lost or not whole | the form goes |

CURRENT goes if nothing whole is left of the run that it names: the next run with `publish.apply` writes it.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.fs import FileInfo, FileSelector, FileType

from facesieve.core.sections import OUTPUTS
from facesieve.erasure.exported.manifest import Manifest, as_csv
from facesieve.erasure.exported.parquet_shards import take_from_parquet
from facesieve.erasure.exported.record_packs import take_from_packs
from facesieve.erasure.exported.tar_shards import take_from_tars
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage
from facesieve.publish import exports
from facesieve.publish.exports import LABELS, SUCCESS, clear_current, current, plain

MARK = ".facesieve"
"""The file by which the folder of a run's exports is known as ours."""
_LABELS_FILE, _ASIDE = "labels.csv", ".facesieve-"


_NOT_WHOLE = (ValueError, LookupError, EOFError, FileNotFoundError, tarfile.TarError, pa.ArrowException)
"""What shards that are lost, cut or of an older form may raise."""


@dataclass(frozen=True)
class Touched:
    """A form of a run's export that holds the subject: `rewritten`, or `removed`; rows of the subject in it."""

    run: str
    form: str
    action: str
    rows: int = 0


People = dict[tuple[int, str], set[int]]
"""Label and name -> images."""


@dataclass
class _Work:
    """A run's export, from which the subject goes if that is to be done; people: who is left in what was looked at."""

    target: Storage
    run: str
    subject: Subject
    apply: bool
    people: People = field(default_factory=dict)

    def rewritten(self, form: str, rows: int) -> Touched | None:
        return Touched(self.run, form, "rewritten", rows) if rows else None

    def removed(self, form: str, rows: int = 0) -> Touched:
        if self.apply:
            self.target.delete_tree(f"{form}/{SUCCESS}")
            self.target.delete_tree(form)
        return Touched(self.run, form, "removed", rows)

    def stay(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Count the images of people, from rows with label, identity and image_id."""
        for row in rows if self.apply else ():
            self.people.setdefault((int(row["label"]), row["identity"]), set()).add(int(row["image_id"]))


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
    touched = [each for run in runs_below(root) for each in _of_run(_Work(root.child(run), run, subject, apply))]
    named = current(root) if root.exists() and not exports.pointer_is_folder(root) else None
    if apply and named is not None and not any(root.exists(f"{named}/{form}/{SUCCESS}") for form in OUTPUTS):
        clear_current(root)
    return touched


def runs_below(root: Storage) -> Iterator[str]:
    """Yield the runs with exports below a root."""
    for each in root.entries() if root.exists() else ():
        if each.type == FileType.Directory and root.exists(f"{each.base_name}/{MARK}"):
            yield str(each.base_name)


def _of_run(work: _Work) -> Iterator[Touched]:
    forms = [form for form in OUTPUTS if work.target.exists(form)]
    touched = [each for form in forms if (each := _of_form(work, form)) is not None]
    yield from touched
    if work.apply and touched:
        _count_labels(work)
    for file in files_below(work.target) if work.apply else ():
        if file.rpartition("/")[2].startswith(_ASIDE):  # a file that a killed run was writing
            work.target.delete_tree(file)


def _of_form(work: _Work, form: str) -> Touched | None:
    if not work.target.exists(f"{form}/{SUCCESS}"):
        return work.removed(form)
    if form == "parquet":
        return work.rewritten(form, sum(_parquet(work, file) for file in files_below(work.target, form)))
    if form == "clean_list":
        return work.rewritten(form, sum(_lines(work, file) for file in files_below(work.target, form)))
    return _with_manifest(work, form)


def _with_manifest(work: _Work, form: str) -> Touched | None:
    """Take the files or samples first: a manifest that still names them is what a second try goes by."""
    folder = work.target.child(form)
    manifest = Manifest.read(folder, work.subject)
    if work.apply and manifest.going:
        try:
            _take(folder, form, manifest, work.subject)
        except _NOT_WHOLE:
            return work.removed(form, len(manifest.going))
        manifest.write(folder)
    work.stay(manifest.staying)
    return work.rewritten(form, len(manifest.going))


def _take(folder: Storage, form: str, manifest: Manifest, subject: Subject) -> None:
    if form == "webdataset":
        take_from_tars(folder, manifest)
    elif form == "huggingface":
        take_from_parquet(folder, manifest, subject)
    elif form == "recordio":
        take_from_packs(folder, manifest)
    else:
        _take_files(folder, manifest)


def _parquet(work: _Work, file: str) -> int:
    if not file.endswith(".parquet"):
        return 0
    rows = pq.read_table(io.BytesIO(work.target.read(file)))
    staying = rows.filter(pc.invert(pc.is_in(rows["image_id"], pa.array(work.subject.images, pa.int64()))))
    if work.apply:
        work.stay(staying.select(["label", "identity", "image_id"]).to_pylist())
    if work.apply and len(staying) < len(rows):
        sink = io.BytesIO()
        pq.write_table(staying, sink, compression="zstd")
        _put(work.target, file, sink.getvalue() if len(staying) else b"")
    return len(rows) - len(staying)


def _lines(work: _Work, file: str) -> int:
    if not file.endswith(".txt"):
        return 0
    uris = {plain(uri) for uri in work.subject.uris}
    lines = work.target.read(file).decode("utf-8").split("\n")
    staying = [line for line in lines if line.partition("\t")[2] not in uris]
    if work.apply and len(staying) < len(lines):
        _put(work.target, file, "\n".join(staying).encode())
    return len(lines) - len(staying)


def _put(target: Storage, file: str, content: bytes) -> None:
    """Write a file anew; one without rows goes."""
    if content:
        target.write(file, content)
    else:
        target.delete_tree(file)


def _take_files(folder: Storage, manifest: Manifest) -> None:
    shared = {row["path"] for row in manifest.staying}
    for path in manifest.paths:
        if path in shared:
            continue
        folder.delete_tree(path)
        above = path.rpartition("/")[0]
        if above and folder.exists(above) and not folder.entries(above):
            folder.delete_tree(above)


def _count_labels(work: _Work) -> None:
    """Write labels.csv by what is left; it goes where no form is left that has labels."""
    rows = [
        dict(zip(LABELS, (str(label), name, str(len(images))), strict=True))
        for (label, name), images in work.people.items()
    ]
    ordered = sorted(rows, key=lambda row: int(row["label"]))
    _put(work.target, _LABELS_FILE, as_csv(LABELS, ordered) if ordered else b"")
