"""The child's side of the decoder: what it answers to requests on a pipe, without a process."""

from __future__ import annotations

import io
import json

import numpy as np

from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decoder_process import DECODED, LENGTH, READY, REQUEST, SHAPE, UNUSABLE, serve, settings
from facesieve.embed.picture import Picture, Unusable


def decode(content: bytes, embed: Embed, full: bool) -> Picture:
    """An image of as many rows as it has bytes, or none that can be used."""
    if content == b"bad":
        raise Unusable(Reason.UNDECODABLE, "cut off")
    if content == b"huge":
        raise MemoryError
    return Picture(np.full((len(content), 2, 3), int(full), np.uint8), 20, 10, (Reason.REPAIRED,) if full else ())


def words(every: list[str]) -> bytes:
    text = json.dumps(every).encode()
    return LENGTH.pack(len(text)) + text


def answers(*contents: tuple[bytes, bool]) -> bytes:
    requests = b"".join(REQUEST.pack(len(content), full) + content for content, full in contents)
    replies = io.BytesIO()
    serve(decode, Embed(), io.BytesIO(requests), replies)
    return replies.getvalue()


def test_a_decoded_image_is_its_shape_its_pixels_and_its_notes() -> None:
    small = DECODED + SHAPE.pack(1, 2, 20, 10) + bytes(6) + words([])
    large = DECODED + SHAPE.pack(2, 2, 20, 10) + b"\1" * 12 + words(["repaired"])
    assert answers((b"a", False), (b"bc", True)) == READY + small + large


def test_an_unusable_image_is_its_reason_and_the_next_is_served() -> None:
    served = DECODED + SHAPE.pack(1, 2, 20, 10) + bytes(6) + words([])
    assert answers((b"bad", True), (b"a", False)) == READY + UNUSABLE + words(["undecodable", "cut off"]) + served


def test_an_image_that_takes_too_much_memory_is_told() -> None:
    reply = answers((b"huge", True))
    reason, detail = json.loads(reply[len(READY + UNUSABLE) + LENGTH.size :])
    assert reason in {each.value for each in Reason}
    assert "memory" in detail


def test_no_request_is_the_end() -> None:
    assert answers() == READY


def test_settings_are_plain_json() -> None:
    embed = Embed(max_seconds=3.5, formats=("PNG",))
    fields = json.loads(settings(embed))
    assert (fields["max_seconds"], fields["formats"]) == (3.5, ["PNG"])
