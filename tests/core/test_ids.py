"""Ids are the bytes that the contract says."""

from __future__ import annotations

import hashlib

from facesieve.core import ids


def test_ids_follow_the_contract() -> None:
    sha = "ab" * 32
    image = int.from_bytes(hashlib.sha256(f"a/b.jpg\0{sha}".encode()).digest()[:8], "big", signed=True)
    assert ids.image_id("a/b.jpg", sha) == image
    assert ids.image_id("a/b.jpg", None) == int.from_bytes(
        hashlib.sha256(b"a/b.jpg\0").digest()[:8], "big", signed=True
    )
    face = int.from_bytes(hashlib.sha256(f"{image}\0m@1\x000".encode()).digest()[:8], "big", signed=True)
    assert ids.face_id(image, "m@1", 0) == face
