from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import stand_in
from facesieve.config import Embed
from facesieve.reasons import Reason
from facesieve.stages.decoding import PILLOW, Decoder
from facesieve.stages.pictures import Unusable, picture

EMBED = Embed(max_seconds=1.0, max_memory=1 << 28)


def jpeg(width: int, height: int, exif: Image.Exif | None = None) -> bytes:
    """A photograph of waves."""
    down, across = np.mgrid[:height, :width] / max(width, height)
    waves = np.stack([np.sin(20 * across), np.cos(31 * down), np.sin(17 * (down + across))], axis=-1)
    stream = io.BytesIO()
    Image.fromarray(((waves + 1) * 127).astype(np.uint8)).save(stream, "JPEG", quality=95, exif=exif or Image.Exif())
    return stream.getvalue()


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Decoder]:
    """A child with the stand-in, which it finds as Spark's workers would: by the path of this process."""
    monkeypatch.syspath_prepend(str(Path(stand_in.__file__).parent))
    made = Decoder(EMBED, "stand_in:decode")
    yield made
    made.close()


def test_the_child_decodes_as_this_process_does(decoder: Decoder) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    for content in (jpeg(60, 40), jpeg(3000, 2000, turned)):
        for full in (False, True):
            ours, theirs = picture(content, EMBED, full), decoder.decode(content, full)
            assert np.array_equal(ours.pixels, theirs.pixels)
            assert (ours.width, ours.height) == (theirs.width, theirs.height)


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        (stand_in.CRASH, Reason.UNDECODABLE, "the decoder crashed (SIGSEGV)"),
        (stand_in.ABORT, Reason.UNDECODABLE, "the decoder crashed (SIGABRT)"),
        (stand_in.HANG, Reason.UNDECODABLE, "decoding took longer than embed.max_seconds (1)"),
        (stand_in.DEVOUR, Reason.TOO_LARGE, "decoding takes more than embed.max_memory (268435456 bytes)"),
        (stand_in.CHATTER, Reason.WRONG_TYPE, "no image format known here"),
        (b"", Reason.EMPTY, "0 bytes"),
    ],
)
def test_a_bad_image_costs_itself_alone(decoder: Decoder, content: bytes, reason: Reason, said: str) -> None:
    started = time.monotonic()
    with pytest.raises(Unusable) as caught:
        decoder.decode(content)
    assert (caught.value.reason, caught.value.detail) == (reason, said)
    assert decoder.decode(jpeg(60, 40)).pixels.shape == (40, 60, 3)
    assert time.monotonic() - started < 30


def test_no_process_is_left(decoder: Decoder) -> None:
    decoder.decode(jpeg(60, 40))
    child = decoder._child
    assert child is not None
    decoder.close()
    assert child.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
    assert decoder.decode(jpeg(60, 40)).width == 60


def test_a_decoder_that_does_not_start_is_no_fault_of_the_image() -> None:
    with pytest.raises(RuntimeError, match="no_such_module:decode does not start"):
        Decoder(EMBED, "no_such_module:decode").decode(jpeg(60, 40))


def test_the_child_imports_neither_spark_nor_tensorflow() -> None:
    made = Decoder(EMBED, PILLOW)
    made.decode(jpeg(60, 40))
    assert made._child is not None
    maps = Path(f"/proc/{made._child.pid}/maps")
    loaded = maps.read_text() if maps.exists() else ""
    made.close()
    assert "tensorflow" not in loaded
    assert "pyarrow" not in loaded
