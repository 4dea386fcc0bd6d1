"""One headless Chromium for all tests of the report's page, a made-up report, and axe-core where npm has fetched it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import report_sample
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from shown_page import Page

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".cache" / "page" / "node_modules" / "axe-core" / "axe.min.js"
SWITCHES = ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900", "--lang=en-GB")


@pytest.fixture(scope="session")
def driver() -> Iterator[webdriver.Chrome]:
    """A browser without a window. Debian's packages chromium and chromium-driver bring both programs."""
    browser, program = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or program is None:
        pytest.skip("no chromium and chromedriver on PATH (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    # Chromium has no sandbox for root, as whom containers run tests.
    for switch in (*SWITCHES, *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(program))
    started.set_script_timeout(60)
    yield started
    started.quit()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up reports: `named` has names and pictures, `plain` has neither."""
    root = tmp_path_factory.mktemp("reports")
    report_sample.write(root / "named", names=True, pictures=True)
    report_sample.write(root / "plain")
    return root


@pytest.fixture
def page(driver: webdriver.Chrome, reports: Path, tmp_path: Path) -> Page:
    """The report with names, opened without marks; files are saved to `tmp_path`."""
    return Page(driver, reports / "named", tmp_path).open(fresh=True)


@pytest.fixture
def plain(driver: webdriver.Chrome, reports: Path, tmp_path: Path) -> Page:
    """The report without names and pictures, opened without marks."""
    return Page(driver, reports / "plain", tmp_path).open(fresh=True)


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    if not AXE.exists():
        pytest.skip("axe-core is not there: run make page (needs npm)")
    return AXE.read_text(encoding="utf-8")
