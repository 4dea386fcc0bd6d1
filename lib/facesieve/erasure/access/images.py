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
from facesieve.erasure.access.words import GROUPED, MOVED, SEVERAL, in_words
from facesieve.erasure.kernels.own_cosines import nearest_own
from facesieve.erasure.selection import WITH_IMAGES

Facts = dict[str, Any]


def images_of(collected: Collected, shown: Shown) -> list[Facts]:
    """Tell each image, those with a shown path first, then by id."""
    near = _nearest(collected, [image for image in shown.subject.images if not _withheld(image, collected, shown)])
    facts = [_image(image, collected, shown, near) for image in shown.subject.images]
    return sorted(facts, key=lambda each: (each["uri"] is None, each["uri"] or "", each["image_id"]))


def _image(image: int, collected: Collected, shown: Shown, near: Mapping[int, Facts]) -> Facts:
    listed = collected.of(tables.LISTING, image)
    named = _names(collected, image)
    uris = {row.uri for table in WITH_IMAGES for row in collected.of(table, image) if row.uri}
    uri = shown.uri(min(uris), collected.named.get(image, ())) if uris else None
    withheld = _withheld(image, collected, shown)
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
        "faces": [_face(row, collected, near, withheld) for row in collected.of(tables.EMBEDDINGS, image)],
        "rejects": [
            {"reason": row.reason, "words": in_words(row.reason)} for row in collected.of(tables.REJECTS, image)
        ],
        "decisions": [_decision(row, shown) for row in collected.of(tables.DECISIONS, image)],
        "published": [_publication(row, shown) for row in _published(collected, image)],
    }


def _withheld(image: int, collected: Collected, shown: Shown) -> str | None:
    """Say why the faces of an image are not told whole: they may be another person's. None where they are told."""
    faces, decisions = collected.of(tables.EMBEDDINGS, image), collected.of(tables.DECISIONS, image)
    if len(faces) > 1:
        return SEVERAL
    if any(row.moved_to and not shown.owns(row.moved_to) for row in decisions):
        return MOVED
    listed = {*collected.named.get(image, ()), *(row.identity for row in decisions)}
    groups = (each for row in faces for each in collected.clusters.get(row.face_id, ()))
    most = (collected.mostly.get((each.scope, each.cluster_id)) for each in groups)
    return GROUPED if any(name and name not in listed and not shown.owns(name) for name in most) else None


def _publication(row: Row, shown: Shown) -> Facts:
    """Tell under what an image is published; the label of another's name is the other's."""
    own = row.identity is None or shown.owns(row.identity)
    return {"name": shown.name(row.identity), "label": row.label if own else None}


def _published(collected: Collected, image: int) -> Sequence[Row]:
    return collected.of(tables.CLEANED, image)


def _names(collected: Collected, image: int) -> list[str]:
    """Return the names that an image was listed under, or is moved to."""
    rows = [*collected.of(tables.DECISIONS, image), *_published(collected, image)]
    moved = [row.moved_to for row in collected.of(tables.DECISIONS, image)]
    names = (*collected.named.get(image, ()), *(row.identity for row in rows), *moved)
    return sorted({name for name in names if name})


def _face(row: Row, collected: Collected, near: Mapping[int, Facts], withheld: str | None) -> Facts:
    """Tell a face. Of one that may be another person's neither id nor vector is told, nor what it is like."""
    clusters = () if withheld else collected.clusters.get(row.face_id, ())
    box = {name: round(value, 1) for name, value in row.box.asDict().items()} if row.box else None
    return {
        "face_id": None if withheld else row.face_id,
        "model": row.model,
        "box": box,
        "confidence": row.confidence,
        "sharpness": row.sharpness,
        "image_width": row.image_width,
        "image_height": row.image_height,
        "notes": _reasons(row.reasons or ()),
        "numbers": len(row.vector or ()),
        "vector": None if withheld or not row.vector else list(row.vector),
        "landmarks": None if withheld or not row.landmarks else list(row.landmarks),
        "phash": _hex(row.phash),
        "turned_phash": _hex(row.turned_phash),
        "face_phash": None if withheld else _hex(row.face_phash),
        "withheld": withheld,
        "clusters": [_cluster(each, collected) for each in clusters],
        "nearest_own": near.get(row.face_id),
    }


def _hex(content: bytes | None) -> str | None:
    return bytes(content).hex() if content else None


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
    """Return for each face that is told, and so alone on its image, the nearest such face of the person, by model."""
    alone = [row for image in images for row in collected.of(tables.EMBEDDINGS, image)]
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
