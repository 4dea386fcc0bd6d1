"""The prose rule of the style card, read off the pages: short sentences, short lines, one word for one concept."""

from __future__ import annotations

import doctest
import re

import pages
import pytest
from pages import DOCS, GENERATED, PAGES, ROOT, sentences, spans, without_code

WORDS, COLUMNS, README_LINES = 20, 120, 150
OLD = (
    "aside",
    "ballot",
    "belonging",
    "conservation",
    "discontent",
    "electorate",
    "heap",
    "stage",
    "standing",
    "stranger",
)
PRONOUNS = ("It", "Its", "They", "Their", "Them")
WRITTEN = {name: text for name, text in PAGES.items() if name.removeprefix("docs/") not in GENERATED}
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def words(sentence: str) -> int:
    return len(re.findall(r"[^\s]*\w[^\s]*", sentence))


def test_the_examples_of_the_helper_hold() -> None:
    assert doctest.testmod(pages).failed == 0


def test_a_long_sentence_and_an_old_word_are_seen() -> None:
    """The tests below look for something that they can find."""
    assert words("one two, three (four) 5 - six: code.") == 7
    assert re.findall(_old(), "The JVM heap is no heap; strangers stage `heap`") == ["heap", "strangers", "stage"]


@pytest.mark.parametrize("page", [*WRITTEN, "CHANGELOG.md"])
def test_sentences_are_short(page: str) -> None:
    assert [each for each in sentences(WRITTEN.get(page, CHANGELOG)) if words(each) > WORDS] == []


@pytest.mark.parametrize("page", WRITTEN)
def test_sentences_begin_with_a_noun(page: str) -> None:
    assert [each for each in sentences(WRITTEN[page]) if each.split(" ")[0] in PRONOUNS] == []


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_lines_are_short(page: str) -> None:
    # The table of the rules is the code's, a rule in a row.
    lines = [line for line in PAGES.get(page, CHANGELOG).splitlines() if page != "docs/rules.md" or line[:1] != "|"]
    assert [line for line in lines if len(line) > COLUMNS] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_old_word(page: str) -> None:
    assert re.findall(_old(), without_code(PAGES[page])) == []
    assert [span for span in spans(PAGES[page]) if re.search(r"stranger|heap|same_person", span)] == []


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_no_path_of_one_machine_and_no_index(page: str) -> None:
    here = re.compile(r"(?<![\w.}-])/(?:root|home|Users|work|mnt|tmp)/\w+|(?:pypi|index|mirror|registry)\.\w+\.\w+")
    assert here.findall(PAGES.get(page, CHANGELOG)) == []


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].splitlines()) <= README_LINES


def test_every_page_is_in_the_navigation() -> None:
    pages = set(re.findall(r"- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert pages == {file.relative_to(DOCS).as_posix() for file in DOCS.rglob("*.md")}


def test_links_of_the_readme_lead_somewhere() -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", PAGES[page])]
        assert [target for target in targets if not (ROOT / target).exists()] == []


def _old() -> re.Pattern[str]:
    return re.compile(rf"(?<!JVM )\b((?:{'|'.join(OLD)})s?)\b(?!`)", re.IGNORECASE)
