"""The report's page in a real browser: what it shows, what it keeps, what it saves, and what it never does."""

from __future__ import annotations

import csv
import io
import re
import shutil
from pathlib import Path

import pytest
from report_sample import NAMES, QUEUE, Sample
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from shown_page import Page

from facesieve.cluster.constraint_file import read_constraints
from facesieve.decide.override_file import read_overrides

pytestmark = pytest.mark.browser

VIEWS = ("sound", "trust", "queue", "people", "group/group-f1", "pairs", "changes", "judged")
NAMED = Sample(names=True, pictures=True)
SUMMARY = NAMED.summary()
FORMULA = "=cmd|' /C calc'!A0"


def save(page: Page, who: str = "Mia") -> None:
    page.press("w")
    page.until(lambda: page.all("#who"))
    page.first("#who").clear()
    page.first("#who").send_keys(who)
    page.first("#save").click()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_view_opens_without_an_error_and_no_request_leaves(page: Page) -> None:
    page.errors(), page.requests()
    for view in VIEWS:
        page.open(view)
        assert page.texts(".problem") == [], view
        assert page.texts("h1")[0].strip(), view
    page.open("trust").until(lambda: len(page.all(".plot svg")) == 5)
    assert page.errors() == []
    assert set(page.requests()) <= {"file://", "about://", "data://"}


def test_the_policy_lets_nothing_leave(page: Page) -> None:
    """A request and a line of script that somebody smuggles in are refused."""
    page.errors()
    page.script(
        "document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/x.png' }));"
        "const button = document.createElement('button'); button.setAttribute('onclick', 'window.smuggled = 1');"
        "document.body.append(button); button.click(); fetch('http://127.0.0.1:9/').catch(() => {})"
    )
    page.until(lambda: len(page.errors()) > 0)
    assert page.script("return window.smuggled") is None
    assert "http://127.0.0.1:9" not in page.requests()


def test_counts_are_those_of_the_data(page: Page) -> None:
    counts = {row["name"]: row["count"] for row in SUMMARY.verdicts}
    assert page.texts(".counts")[0].startswith(page.script("return facesieve.text('verdicts')"))
    shown = page.script(
        "return [...document.querySelector('.counts').tBodies[0].rows].map((row) => row.cells[1].innerText)"
    )
    assert shown == [str(count) for count in counts.values()]
    assert page.texts(".stat dd")[0] == str(SUMMARY.totals["images"])
    assert page.texts("#views .count") == [str(QUEUE), str(SUMMARY.groups.entries), str(SUMMARY.pairs.entries)]


def test_the_queue_keeps_its_order_over_all_data_files(page: Page) -> None:
    page.go("queue")
    while len(page.all(".entry")) < QUEUE:
        page.until(lambda: page.script("return !document.querySelector('.more').hidden"))
        page.script("document.querySelector('.more').click()")
    assert page.until(lambda: page.script("return document.querySelector('.more').hidden"))
    assert page.texts(".entry .rank") == [str(at + 1) for at in range(QUEUE)]
    kinds = page.script("return [...document.querySelectorAll('.entry .kind')].map((each) => each.textContent)")
    labels = [page.script("return facesieve.label('kind', arguments[0])", NAMED.entry(at).kind) for at in range(8)]
    assert kinds == [labels[at % 8] for at in range(QUEUE)]


def test_filters_narrow_the_queue_and_survive_a_reload(page: Page) -> None:
    page.go("queue")
    page.choose("Kind", "flip")
    flips = sum(NAMED.entry(at).kind == "flip" for at in range(QUEUE))
    assert len(page.all(".entry")) == flips
    page.choose("Folder", "<SCRIPT>")
    wanted = [at for at in range(QUEUE) if NAMED.entry(at).kind == "flip" and "<script>" in _groups(at)]
    assert page.texts(".entry .rank") == [str(at + 1) for at in wanted]
    page.driver.refresh()
    page.wait()
    assert len(page.all(".entry")) == len(wanted)
    page.choose("Verdict", "keep")
    assert page.all(".entry") == []


def _groups(at: int) -> str:
    entry = NAMED.entry(at)
    return " ".join(group.label for group in (entry.folder, entry.target, entry.cluster) if group)


