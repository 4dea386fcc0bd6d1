"""What a person marks on the page goes through the next run: twenty images and a pair, by clicks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import vector_people
from publishing import Shop
from pyspark.sql import SparkSession
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from shown_page import Page

from facesieve.cli import commands
from facesieve.cluster.step import cluster
from facesieve.core import tables
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.link.step import link

pytestmark = pytest.mark.browser

STEPS = (embed, link, cluster, decide)
FOLDERS = {"Ann": [0] * 8 + [1], "Bob": [1] * 8, "Cleo": [2] * 8, "Cleo too": [2] * 8}
"""Whom the images of each folder show: one of Ann's is of Bob, and two folders are one person."""
MARKED = 5
"""Images of each folder that are dropped by a mark."""


@pytest.fixture(scope="module")
def shop(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(spark, tmp_path_factory.mktemp("judged"))


def report(shop: Shop, driver: webdriver.Chrome, folder: Path) -> Page:
    """Make the report of the newest run and open it."""
    asked = [*shop.arguments("report.names=true"), "--out", str(folder)]
    assert commands.run("report", asked) == 0
    return Page(driver, folder, folder.parent).open(fresh=True)


def drop(page: Page, name: str) -> set[str]:
    """Drop the first images of a folder's contact sheet, and return their ids."""
    page.go("people?kind=folder")
    before = set(page.marks())
    (address,) = [link.get_attribute("href") for link in page.all(".person h2 a") if link.text == name]
    page.go(str(address).partition("#")[2])
    page.until(lambda: len(page.all(".tile")) >= MARKED)
    for tile in range(MARKED):
        page.script("document.querySelectorAll('.tile')[arguments[0]].focus()", tile)
        page.press("d")
        page.until(partial(_marked, page, len(before) + tile + 1))
    return {key.removeprefix("image:") for key in set(page.marks()) - before}


def _marked(page: Page, number: int) -> bool:
    return len(page.marks()) == number


def test_twenty_marks_and_a_pair_are_followed_and_shown(shop: Shop, driver: webdriver.Chrome, tmp_path: Path) -> None:
    settings = (*vector_people.laid(shop.images, FOLDERS), "link.scope=both")
    assert shop.run("first", *STEPS, sets=settings) == 0
    page = report(shop, driver, tmp_path / "first")
    dropped = set[str]().union(*(drop(page, name) for name in FOLDERS))
    assert len(dropped) == MARKED * len(FOLDERS)
    page.go("pairs")
    assert page.all(".entry.pair"), "two folders seem one person"
    page.press(Keys.ARROW_DOWN, "x")
    page.press("w")
    page.until(lambda: page.all("#who"))
    page.first("#who").send_keys("Mia")
    page.first("#save").click()
    files = (page.saved("overrides.csv"), page.saved("constraints.csv"))
    assert all("Mia" in line for line in files[0].splitlines()[1:])

    judged = (f"decide.overrides={tmp_path}/overrides.csv", f"cluster.constraints={tmp_path}/constraints.csv")
    assert shop.run("next", *STEPS, sets=(*settings, *judged)) == 0
    rows = shop.lake.read(tables.DECISIONS, shop.lake.snapshot(tables.DECISIONS)).collect()
    verdicts = {str(row.image_id): (row.verdict, row.reasons[:1]) for row in rows}
    assert len(verdicts) == sum(map(len, FOLDERS.values()))
    assert {image for image, verdict in verdicts.items() if verdict == ("drop", ["overridden"])} == dropped
    after = report(shop, driver, tmp_path / "next")
    told = after.script("return facesieve.summary.judgements")
    assert (told["overrides"]["rows"], told["overrides"]["followed"]) == (len(dropped), len(dropped))
    assert told["constraints"]["rows"] == told["constraints"]["followed"] > 0
    assert {row["image_id"] for row in told["overrides"]["contradicted"]} <= dropped
    assert after.go("judged").texts("h1")
