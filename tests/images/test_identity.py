"""Whom the rule of `images.identity` names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.core.pseudonyms import pseudonym
from facesieve.core.sections import Images
from facesieve.images.identity import first_folders, hidden, identity_rule

NESTED = "Ann/0/1.jpg"


@pytest.mark.parametrize(
    ("rule", "uri", "identity"),
    [
        ("folder", NESTED, "0"),
        ("top", NESTED, "Ann"),
        ("1", NESTED, "Ann"),
        ("2", NESTED, "Ann/0"),
        ("3", NESTED, None),
        ("top", "1.jpg", None),
        ("folder", "1.jpg", None),
        ("2", "Ann/1.jpg", None),
        ("none", NESTED, None),
        (r"^(?P<identity>[^/]+)/", NESTED, "Ann"),
        (r"(?P<identity>x*)", NESTED, None),
        ("top", None, None),
    ],
)
def test_rules(rule: str, uri: str | None, identity: str | None) -> None:
    assert identity_rule(Images(identity=rule))(uri, None) == identity


def test_the_name_of_a_row_counts_where_it_is_asked_for() -> None:
    of_row = identity_rule(Images(format="parquet"))
    assert (of_row("a/b", "Ann"), of_row("a/b", ""), of_row("a/b", None)) == ("Ann", None, None)
    assert identity_rule(Images(format="parquet", identity="top"))("a/b", "Ann") == "a"
    labelled = identity_rule(Images(identity="top", labels="x.csv"))
    assert (labelled(NESTED, "Bea"), labelled(NESTED, None)) == ("Bea", None)


def test_a_hidden_name_is_a_pseudonym_and_nobody_stays_nobody() -> None:
    plain = identity_rule(Images())
    rule = hidden(plain, b"k" * 32)
    assert rule("Ann/1.jpg", None) == rule("Ann/2.jpg", None) == pseudonym(b"k" * 32, "Ann")
    assert rule("1.jpg", None) is None
    assert hidden(plain, b"x" * 32)("Ann/1.jpg", None) != rule("Ann/1.jpg", None)
    assert hidden(plain, None) is plain


@given(st.lists(st.text(st.characters(exclude_characters="/"), min_size=1), min_size=1, max_size=6), st.integers(1, 6))
def test_the_first_folders_are_a_path_above_the_file(parts: list[str], levels: int) -> None:
    uri, identity = "/".join(parts), first_folders("/".join(parts), levels)
    assert (identity is None) == (len(parts) - 1 < levels)
    assert identity is None or (uri.startswith(f"{identity}/") and identity.count("/") == levels - 1)