def test_keys_mark_move_on_and_undo(page: Page) -> None:
    page.go("queue")
    page.press(Keys.ARROW_DOWN, "k", "d", "u")
    one = NAMED.entry(0).image
    assert one is not None
    assert {key: mark["verdict"] for key, mark in page.marks().items()} == {f"image:{one.image_id}": "keep"}
    assert page.texts("#mark-count") == ["1"]
    assert page.first(".entry[data-marked] .act[data-verdict=keep]").get_attribute("aria-pressed") == "true"
    page.script("facesieve.marks.markImages([arguments[0]], 'drop')", one.image_id)
    page.press("u")
    assert [mark["verdict"] for mark in page.marks().values()] == ["keep"]
    page.press("u", "u")
    assert page.marks() == {}
    assert page.all(".entry[data-marked]") == []


def test_an_arrow_goes_to_the_next_entry_and_question_mark_helps(page: Page) -> None:
    page.go("queue")
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert page.script("return document.activeElement.querySelector('.rank').textContent") == "2"
    page.press("?")
    assert page.all("dialog[open] .keys kbd")
    page.press("k", Keys.ESCAPE)
    assert page.marks() == {}


def test_marks_survive_a_reload_and_are_filtered_by(page: Page) -> None:
    page.go("queue")
    page.script("document.querySelectorAll('.entry .act[data-verdict=drop]')[1].click()")
    page.open("queue")
    assert page.texts(".entry[data-marked] .rank") == ["2"]
    page.choose("Marks", "marked")
    same = [at for at in range(QUEUE) if NAMED.entry(at).image == NAMED.image(1, 0)]
    assert page.texts(".entry .rank") == [str(at + 1) for at in same]


def test_move_offers_the_names_of_folders(page: Page) -> None:
    page.go("queue")
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, "m")
    page.until(lambda: sorted(page.texts("dialog .names button")) == sorted(NAMES))
    assert page.first("#move-to").get_attribute("value") == FORMULA
    page.first("#move-to").clear()
    page.first("#move-to").send_keys("王")
    page.until(lambda: page.texts("dialog .names button") == ["王小明"])
    page.press(Keys.ENTER)
    assert [mark["moved_to"] for mark in page.marks().values()] == ["王"]


def test_what_is_saved_is_what_the_job_reads(page: Page) -> None:
    """Marks of all kinds, merged with the files of before; the mark of a marked image takes the place of its row."""
    page.go("queue")
    page.press(Keys.ARROW_DOWN, "d")
    page.press("m")
    page.until(lambda: page.all("#move-to"))
    page.press(Keys.ENTER)
    page.go("pairs")
    page.press(Keys.ARROW_DOWN, "s", "x")
    save(page, "@Mia")
    overrides, constraints = page.saved("overrides.csv"), page.saved("constraints.csv")
    dropped, moved = NAMED.image(0, 0).image_id, NAMED.image(1, 0).image_id
    saved = [(row["image_id"], row["verdict"], row["moved_to"], row["who"]) for row in rows(overrides)]
    assert saved == [(dropped, "drop", "", "'@Mia"), (moved, "move", f"'{FORMULA}", "'@Mia")]
    read = read_overrides(str(_laid(page, "overrides.csv", overrides))).rows
    assert [(row.image_id, row.verdict) for row in read] == [(int(dropped), "drop"), (int(moved), "move")]
    assert all(row.at is not None for row in read)
    pairs = read_constraints(str(_laid(page, "constraints.csv", constraints))).rows
    assert [row.must for row in pairs] == [True, True, False]


def _laid(page: Page, name: str, text: str) -> Path:
    file = page.downloads / f"laid-{name}"
    file.write_text(text, encoding="utf-8", newline="")
    return file


def test_marks_that_contradict_each_other_are_told_before_they_are_saved(page: Page) -> None:
    one, two, three = (NAMED.image(0, at).image_id for at in range(3))
    page.script("facesieve.marks.markPair([arguments[0], arguments[1]], 'same')", two, three)
    page.script("facesieve.marks.markPair([arguments[0], arguments[1]], 'different')", one, three)
    page.press("w")
    page.until(lambda: page.all("dialog .problem li"))
    assert len(page.all("dialog .problem li")) == 1


