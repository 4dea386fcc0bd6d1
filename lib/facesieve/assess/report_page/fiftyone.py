"""The pictured images of the queue as FiftyOne loads them: the type FiftyOneDataset, with what the run says as fields.

The files have the form that FiftyOne reads whatever its version: `metadata.json` names no version, samples are plain
JSON, and paths are relative. Source: voxel51/fiftyone, `fiftyone/utils/data/importers.py`, FiftyOneDatasetImporter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from facesieve.assess.report_page.contract import Entry, Image
from facesieve.assess.report_page.script_file import as_json
from facesieve.images.storage import Storage

FOLDER = "fiftyone"


def write_fiftyone(target: Storage, run: str, entries: Iterable[Entry]) -> int:
    """Write the data set beside the page; the pictures are those of the page. Returns the number of samples."""
    samples = list(_samples(entries))
    info = {"run": run, "what": "what to look at first, by facesieve"}
    metadata = {"name": f"facesieve-{run}", "media_type": "image", "info": info}
    for name, content in (("metadata", metadata), ("samples", {"samples": samples})):
        target.write(
            f"{FOLDER}/{name}.json", json.dumps(as_json(content), ensure_ascii=False, allow_nan=False).encode("utf-8")
        )
    return len(samples)


def _samples(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """Yield a sample for each pictured image, the first entry that asks about an image first."""
    seen: set[str] = set()
    for place, entry in enumerate(entries, 1):
        for image in (entry.image, *entry.images):
            if image is not None and image.picture is not None and image.image_id not in seen:
                seen.add(image.image_id)
                yield _sample(place, entry, image)


def _sample(place: int, entry: Entry, image: Image) -> dict[str, Any]:
    own = image == entry.image
    sample = {
        "filepath": f"../{image.picture}",
        "tags": [entry.kind],
        "metadata": None,
        "image_id": image.image_id,
        "place": place,
        "wrong": entry.wrong,
        "effect": entry.effect,
        "verdict": _label(entry.verdict, entry.confidence if own else None),
        "reasons": list(entry.reasons),
        "folder": _label(entry.folder.label if entry.folder else None, None),
        "cosine": entry.cosine if own else None,
        "margin": entry.margin if own else None,
    }
    return {name: value for name, value in sample.items() if value is not None or name == "metadata"}


def _label(label: str | None, confidence: float | None) -> dict[str, Any] | None:
    return {"_cls": "Classification", "label": label, "confidence": confidence} if label is not None else None
