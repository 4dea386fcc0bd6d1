"""How large the page of a report is, and how soon Chromium shows its first screen.

    python tests/bench/first_screen.py REPORT...      # folders that jobs/report.py has written

The browser has no window and keeps no files. Seconds run from the call until the view stands with all its data, the
median of five loads. Bytes are those that a person must copy: the page, its data and its pictures.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench_environment import ROOT  # noqa: F401 (puts the fixtures on the path)
from results import note
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from shown_page import Page

LOADS = 5
SWITCHES = ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-sandbox", "--disk-cache-size=1")


def main(folders: list[Path]) -> None:
    """Measure each report."""
    browser, program = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or program is None or not folders:
        print("skipped: no report is named, or chromium or chromedriver is not on PATH")
        return
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for switch in SWITCHES:
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=Service(program))
    with tempfile.TemporaryDirectory() as downloads:
        for folder in folders:
            page = Page(driver, folder.resolve(), Path(downloads))
            sound, queue = (statistics.median(seconds(page, view) for _ in range(LOADS)) for view in ("sound", "queue"))
            print(f"{folder.name}: {weights(folder)}; first screen {sound:.2f} s, opened at the queue {queue:.2f} s")
            note("first_screen", **{f"{folder.name}_seconds": sound})
    driver.quit()


def seconds(page: Page, view: str) -> float:
    """Load the page at a view, as somebody sees it who has never been there."""
    page.driver.get("about:blank")
    began = time.monotonic()
    page.driver.get(f"{page.address}#{view}")
    page.wait()
    return time.monotonic() - began


def weights(folder: Path) -> str:
    """Say how many files there are in each part of the report, and their bytes."""
    parts = []
    for name in ("assets", "data", "pictures"):
        sizes = [file.stat().st_size for file in (folder / name).rglob("*") if file.is_file()]
        parts.append(f"{name} {len(sizes):,} files, {sum(sizes) / 1e6:.2f} MB")
    first = [folder / "data" / f"{name}.js" for name in ("summary", "queue-0001")]
    loaded = sum(file.stat().st_size for file in first if file.exists())
    return "; ".join([*parts, f"summary and first page of the queue {loaded / 1e6:.2f} MB"])


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
