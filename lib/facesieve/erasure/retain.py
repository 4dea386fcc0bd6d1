"""retain: what nobody needs any more is erased when its days are over, by the same code as a person who asks.

Without `--apply` it says what is due. With it, exports go first, then images with a journal and a proof, then rows of
the ledger. Killed anywhere, the same command finishes the work; where nothing is due it changes nothing.
"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from facesieve.core.console import Answer, aligned, count
from facesieve.core.errors import InvariantError, Refused
from facesieve.core.hidden_paths import path_seal
from facesieve.core.places import argument
from facesieve.core.sections import OUTPUTS
from facesieve.erasure import idle, mark
from facesieve.erasure import journal as journals
from facesieve.erasure.apart import apart
from facesieve.erasure.due import Due, due_of
from facesieve.erasure.erase import Erasure, begin
from facesieve.erasure.exports import MARK
from facesieve.erasure.journal import Journal
from facesieve.erasure.refusals import refuse_running, refuse_unopened
from facesieve.erasure.selection import of_images, refuse_too_many
from facesieve.erasure.subject import Subject
from facesieve.erasure.tombstone_rows import check_key
from facesieve.images.storage import Storage
from facesieve.lake.ledger import new_name
from facesieve.lake.side_job import SideJob
from facesieve.publish.exports import SUCCESS

_CHOICE = hashlib.sha256(b"retention").hexdigest()
"""By this a journal is known as one of retention."""
_CHECK = "See whether images.root was whole at the last runs"
_WORDS = {
    "gone": ("images gone from the source", "gone_days"),
    "rejects": ("gone images without a face", "reject_days"),
    "unclustered": ("images alone in their clusters", "unclustered_days"),
    "exports": ("exports of earlier runs", "export_days"),
    "runs": ("rows of the ledger", "run_days"),
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what only this job is asked."""
    parser.add_argument("--apply", action="store_true", help="do it (without: say what is due)")
    parser.add_argument("--proof", type=argument, default="", metavar="FILE", help="write what was looked at, as JSON")
    parser.add_argument("--close", action="store_true", help="end the erasure even if the proof finds something")
    parser.set_defaults(with_source=False)


def retain(job: SideJob, arguments: Namespace) -> Answer:
    """Let go of what is due, or say what that is.

    Raises Refused beside a run or an erasure, and above `erase.max_images`; ConfigError without the keys of the lake;
    InvariantError if the proof finds something.
    """
    now = _now()
    refuse_unopened(job)
    begun = _begun(job)
    if arguments.apply:
        refuse_running(job)
        if begun is not None:
            _carry_out(Erasure(job, begun[1], begun[0], _proving(begun[1], arguments)), {})
    due = due_of(job, now)
    refuse_too_many(len(due.images), job.config.erase.max_images, _CHECK)
    if not arguments.apply:
        return _answer(job, due, {"applied": False, "begun": begun is not None})
    if due.unclustered:
        check_key(job)
    for root, run in due.exports:
        _remove(Storage(root).child(run))
    if due.images or due.runs:
        return _answer(job, due, {"applied": True} | _erase(job, due, arguments))
    idle.note(job, now)
    return _answer(job, due, {"applied": True})


def _now() -> datetime:
    return datetime.now(UTC)


def noted(record: Mapping[str, Any]) -> dict[str, int]:
    """Return what the ledger keeps of the job's record."""
    return dict(record["due"])


def _begun(job: SideJob) -> tuple[str, Journal] | None:
    """Return where the journal of a retention lies that was killed, and the journal."""
    mark.tidy(job.spark, job.lake)
    place = mark.under_way(job.spark, job.lake)
    if not place:
        return None
    journal = journals.read(place)
    if journal.choice != _CHOICE:
        raise Refused("another erasure has begun and not ended. Nothing was changed. Finish it with its own command.")
    return place, journal


def _remove(export: Storage) -> None:
    """Delete an export, what says that it is whole first and what says that it is ours last."""
    for form in OUTPUTS:
        export.delete_tree(f"{form}/{SUCCESS}")
    for each in export.entries():
        if each.base_name != MARK:
            export.delete_tree(str(each.base_name))
    export.delete_tree()


def _erase(job: SideJob, due: Due, arguments: Namespace) -> dict[str, Any]:
    subject, seal = Subject(), path_seal(job.config.lake)
    if due.images:
        subject = apart(job.lake, of_images(job.lake, due.images, seal), job.config.erase.proof_cosine, seal)
    name, by = new_name(datetime.now(UTC)), job.config.run.operator
    journal = Journal(
        *(f"retain-{name}", _CHOICE, datetime.now(UTC).isoformat(), subject),
        by=by or "retention",
        basis=job.config.run.basis or "retention",
        buried=tuple(due.unclustered),
        runs=tuple(due.runs),
    )
    place, whole = begin(job, journal)
    figures = {"due": due.counts(), "applied": True}
    record = _carry_out(Erasure(job, whole, place, _proving(whole, arguments)), figures).record
    return {"erasure": record["erasure"], "proof": record["proof"]}


def _proving(journal: Journal, arguments: Namespace) -> Namespace:
    """Return the arguments without `--proof` where no image goes: there is nothing to prove, and a file would lie."""
    return arguments if journal.subject.images else Namespace(**vars(arguments) | {"proof": ""})


def _carry_out(erasure: Erasure, figures: Mapping[str, Any]) -> Answer:
    """Carry it out; where the proof finds something, monitoring is told these figures of retention."""
    try:
        return erasure.carry_out()
    except InvariantError as problem:
        raise InvariantError(str(problem), figures) from None


def _answer(job: SideJob, due: Due, more: Mapping[str, Any]) -> Answer:
    counts = due.counts()
    record = {"due": counts, **more, "warnings": job.warnings}
    rows = [["what", "kept for days", "removed" if more["applied"] else "due"]]
    days = {name: getattr(job.config.retention, key) for name, (_words, key) in _WORDS.items()}
    rows += [[_WORDS[name][0], count(days[name]) if days[name] else "no limit", count(counts[name])] for name in counts]
    return Answer("\n\n".join([aligned(rows), _last(due, more, any(days.values()))]), record)


def _last(due: Due, more: Mapping[str, Any], limited: bool) -> str:
    if more.get("begun"):
        return "A retention has begun and not ended; --apply finishes it."
    if not any(due.counts().values()):
        return "Up to date: nothing is due." if limited else "Up to date: no key of the section retention is set."
    if more["applied"]:
        proof = more.get("proof")
        files = count(sum(proof["looked_at"]["files"].values())) if proof else ""
        return f"Proof: {files} files were searched, and nothing was found." if files and due.images else "Done."
    tail = " All former versions of every table go, so no run can be undone then." if due.images else ""
    return f"Nothing was changed; --apply does it.{tail}"
