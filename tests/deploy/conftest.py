"""What the files of conf/deploy are checked against."""

from __future__ import annotations

import pytest
from submitting import Parse, parser_of_jobs


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Parse:
    return parser_of_jobs(monkeypatch)