def test_rows_that_were_given_before_are_merged_and_never_doubled(page: Page) -> None:
    before = 'uri;verdict;moved_to;image_id\n"=a;""b""\nc.jpg";keep;;\n;drop;;7\n;keep;;8\n'
    made = page.script(
        "return facesieve.csv.overrides(arguments[0], [{ image_id: '7', verdict: 'keep', at: '2026-11-29T18:00:00Z' }],"
        " 'Mia', '2026-11-28T00:00:00Z')",
        before,
    )
    cells = [(row["uri"], row["image_id"], row["verdict"], row["at"]) for row in rows(made["text"])]
    assert cells == [
        ('\'=a;"b"\nc.jpg', "", "keep", "2026-11-28T00:00:00Z"),
        ("", "8", "keep", ""),
        ("", "7", "keep", "2026-11-29T18:00:00Z"),
    ]
    assert made["count"] == 3
    again = page.script("return facesieve.csv.overrides(arguments[0], [], '', '').text", made["text"])
    assert rows(again) == rows(made["text"])


def test_names_of_the_data_stay_text(page: Page) -> None:
    for view in VIEWS:
        page.go(view)
        assert page.all("main b, main script") == [], view
    assert "<script>alert(1)</script>" in page.go("people").texts(".person h2")
    page.go("group/group-f2")
    assert page.texts("h1") == ["<script>alert(1)</script>"]


def test_a_contact_sheet_runs_from_the_core_to_the_border(page: Page) -> None:
    page.go("group/group-f1")
    sheet = NAMED.sheet(NAMED.folder(0), "folder", 0, 1)
    shown = [member for mode in sheet.modes for member in mode.members] + sheet.dropped
    assert len(page.all(".tile")) == len(shown)
    assert len(page.all(".frame.stacked")) == sum(bool(member.copies) for member in shown)
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.first(".act-bar .act[data-verdict=drop]").click()
    assert list(page.marks()) == [f"image:{shown[1].image_id}"]
    assert page.first(".act-bar .act[data-verdict=drop]").get_attribute("aria-pressed") == "true"
    page.script("document.querySelector('.pager a').click()")
    page.until(lambda: page.texts(".pager span")[-2:] and "Page 2 of 2" in page.texts("main")[0])


def test_without_names_nothing_can_be_moved_and_no_picture_is_shown(plain: Page) -> None:
    plain.go("queue")
    assert plain.all("img, .notice, .act[data-verdict=move]") == []
    assert plain.texts(".entry .no-picture")
    plain.press(Keys.ARROW_DOWN, "m")
    assert plain.marks() == {}
    plain.until(lambda: "report.names" in plain.texts("#said")[0])


def test_a_notice_stands_over_pictures(page: Page) -> None:
    assert "Personal data" in page.texts(".notice")[0]


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh")])
def test_axe_finds_no_serious_fault(page: Page, axe: str, theme: str, language: str) -> None:
    page.script("localStorage.setItem('facesieve:theme', arguments[0])", theme)
    page.script("localStorage.setItem('facesieve:language', arguments[0])", language)
    for view in ("queue?folder=cluster 2", *(each for each in VIEWS if each != "queue")):
        page.open(view)
        assert page.faults(axe) == [], view
    page.press("w")
    page.until(lambda: page.all("dialog[open]"))
    assert page.faults(axe) == []
    assert page.script("return document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[language]


def test_nothing_is_wider_than_a_telephone(page: Page) -> None:
    page.size(360, 740)
    wide = {view: page.go(view).script("return document.documentElement.scrollWidth") for view in VIEWS}
    assert {view: width for view, width in wide.items() if width > 360} == {}


def test_no_text_is_missing_in_any_view(page: Page) -> None:
    """A key without a text shows as itself."""
    for language in ("en", "zh"):
        page.script("localStorage.setItem('facesieve:language', arguments[0])", language)
        page.open()
        for view in VIEWS:
            page.go(view)
            words = str(page.script("return document.body.innerText")).split()
            keys = [word for word in words if re.fullmatch(r"[a-z]+(\.[a-z]+)+", word)]
            assert keys == [], (view, language)


def test_a_missing_data_file_is_told_in_a_sentence(page: Page) -> None:
    page.errors()
    page.go("group/group-f99")
    assert "group-f99" in page.texts(".problem")[0]
    assert len(page.errors()) == 1


def test_a_cut_data_file_is_told_in_a_sentence(driver: webdriver.Chrome, reports: Path, tmp_path: Path) -> None:
    """An empty script loads without an error, and without a word."""
    shutil.copytree(reports / "plain", tmp_path / "cut")
    (tmp_path / "cut" / "data" / "summary.js").write_text("", encoding="utf-8")
    driver.get((tmp_path / "cut" / "index.html").as_uri())
    page = Page(driver, tmp_path / "cut", tmp_path)
    page.until(lambda: page.texts(".problem"))
    assert "summary" in page.texts(".problem")[0]
