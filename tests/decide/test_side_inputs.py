"""The key of the step follows from what the side tables say, and not from where they lie."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from facesieve.core.config import Config
from facesieve.core.profiles import ImpostorLine
from facesieve.core.sections import Decide
from facesieve.decide.protected_people import Protection
from facesieve.decide.side_inputs import SideTables
from facesieve.images.side_tables import Entries

LINE = ImpostorLine(0.25, 0.125)


def settings(overrides: str, protected: str, path: str) -> dict[str, Any]:
    run: Any = SimpleNamespace(config=Config(decide=Decide(overrides=path, protected=path)))
    protection = Protection(path, protected) if protected else None
    return SideTables(Entries(path, (), overrides), protection, LINE).settings(run)


def test_digests_stand_for_the_paths() -> None:
    assert settings("a", "b", "here") == settings("a", "b", "there")
    assert len({repr(settings(*digests, "here")) for digests in (("a", "b"), ("a", "c"), ("c", "b"))}) == 3


def test_the_impostor_line_counts_where_somebody_is_protected() -> None:
    assert settings("a", "b", "here")["impostors"] == asdict(LINE)
    assert settings("a", "", "here")["impostors"] is None
