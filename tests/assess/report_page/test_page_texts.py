"""The assets of the report's page: every text in both languages, libraries as taken, and nothing from outside."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "lib" / "facesieve" / "assess" / "report_page" / "assets"
LIBRARIES = ("vega.min.js", "vega-lite.min.js", "vega-interpreter.min.js")
OWN = sorted(file for file in ASSETS.glob("*.js") if file.name not in LIBRARIES)
SCRIPTS = {file.name: file.read_text(encoding="utf-8") for file in OWN}
INDEX = (ASSETS / "index.html").read_text(encoding="utf-8")
FUNCTION_LINES, MODULE_LINES, COLUMNS = 36, 257, 120


def dictionary(language: str) -> dict[str, str]:
    """The texts of a language: a script of one call, whose argument is JSON."""
    text = SCRIPTS[f"texts.{language}.js"]
    return dict(json.loads(text[text.index("{") : text.rindex("}") + 1]))


ENGLISH, CHINESE = dictionary("en"), dictionary("zh")


def test_both_languages_have_every_text() -> None:
    assert sorted(set(ENGLISH) ^ set(CHINESE)) == []
    assert [key for key, text in {**ENGLISH, **CHINESE}.items() if not text.strip()] == []


def test_texts_of_a_key_take_the_same_values() -> None:
    values = re.compile(r"\{(\w+)\}")
    apart = [key for key in ENGLISH if sorted(values.findall(ENGLISH[key])) != sorted(values.findall(CHINESE[key]))]
    assert apart == []


def test_chinese_is_written_in_chinese() -> None:
    plain = [key for key, text in CHINESE.items() if text == ENGLISH[key] and re.search(r"[A-Za-z]{2}", text)]
    assert plain == []


def test_every_key_of_the_scripts_has_a_text_and_every_text_a_use() -> None:
    code = "\n".join(text for name, text in SCRIPTS.items() if not name.startswith("texts."))
    named = set(re.findall(r"\"([a-z]+(?:[. ]\w+)*)\"", code))
    made = [re.sub(r"\\\$\\\{.+?\\\}", ".+", re.escape(each)) for each in re.findall(r"`([^`\n]*\$\{[^`\n]*)`", code)]
    made += [rf"{group}\..+" for group in re.findall(r"label\(\"(\w+)\"", code)]
    asked = re.findall(r"\btext\(\s*\"([\w. ]+)\"", code)
    assert sorted(key for key in asked if key not in ENGLISH) == []
    assert [key for key in ENGLISH if key not in named and not any(re.fullmatch(each, key) for each in made)] == []


def test_sentences_are_short() -> None:
    sentences = [part for text in ENGLISH.values() for part in re.split(r"[.?:;] |[.?]$", text)]
    assert [sentence for sentence in sentences if len(sentence.split()) > 20] == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_strict_and_small(name: str) -> None:
    text = SCRIPTS[name]
    lines = text.splitlines()
    assert text.startswith("//")
    if name.startswith("texts."):
        return
    assert '"use strict";' in lines[:3]
    assert len(lines) <= MODULE_LINES
    assert [line for line in lines if len(line) > COLUMNS] == []
    starts = [at for at, line in enumerate(lines) if re.match(r"  (async )?function ", line)]
    ends = [lines.index("  }", at) for at in starts]
    assert [lines[at] for at, end in zip(starts, ends, strict=True) if end - at + 1 > FUNCTION_LINES] == []


def test_nothing_of_the_data_becomes_html() -> None:
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc|\.href\s*="
    assert {name: re.findall(ways, text) for name, text in SCRIPTS.items() if re.search(ways, text)} == {}


def test_the_page_names_no_other_host_and_forbids_connections() -> None:
    own = INDEX + (ASSETS / "report.css").read_text(encoding="utf-8") + "\n".join(SCRIPTS.values())
    assert re.findall(r"(?:https?:)?//[\w-]+\.\w+", own) == []
    policy = re.findall(r"Content-Security-Policy\" content=\"([^\"]+)\"", INDEX)[0]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["connect-src"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    assert re.findall(r"<script(?! src=\"assets/)", INDEX) == []


def test_the_page_loads_the_scripts_that_are_there() -> None:
    loaded = re.findall(r"<script src=\"assets/([\w.-]+)\" defer>", INDEX)
    assert sorted(loaded) == sorted(SCRIPTS)


def test_libraries_are_those_that_were_taken() -> None:
    """`make page` writes the licences with the digests of what it copied."""
    licences = (ASSETS / "LICENSES.txt").read_text(encoding="utf-8")
    digests = {name: re.findall(rf"^{re.escape(name)}: .*\nsha256 (\w+)", licences, re.MULTILINE) for name in LIBRARIES}
    assert digests == {name: [hashlib.sha256((ASSETS / name).read_bytes()).hexdigest()] for name in LIBRARIES}


def test_the_assets_leave_room_for_the_data() -> None:
    assert sum(file.stat().st_size for file in ASSETS.iterdir()) < 1_200_000
