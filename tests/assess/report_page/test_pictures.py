"""Which images have a picture, where not all may have one."""

from __future__ import annotations

from pathlib import Path

from report_folder import Folder
from reported import Reported

from facesieve.cli import commands


def test_every_image_of_a_small_lake_has_a_picture(full: Folder, world: Reported) -> None:
    files = {file.relative_to(full.path).as_posix() for file in full.path.rglob("pictures/*/*.jpg")}
    assert len(files) == len(world.image) == full.data("summary")["totals"]["shown_pictures"]
    assert {entry["image"]["picture"] for entry in full.data("queue-0001")["entries"] if entry["image"]} <= files


def test_the_queue_comes_before_the_sheets_and_no_more_than_asked(world: Reported, tmp_path: Path) -> None:
    more = ("--pictures", "--blur", "--set=report.max_pictures=4", "--set=report.groups=1", "--set=report.queue=5")
    assert commands.run("report", world.arguments(tmp_path / "few", *more)) == 0
    few = Folder(tmp_path / "few")
    summary, entries = few.data("summary"), few.data("queue-0001")["entries"]
    assert (summary["pictures"], summary["blur"], summary["totals"]["shown_pictures"]) == (True, True, 4)
    assert (summary["queue"]["entries"], summary["groups"]["entries"]) == (5, 1)
    first = [image for name in ("medoid", "other") if (image := entries[0][name])]
    assert all((few.path / image["picture"]).is_file() for image in first)
    assert len(list(few.path.rglob("pictures/*/*.jpg"))) == 4
    assert len(list((few.path / "data").glob("group-*.js"))) == 1
    assert sum(row["all"] for row in summary["queue"]["kinds"]) == 8
