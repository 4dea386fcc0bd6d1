"""What an erasure says instead of doing it: whom a probe is near, what would go, and how the subject is confirmed."""

from __future__ import annotations

from facesieve.core.console import Answer, count
from facesieve.erasure.candidates import Candidates
from facesieve.erasure.journal import Journal
from facesieve.erasure.plan import plan_of
from facesieve.erasure.probe import digest_of
from facesieve.lake.side_job import SideJob


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
