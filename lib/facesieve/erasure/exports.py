"""Exports without a subject: files are rewritten or deleted, and what a killed run has left goes whole.

| form | what is done |
| --- | --- |
| `parquet`, `clean_list` | the rows or lines of the subject go |
| `folders`, `crops` | the files of the subject go, and their rows of manifest.csv |
| `webdataset`, `huggingface`, `recordio` | the shards that hold the subject are written anew, and manifest.csv |
| any form without `_SUCCESS`, as a killed run leaves it | the form goes |
| shards that hold the subject, but are lost or not whole | the form goes |
| manifest.csv is lost, or cannot be read as one | the form goes: nothing tells what in it is the subject's |
| a part file or list of facesieve that cannot be read as one | the form goes |
| files with other names than facesieve gives | they stay; the proof looks into them |
| a row of manifest.csv whose path names no file of a person in `folders` or `crops` | the row goes, and no file |

CURRENT goes if nothing whole is left of the run that it names, or if it names none: the next run with `publish.apply`
writes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType

from facesieve.core.sections import OUTPUTS
from facesieve.erasure.exported.manifest import Manifest, as_csv
from facesieve.erasure.exported.own_files import NOT_WHOLE, is_below, is_file, is_own, names_in
from facesieve.erasure.exported.parquet_shards import take_from_parquet
from facesieve.erasure.exported.plain_files import put, take_lines, take_rows
from facesieve.erasure.exported.record_packs import take_from_packs
from facesieve.erasure.exported.tar_shards import take_from_tars
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage
from facesieve.publish import exports
from facesieve.publish.exports import LABELS, SUCCESS, clear_current, current

MARK = ".facesieve"
"""The file by which the folder of a run's exports is known as ours."""
_LABELS_FILE, _ASIDE = "labels.csv", ".facesieve-"


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
    """A run's export, from which the subject goes if that is to be done; people: who is left, by form."""

    target: Storage
    run: str
    subject: Subject
    apply: bool
    people: dict[str, People] = field(default_factory=dict)

    def rewritten(self, form: str, rows: int) -> Touched | None:
        return Touched(self.run, form, "rewritten", rows) if rows else None

    def removed(self, form: str, rows: int = 0) -> Touched:
        self.people.pop(form, None)
        if self.apply:
            self.target.delete_tree(f"{form}/{SUCCESS}")
            self.target.delete_tree(form)
        return Touched(self.run, form, "removed", rows)

    def stay(self, form: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Count the images of people, from rows with label, identity and image_id."""
        people = self.people.setdefault(form, {})
        for row in rows if self.apply else ():
            people.setdefault((int(row["label"]), row["identity"]), set()).add(int(row["image_id"]))


def files_below(root: Storage, name: str = "") -> list[str]:
    """Return the files below a folder by their path from the root, sorted; nothing where there is no folder.

    On this machine a name may be no UTF-8; it is escaped as `os.fsdecode` does it. Raises OSError.
    """
    if not root.exists(name):
        return []
    if root.folder is not None:
        return sorted(_local_files(root, name))
    return _paths(root, root.ask(name, _below), FileType.File)


def files_and_empty_folders(root: Storage) -> tuple[list[str], list[str]]:
    """Return the files below a root as `files_below` does, and the folders that hold none of them, from one look."""
    if not root.exists():
        return [], []
    if root.folder is not None:
        top = os.path.join(os.fsdecode(root.local()), "")
        every = [os.path.relpath(os.path.join(at, each), top) for at, folders, _ in os.walk(top) for each in folders]
        files = sorted(_local_files(root, ""))
    else:
        infos = root.ask("", _below)
        files, every = (_paths(root, infos, kind) for kind in (FileType.File, FileType.Directory))
    holding = {str(above) for name in files for above in PurePosixPath(name).parents}
    return files, sorted(set(every) - holding)


def _paths(root: Storage, infos: Sequence[FileInfo], kind: FileType) -> list[str]:
    base = root.at()[1].rstrip("/")
    return sorted(str(each.path)[len(base) + 1 :] for each in infos if each.type == kind)


def _below(system: FileSystem, path: str) -> list[FileInfo]:
    return list(system.get_file_info(FileSelector(path, recursive=True)))


def _local_files(root: Storage, name: str) -> Iterator[str]:
    """Links are followed, as pyarrow does it, which cannot tell names that are no UTF-8."""
    top = os.path.join(os.fsdecode(root.local()), "")

    def fail(problem: OSError) -> None:
        raise problem

    for folder, _folders, names in os.walk(f"{top}{name}", onerror=fail, followlinks=True):
        paths = (os.path.join(folder, each) for each in names)
        yield from (path[len(top) :] for path in paths if os.path.isfile(path))


def without_subject(root: Storage, subject: Subject, *, apply: bool) -> list[Touched]:
    """Find the subject in all exports below a root, and take it out if told to. Raises OSError."""
    touched = [each for run in runs_below(root) for each in _of_run(_Work(root.child(run), run, subject, apply))]
    if apply and _points_at_nothing(root):
        clear_current(root)
    return touched


def _points_at_nothing(root: Storage) -> bool:
    """Say whether CURRENT is there and names no run of which something whole is left."""
    named = current(root) if root.exists() and not exports.pointer_is_folder(root) else None
    if named is None:
        return False
    run = named.lstrip("\ufeff")  # as some editors write it
    return not (is_below(run) and any(root.exists(f"{run}/{form}/{SUCCESS}") for form in OUTPUTS))


def runs_below(root: Storage) -> Iterator[str]:
    """Yield the runs with exports below a root."""
    for name in names_in(root) if root.exists() else ():
        if is_below(name) and root.exists(f"{name}/{MARK}"):
            yield name


def _of_run(work: _Work) -> Iterator[Touched]:
    forms = [form for form in OUTPUTS if work.target.exists(form)]
    touched = [each for form in forms if (each := _of_form(work, form)) is not None]
    yield from touched
    if work.apply and touched:
        _count_labels(work)
    for file in files_below(work.target) if work.apply else ():
        if file.rpartition("/")[2].startswith(_ASIDE) and is_below(file):  # a file that a killed run was writing
            work.target.delete_tree(file)


def _of_form(work: _Work, form: str) -> Touched | None:
    if not work.target.exists(f"{form}/{SUCCESS}"):
        return work.removed(form)
    try:
        if form in ("parquet", "clean_list"):
            return work.rewritten(form, sum(_of_file(work, form, file) for file in files_below(work.target, form)))
        return _with_manifest(work, form)
    except NOT_WHOLE:  # nothing tells whether it holds the subject
        return work.removed(form)


def _of_file(work: _Work, form: str, file: str) -> int:
    if not is_own(form, file.removeprefix(f"{form}/")):
        return 0
    if form == "clean_list":
        return take_lines(work.target, file, work.subject, apply=work.apply)
    going, staying = take_rows(work.target, file, work.subject, apply=work.apply)
    work.stay(form, staying)
    return going


def _with_manifest(work: _Work, form: str) -> Touched | None:
    """Take the files or samples first: a manifest that still names them is what a second try goes by."""
    folder = work.target.child(form)
    manifest = Manifest.read(folder, work.subject)
    if work.apply and manifest.going:
        try:
            _take(folder, form, manifest, work.subject)
        except NOT_WHOLE:
            return work.removed(form, len(manifest.going))
        manifest.write(folder)
    work.stay(form, manifest.staying)
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


def _take_files(folder: Storage, manifest: Manifest) -> None:
    shared = {row["path"] for row in manifest.staying}
    for path in manifest.paths:
        above = path.rpartition("/")[0]
        if path in shared or not above or not is_below(path):
            continue
        if is_file(folder, path):
            folder.delete_tree(path)
        if folder.info(above).type == FileType.Directory and not names_in(folder, above):
            folder.delete_tree(above)


def _count_labels(work: _Work) -> None:
    """Write labels.csv by what is left; it goes where no form is left that has labels."""
    if work.target.info(_LABELS_FILE).type == FileType.Directory:  # none that facesieve has made
        return
    people = People()
    for each in work.people.values():
        for person, images in each.items():
            people.setdefault(person, set()).update(images)
    rows = [
        dict(zip(LABELS, (str(label), name, str(len(images))), strict=True)) for (label, name), images in people.items()
    ]
    ordered = sorted(rows, key=lambda row: int(row["label"]))
    put(work.target, _LABELS_FILE, as_csv(LABELS, ordered) if ordered else b"")
