"""A person is told the own names and paths, and nobody else's."""

from __future__ import annotations

from facesieve.core.hidden_paths import PathSeal
from facesieve.erasure.access.shown import OTHER_IMAGE, OTHER_NAME, Shown
from facesieve.erasure.selectors import Selectors
from facesieve.erasure.subject import Subject

PERSON = Subject(images=(1, 2), names=("ann", "ann k"))


def test_a_name_that_others_bear_is_another_name_unless_it_was_asked_for() -> None:
    by_uri = Shown(Selectors(uri=("bob/1.jpg",)), PERSON)
    assert [by_uri.name(name) for name in ("ann", "ann k", "bob", None)] == ["ann", "ann k", OTHER_NAME, None]
    assert Shown(Selectors(identity=("bob",)), PERSON).name("bob") == "bob"


def test_a_path_is_told_if_its_names_are_or_if_it_was_asked_for() -> None:
    by_uri = Shown(Selectors(uri=("bob/1.jpg",), prefix=("tmp/",)), PERSON)
    assert by_uri.uri("bob/1.jpg", ["bob"]) == "bob/1.jpg"
    assert by_uri.uri("tmp/9.jpg", ["bob"]) == "tmp/9.jpg"
    assert by_uri.uri("bob/2.jpg", ["bob", "ann"]) is None
    assert by_uri.uri("ann/2.jpg", ["ann", None]) == "ann/2.jpg"


def test_an_image_of_others_has_no_id() -> None:
    shown = Shown(Selectors(), PERSON)
    assert [shown.image(each) for each in (1, 3, None)] == [1, OTHER_IMAGE, None]


def test_what_is_hidden_in_the_tables_is_told_to_whom_it_is_of() -> None:
    seal = PathSeal(b"k" * 32)
    shown = Shown(Selectors(identity=("ann",)), PERSON, {"p-1": "ann"}, seal)
    assert [shown.name(name) for name in ("p-1", "p-2", "ann k")] == ["ann", OTHER_NAME, "ann k"]
    assert shown.uri(seal.hide("ann/1.jpg"), ["p-1"]) == "ann/1.jpg"
    assert shown.uri(seal.hide("bob/1.jpg"), ["p-2"]) is None
    assert Shown(Selectors(uri=("bob/1.jpg",)), PERSON, {}, seal).uri(seal.hide("bob/1.jpg"), ["p-2"]) == "bob/1.jpg"
