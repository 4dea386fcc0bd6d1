"""A subject survives the journal."""

from __future__ import annotations

import json
from dataclasses import asdict

from facesieve.erasure.subject import Subject

SUBJECT = Subject((1, -2), (3,), ("ann/1.jpg",), ("ab",), ("ann",), ((0.5, -0.25), (1.0,)))


def test_a_subject_survives_json() -> None:
    assert Subject.from_json(json.loads(json.dumps(asdict(SUBJECT)))) == SUBJECT
