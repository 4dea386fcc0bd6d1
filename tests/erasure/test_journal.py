"""The journal of an erasure survives a kill whole."""

from __future__ import annotations

from pathlib import Path

from facesieve.erasure import journal
from facesieve.erasure.journal import Journal
from facesieve.erasure.subject import Subject


def test_a_journal_is_read_as_it_was_written_and_goes_at_the_end(tmp_path: Path) -> None:
    subject = Subject((1,), (2, 3), ("a.jpg",), ("ab",), (), ((0.25,),))
    whole = Journal(
        "e", "choice", "2026-05-03", subject, (("global", 2, 9),), {"edges": (1, 2)}, by="me", basis="request"
    )
    journal.write(str(tmp_path), whole)
    assert journal.read(str(tmp_path)) == whole
    assert journal.read(str(tmp_path)).buried is None, "all are"
    of_retention = Journal("r", "choice", "2026-05-03", subject, buried=(1,), runs=("old",))
    journal.write(str(tmp_path), of_retention)
    assert journal.read(str(tmp_path)) == of_retention
    journal.delete(str(tmp_path))
    journal.delete(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
