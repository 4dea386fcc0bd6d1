"""Pictures: cut around the face, small, blurred beyond return, and none of what is gone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from report_folder import Folder
from reported import ANN, SIDE, Reported, uri_of

from facesieve.assess.report_page.crops import BLURRED, cropper, jpeg, write_pictures
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.core.sections import Embed, Images
from facesieve.core.side_sections import Report
from facesieve.images.sources import source
from facesieve.images.storage import Storage


def test_a_picture_is_small_and_holds_pixels_alone(full: Folder) -> None:
    image = full.data("queue-0001")["entries"][-1]["image"]
    with Picture.open(full.path / image["picture"]) as picture:
        assert (picture.size, picture.format) == ((112, 112), "JPEG")
        assert not picture.getexif()


def test_what_is_blurred_does_not_come_back() -> None:
    fine = np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    plain, blurred = (
        np.asarray(Picture.open(io.BytesIO(jpeg(fine, 80, blur=blur))), np.float64) for blur in (False, True)
    )
    assert plain.std() > 40
    assert blurred.std() < 20
    again = Picture.fromarray(blurred.astype(np.uint8)).resize((BLURRED, BLURRED), Picture.Resampling.BOX)
    assert np.abs(np.asarray(again, np.float64) - fine.reshape(8, 8, 8, 8, 3).mean((1, 3))).max() < 25


def test_an_image_that_is_gone_or_changed_has_none(run: RunTables, world: Reported, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    for place in range(3):
        file = folder / uri_of((ANN, place))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((world.root / uri_of((ANN, place))).read_bytes())
    (folder / uri_of((ANN, 1))).write_bytes(b"another")
    (folder / uri_of((ANN, 2))).unlink()
    ids = [world.image[ANN, place] for place in range(3)]
    crop = cropper(Report(size=40), Embed(detector="aligned"), blur=True)
    made = write_pictures(ids, run, source(Images(root=str(folder))), crop, Storage(str(tmp_path / "out")))
    assert set(made) == {ids[0]}
    (file,) = (tmp_path / "out" / "pictures").rglob("*.jpg")
    assert made[ids[0]] == file.stat().st_size
    assert write_pictures([], run, source(Images(root=str(folder))), crop, Storage(str(tmp_path / "no"))) == {}


def test_an_image_without_a_face_is_shown_whole() -> None:
    content = io.BytesIO()
    Picture.new("RGB", (2 * SIDE, SIDE), (9, 99, 200)).save(content, "PNG")
    shown = cropper(Report(size=40), Embed(), blur=False)(content.getvalue(), None, None)
    assert Picture.open(io.BytesIO(shown)).size == (40, 20)
