"""What an erasure answers: whom a probe is near, what would go and how that is confirmed; and what has been done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from facesieve.core.console import Answer, count
from facesieve.erasure.candidates import Candidates
from facesieve.erasure.exports import Touched
from facesieve.erasure.journal import Journal
from facesieve.erasure.plan import plan_of
from facesieve.erasure.probe import digest_of
from facesieve.erasure.proof import Proof
from facesieve.lake.side_job import SideJob

_FACTS = ("erasure", "chosen_by", "images", "faces", "exports", "source_files", "files_searched")


def dry_run(job: SideJob, journal: Journal, shown: Candidates | None, *, begun: bool) -> Answer:
    """Say what the erasure would do. begun: it was killed, and would be finished."""
    subject, plan = journal.subject, plan_of(job, journal.subject)
    head = f"{count(len(subject.images))} images with {count(len(subject.faces))} faces would be erased."
    if begun:
        head = f"The erasure {journal.name} has begun and not ended; --apply finishes it."
    digest = digest_of(subject.images)
    does = f"--apply --confirm {digest}" if shown else "--apply"
    tail = f"Nothing was changed; {does} does it. All former versions of every table go, so no run can be undone then."
    record = {"images": len(subject.images), "faces": len(subject.faces), "applied": False, "digest": digest}
    record |= plan.record() | _record(shown) | {"warnings": job.warnings}
    return Answer("\n\n".join([*_texts(shown), head, plan.text(), tail]), record)


def nobody(shown: Candidates | None) -> Answer:
    """Say that no image is chosen."""
    parts = [*_texts(shown), "The lake holds no image that the selectors choose."]
    return Answer("\n\n".join(parts), {"images": 0, "applied": False} | _record(shown))


def _texts(shown: Candidates | None) -> list[str]:
    return [shown.text()] if shown else []


def _record(shown: Candidates | None) -> dict[str, object]:
    return shown.record() if shown else {}


class Done(NamedTuple):
    """What an erasure has done. chosen_by: the ways in which the subject was chosen; deleted: files of the source."""

    journal: Journal
    chosen_by: str
    exports: Sequence[Touched]
    deleted: int
    proof: Proof

    def answer(self, warnings: Sequence[str]) -> Answer:
        """Say it, with the proof, in which nothing was found."""
        subject, proof, files = self.journal.subject, self.proof, sum(self.proof.forms.values())
        lines = [
            f"{self.journal.name}: {count(len(subject.images))} images are erased.",
            *(f"export {each.form} of the run {each.run}: {each.action}" for each in self.exports),
            f"{count(self.deleted)} files of the source are deleted.",
            f"Proof: {count(files)} files with {count(proof.size)} bytes were searched, and nothing was found.",
        ]
        if proof.unread:
            lines.append(f"{count(len(proof.unread))} files were searched as bytes only: they are not whole.")
        counts = (len(subject.images), len(subject.faces), len(self.exports), self.deleted, files)
        facts = dict(zip(_FACTS, (self.journal.name, self.chosen_by, *counts), strict=True))
        record = facts | {"applied": True, "proof": proof.record(subject), "warnings": list(warnings)}
        return Answer("\n".join(lines), record)


def facts_of(record: Mapping[str, Any]) -> dict[str, int | str]:
    """Return what the ledger keeps of the record of an erasure."""
    return {name: record[name] for name in _FACTS if name in record}
