"""Records as a person reads them: every number where it belongs, dashes where there is none."""

from __future__ import annotations

from typing import Any

from facesieve.assess.report import of_calibration, of_evaluation, share

SCOPE: dict[str, Any] = {
    "faces": 12_345,
    "compared": 9,
    "without_identity": 3,
    "further_faces": 1,
    "people": 4,
    "clusters": 5,
    "false_matches": 0.125,
    "bcubed": {"precision": 0.5, "recall": 0.25, "f": 1 / 3},
    "pairwise": {"precision": 1.0, "recall": 0.0, "f": 0.0},
    "nmi": 0.75,
    "purity": [
        {"least": 1, "most": 1, "clusters": 7, "faces": 7, "purity": 1.0},
        {"least": 2, "most": 4, "clusters": 0, "faces": 0, "purity": None},
        {"least": 100, "most": None, "clusters": 1, "faces": 200, "purity": 0.5},
    ],
    "images_with_several_faces": 4,
    "images_with_two_in_one_cluster": 1,
    "two_in_one_cluster_share": 0.25,
    "singletons": 6,
    "singletons_share": 0.5,
    "largest": 3,
    "largest_share": None,
}


def lines(text: str) -> list[list[str]]:
    """The words of each line, columns apart."""
    return [[part for part in line.split("  ") if part.strip()] for line in text.splitlines()]


def words(text: str, first: str) -> list[str]:
    """What stands in the line that begins so."""
    (row,) = [row for row in lines(text) if row and row[0] == first]
    return [part.strip() for part in row[1:]]


def test_an_evaluation() -> None:
    record = {"run": "r1", "truth": "file", "scopes": {"global": SCOPE}, "warnings": ["mind the gap"]}
    text = of_evaluation(record)
    assert text.startswith("Run r1, against the truth table\n\nScope global\n")
    assert text.endswith("WARNING: mind the gap")
    assert words(text, "faces in clusters") == ["12,345"]
    assert words(text, "B-cubed") == ["0.5000", "0.2500", "0.3333"]
    assert words(text, "pairwise") == ["1.0000", "0.0000", "0.0000"]
    assert "normalised mutual information: 0.7500" in text
    assert words(text, "1") == ["7", "7", "100.00%"]
    assert words(text, "2 to 4") == ["0", "0", "-"]
    assert words(text, "100 and more") == ["1", "200", "50.00%"]
    assert words(text, "of them with two faces in one cluster") == ["1", "25.00%"]
    assert words(text, "faces of the largest cluster") == ["3", "-"]


def test_without_identities_only_what_needs_none_is_written() -> None:
    nothing = SCOPE | dict.fromkeys(("people", "clusters", "bcubed", "pairwise", "nmi"))
    text = of_evaluation({"run": "r1", "truth": "listing", "scopes": {"identity": nothing}, "warnings": []})
    assert "against the listing's identities" in text
    assert words(text, "people compared") == ["-"]
    assert words(text, "faces alone in their cluster") == ["6", "50.00%"]
    for absent in ("B-cubed", "purity", "mutual information", "WARNING"):
        assert absent not in text


def test_a_calibration_beside_the_former_profile() -> None:
    record: dict[str, Any] = {
        "run": "r1",
        "model": "m@1",
        "impostor": {"intercept": 0.04, "slope": 0.16, "measured_on": "many pairs"},
        "identity": {"cosine": 0.413, "impostor_line": 0.3},
        "former": {"impostor": {"intercept": 0.5, "slope": 0.25}, "identity": None},
        "impostor_share": 0.125,
        "rates": [{"cosine": 0.41, "false_match": 0.01, "false_non_match": 0.002}],
        "warnings": [],
        "out": "p.toml",
        "svg": "p.svg",
    }
    text = of_calibration(record)
    assert words(text, "impostor.slope") == ["0.25", "0.16"]
    assert words(text, "identity.cosine") == ["-", "0.413"]
    assert words(text, "0.4100") == ["1.00%", "0.20%"]
    assert "share of impostor pairs inside folders: 12.50%" in text
    assert text.endswith("Written: p.toml, p.svg. To use it: --set embed.model=p.toml")


def test_shares() -> None:
    assert [share(value) for value in (None, 0.0, 0.12345)] == ["-", "0.00%", "12.35%"]
