"""What is said where nobody is chosen; the command's tests see the rest."""

from __future__ import annotations

from facesieve.erasure.answers import nobody
from facesieve.erasure.candidates import Candidates


def test_a_probe_near_nobody_is_said_to_be_so() -> None:
    shown = nobody(Candidates((), 1, 1_234, 0.7, 0.5, 0.3))
    assert shown.text.startswith("1,234 faces were compared with 1 photographs: 0 faces of 0 images")
    assert "The lake holds no image that the selectors choose." in shown.text
    assert (shown.record["images"], shown.record["candidates"], shown.record["false_share"]) == (0, [], None)
    assert nobody(None).record == {"images": 0, "applied": False}
