"""What is held of each image of a person, as plain values: nobody else's name, path or id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pyspark.sql import Row

from facesieve.core import tables
from facesieve.erasure.access.collection import Collected
from facesieve.erasure.access.shown import OTHER_IMAGE, Shown
from facesieve.erasure.access.words import in_words
from facesieve.erasure.kernels.own_cosines import nearest_own
from facesieve.erasure.selection import WITH_IMAGES

Facts = dict[str, Any]


def images_of(collected: Collected, shown: Shown) -> list[Facts]:
    """Tell each image, those with a shown path first, then by id."""
    near = _nearest(collected, shown.subject.images)
    facts = [_image(image, collected, shown, near) for image in shown.subject.images]
    return sorted(facts, key=lambda each: (each["uri"] is None, each["uri"] or "", each["image_id"]))


def _image(image: int, collected: Collected, shown: Shown, near: Mapping[int, Facts]) -> Facts:
    listed = collected.of(tables.LISTING, image)
    named = _names(collected, image)
    uris = {row.uri for table in WITH_IMAGES for row in collected.of(table, image) if row.uri}
    uri = shown.uri(min(uris), collected.named.get(image, ())) if uris else None
    faces = collected.of(tables.EMBEDDINGS, image)
    return {
        "image_id": image,
        "uri": uri,
        "uri_hidden": bool(uris) and uri is None,
        "names": sorted({str(shown.name(name)) for name in named}),
        "listed": bool(listed),
        "size": next((row["size"] for row in listed), None),
        "modified": next((_time(row.modified) for row in listed), None),
        "sha256": next((row.sha256 for table in WITH_IMAGES for row in collected.of(table, image) if row.sha256), None),
        "idle": [{"kind": row.kind, "since": _time(row.since)} for row in collected.of(tables.IDLE, image)],
        "faces": [_face(row, collected, near, alone=len(faces) == 1) for row in faces],
        "rejects": [
            {"reason": row.reason, "words": in_words(row.reason)} for row in collected.of(tables.REJECTS, image)
        ],
        "decisions": [_decision(row, shown) for row in collected.of(tables.DECISIONS, image)],
        "published": [{"name": shown.name(row.identity), "label": row.label} for row in _published(collected, image)],
    }


def _published(collected: Collected, image: int) -> Sequence[Row]:
    return collected.of(tables.CLEANED, image)


def _names(collected: Collected, image: int) -> list[str]:
    """Return the names that an image was listed under, or is moved to."""
    rows = [*collected.of(tables.DECISIONS, image), *_published(collected, image)]
    moved = [row.moved_to for row in collected.of(tables.DECISIONS, image)]
    names = (*collected.named.get(image, ()), *(row.identity for row in rows), *moved)
    return sorted({name for name in names if name})


def _face(row: Row, collected: Collected, near: Mapping[int, Facts], *, alone: bool) -> Facts:
    """Tell a face. Of several faces of an image each may be another person's: then neither id nor vector is told."""
    clusters = collected.clusters.get(row.face_id, ()) if alone else ()
    box = {name: round(value, 1) for name, value in row.box.asDict().items()} if row.box else None
    return {
        "face_id": row.face_id if alone else None,
        "model": row.model,
        "box": box,
        "confidence": row.confidence,
        "sharpness": row.sharpness,
        "image_width": row.image_width,
        "image_height": row.image_height,
        "notes": _reasons(row.reasons or ()),
        "numbers": len(row.vector or ()),
        "vector": list(row.vector) if alone and row.vector else None,
        "one_of_several": not alone,
        "clusters": [_cluster(each, collected) for each in clusters],
        "nearest_own": near.get(row.face_id),
    }


def _cluster(row: Row, collected: Collected) -> Facts:
    """Tell a cluster without its id, which is the id of a face that may be another person's."""
    own = collected.own[row.scope, row.cluster_id]
    sizes = {"faces": row.cluster_size, "own_faces": own, "other_faces": max(row.cluster_size - own, 0)}
    return {"scope": row.scope, **sizes, "representative": row.medoid, "attached": row.attached}


def _decision(row: Row, shown: Shown) -> Facts:
    """Tell a decision. The cosine to the nearest face is left out: it is a face of another image, maybe of another."""
    evidence = row.evidence
    return {
        "verdict": row.verdict,
        "words": in_words(row.verdict),
        "reasons": _reasons(row.reasons or ()),
        "name": shown.name(row.identity),
        "moved_to": shown.name(row.moved_to),
        "kept_in_its_place": shown.image(row.kept_image_id),
        "confidence": row.confidence,
        "share_of_its_group": evidence.share if evidence else None,
        "compared_with": OTHER_IMAGE if evidence and evidence.nearest_face is not None else None,
        "rules_alone": row.proposal,
    }


def _reasons(words: Iterable[str]) -> list[Facts]:
    return [{"reason": each, "words": in_words(each)} for each in words]


def _nearest(collected: Collected, images: Sequence[int]) -> dict[int, Facts]:
    """Return for each face that is alone on its image the nearest such face of the person, by model."""
    alone = [rows[0] for image in images if len(rows := collected.of(tables.EMBEDDINGS, image)) == 1]
    facts: dict[int, Facts] = {}
    for model in sorted({row.model for row in alone}):
        faces = [row for row in alone if row.model == model and row.vector]
        nearest = nearest_own(np.array([row.vector for row in faces], np.float64))
        if nearest is not None:
            pairs = zip(faces, nearest.row.tolist(), nearest.cosine.tolist(), strict=True)
            facts |= {
                face.face_id: {"image_id": faces[number].image_id, "cosine": round(cosine, 4)}
                for face, number, cosine in pairs
            }
    return facts


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")
