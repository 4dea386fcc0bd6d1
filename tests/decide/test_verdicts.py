"""The table applied: random rows against the rules once more in plain Python; which folder a move goes to."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pyspark.sql import SparkSession

from facesieve.core.sections import Decide
from facesieve.decide.verdicts import (
    DECIDED,
    WEIGHED,
    WeighedImages,
    nearest_of_its_people,
    with_proposals,
    with_verdicts,
)

SETTINGS = [
    Decide(min_faces=3, close_share=0.7),
    Decide(min_faces=3, keep="modes", quality="quarantine", overlap="quarantine", small_folders="quarantine"),
    Decide(min_faces=3, keep="medoid", quality="drop", merge_identities=True, small_folders="keep"),
]


def drawn(seed: int) -> dict[str, Any]:
    """A row as the steps before make it: nothing of a face where an image failed, nothing of a target without one."""
    chance = random.Random(seed)

    def rarely(share: float = 0.12) -> bool:
        return chance.random() < share

    largest = chance.randrange(7)
    row: dict[str, Any] = dict.fromkeys(WEIGHED.names)
    row |= {
        "face_id": None if rarely() else seed,
        "identity": None if rarely() else "ann",
        "overlap_cosine": 0.5 if rarely(0.08) else None,
        "doubts": chance.choice([[], ["blurred"], ["passed_over"]]),
        "cluster_id": None if rarely(0.08) else 1,
        "global_size": chance.randrange(6),
        "largest": largest,
        "size": chance.randint(0, largest),
        "runner_up": chance.randint(0, largest),
        "membership_confidence": chance.choice([None, 0.25, 0.5, 0.75]),
        "membership": chance.choice([None, 1.0, 3.0]),
        "nearest_face": 7,
        "cosine": 0.75,
    }
    row |= {name: rarely(0.08) for name in ("two_identities", "duplicate", "near_duplicate")}
    row |= {"copy_confidence": 0.97 if row["near_duplicate"] else None}
    row |= {name: chance.random() < 0.5 for name in ("main", "mode", "near", "weak")}
    if rarely(0.2):
        row |= {"override": chance.choice(["keep", "drop", "quarantine", "move"])}
        row |= {"override_to": chance.choice(["bob", "cy", "dan"]) if row["override"] == "move" else None}
    if rarely(0.4):
        row |= {"target": "bob", "target_face": 8, "target_cosine": 0.5, "onward": "cy" if rarely() else None}
        row |= {
            "flip_confidence": chance.choice([None, 0.65, 0.7]),
            "target_membership": chance.choice([None, 2.0, 4.0]),
        }
    if rarely(0.3):
        row |= {"link_confidence": 0.5, "one_person": chance.random() < 0.5}
        row |= {"merged_into": None if row["one_person"] else chance.choice(["bob", "cy"])}
    if row["face_id"] is None:
        row |= {"failure": "no_face", "doubts": None, "near": None, "weak": None, "cluster_id": None}
    return row


ROWS = [drawn(seed) for seed in range(4_000)]


def objection(row: dict[str, Any], settings: Decide) -> str | None:
    """What the keep policy has against the image."""
    if row["cluster_id"] is None or (row["identity"] is None and row["global_size"] < settings.min_faces):
        return "unclustered"
    if row["identity"] is None:
        return None
    keeps_small = settings.small_folders == "keep"
    if row["largest"] < settings.min_faces and not keeps_small:
        return "identity_too_small"
    if settings.keep == "largest":
        close = round(settings.close_share * row["largest"], 6)
        return "outlier" if row["size"] < close else "close_modes" if row["runner_up"] >= close else None
    mode = row["mode"] or (row["main"] and keeps_small)
    return None if mode and (settings.keep == "modes" or row["near"]) else "outlier"


def copies(row: dict[str, Any], settings: Decide) -> tuple[str, str] | None:
    if row["face_id"] is None:
        return row["failure"], "fail"
    if row["overlap_cosine"] is not None:
        return "overlap", settings.overlap
    if row["two_identities"]:
        return "two_identities", "quarantine"
    return next(((name, "drop") for name in ("duplicate", "near_duplicate") if row[name]), None)


def across(row: dict[str, Any], settings: Decide) -> tuple[str, str] | None:
    """What other folders make of the image."""
    here = float("-inf") if row["membership"] is None else row["membership"]
    there = row["target_membership"]
    if row["target"] and (objection(row, settings) or there is None or there > here):
        clear = (row["flip_confidence"] or 0) >= 0.7 and there is not None and there - here >= 1
        return "flip", "move" if clear else "quarantine"
    if row["one_person"] and 2 * row["runner_up"] >= row["largest"] and row["runner_up"] >= settings.min_faces:
        return ("flip", "quarantine") if row["main"] else ("close_modes", "quarantine") if row["mode"] else None
    return None


def proposal(row: dict[str, Any], settings: Decide) -> tuple[str | None, str]:
    before = copies(row, settings) or across(row, settings)
    if before:
        return before
    against = objection(row, settings)
    if not against and row["identity"] and row["weak"]:
        return "low_cohesion", "quarantine"
    if against:
        likely = against == "outlier" and (row["membership_confidence"] or 0) > 0.5
        doubtful = against in ("unclustered", "close_modes") or likely
        if against == "identity_too_small":
            return against, settings.small_folders
        return against, "quarantine" if doubtful else "drop"
    if row["merged_into"]:
        return "merged", "move"
    poor = settings.quality != "note" and "blurred" in row["doubts"]
    return None, settings.quality if poor else "keep"


def confidence(row: dict[str, Any], reason: str | None, verdict: str) -> float | None:
    if verdict == "fail" or reason in ("overridden", "overlap", "two_identities", "identity_too_small"):
        return None
    if reason == "duplicate":
        return 1.0
    if reason == "near_duplicate":
        return float(row["copy_confidence"])
    if verdict == "move":
        return float(row["link_confidence"] if reason == "merged" else row["flip_confidence"])
    member = row["membership_confidence"]
    return None if member is None else 1 - member if verdict == "drop" else float(member)


def decided(row: dict[str, Any], settings: Decide) -> tuple[Any, ...]:
    """reason, verdict, proposed reason, proposal, moved_to, confidence, nearest face, cosine."""
    proposed_reason, proposed = proposal(row, settings)
    reason, verdict, moved_to = proposed_reason, proposed, None
    if row["override"] and proposed != "fail":
        reason, verdict, moved_to = "overridden", row["override"], row["override_to"]
    elif verdict == "move":
        moved_to = row["merged_into"] if reason == "merged" else row["onward"] or row["target"]
    nearest: tuple[Any, Any] = (row["nearest_face"], row["cosine"])
    if row["overlap_cosine"] is not None:
        nearest = (None, row["overlap_cosine"])
    elif verdict == "move" and moved_to != row["merged_into"]:
        compared = moved_to == (row["onward"] or row["target"])
        nearest = (row["target_face"], row["target_cosine"]) if compared else (None, None)
    if verdict == "fail":
        nearest = (None, None)
    return reason, verdict, proposed_reason, proposed, moved_to, confidence(row, reason, verdict), *nearest


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.keep)
def test_random_images_are_decided_as_plain_python_decides_them(spark: SparkSession, settings: Decide) -> None:
    images = WeighedImages(spark.createDataFrame([tuple(row.values()) for row in ROWS], WEIGHED))
    decided_images = with_verdicts(with_proposals(images, settings), settings)
    types = {field.name: field.dataType for field in decided_images.schema}
    assert {field.name: field.dataType for field in DECIDED}.items() <= types.items()
    judged = decided_images.withColumns(nearest_of_its_people())
    names = ("reason", "verdict", "proposed_reason", "proposal", "moved_to", "confidence", "nearest_face", "cosine")
    rows = [tuple(row) for row in judged.select(*names).collect()]
    expected = [decided(row, settings) for row in ROWS]
    assert {row[0] for row in expected} >= {"flip", "merged", "outlier", "low_cohesion", "overridden", None}
    wrong = [(row, ours, theirs) for row, ours, theirs in zip(ROWS, rows, expected, strict=True) if ours != theirs]
    assert not wrong, wrong[:2]
