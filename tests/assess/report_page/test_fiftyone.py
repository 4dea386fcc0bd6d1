"""What FiftyOne loads: relative paths to pictures that are there, and labels as its classes."""

from __future__ import annotations

import json

from report_folder import Folder
from reported import BOB, Reported


def test_samples_are_the_pictured_images_of_the_queue(full: Folder, world: Reported) -> None:
    folder = full.path / "fiftyone"
    samples = json.loads((folder / "samples.json").read_text(encoding="utf-8"))["samples"]
    assert all((folder / sample["filepath"]).is_file() for sample in samples)
    assert len({sample["image_id"] for sample in samples}) == len(samples) == 7
    (flip,) = [sample for sample in samples if sample["tags"] == ["flip"]]
    assert flip["verdict"] == {"_cls": "Classification", "label": "move", "confidence": 0.8}
    assert flip["folder"]["label"] == BOB
    assert flip["image_id"] == str(world.image[BOB, 5])


def test_the_form_names_no_version_so_that_every_version_reads_it(full: Folder) -> None:
    metadata = json.loads((full.path / "fiftyone" / "metadata.json").read_text(encoding="utf-8"))
    assert "version" not in metadata
    assert metadata["media_type"] == "image"
