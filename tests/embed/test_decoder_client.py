from __future__ import annotations

import gc
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import stand_in
from PIL import Image

import facesieve
from facesieve.core.reasons import Reason
from facesieve.core.sections import Embed
from facesieve.embed.decode import picture
from facesieve.embed.decoder_client import PILLOW, Decoder
from facesieve.embed.picture import Unusable

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
        (stand_in.KILL, Reason.UNDECODABLE, "the decoder was killed twice (SIGKILL)"),
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


def test_a_child_that_died_meanwhile_is_no_fault_of_the_next_image(decoder: Decoder) -> None:
    decoder.decode(jpeg(60, 40))
    assert decoder._child is not None
    decoder._child.kill()
    os.waitid(os.P_PID, decoder._child.pid, os.WEXITED | os.WNOWAIT)
    assert decoder.decode(jpeg(60, 40)).width == 60


def test_what_the_decoder_prints_is_no_reply(decoder: Decoder) -> None:
    with pytest.raises(Unusable, match="no image format known here"):
        decoder.decode(stand_in.PRINT)
    assert decoder.decode(jpeg(60, 40)).width == 60


def test_nonsense_for_a_reply_counts_as_a_crash(decoder: Decoder) -> None:
    with pytest.raises(Unusable, match="the decoder crashed"):
        decoder.decode(stand_in.NONSENSE)
    assert decoder.decode(jpeg(60, 40)).width == 60


def test_an_interrupted_request_leaves_no_answer_for_the_next(decoder: Decoder) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, interrupt)
    decoder.decode(jpeg(60, 40))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    with pytest.raises(KeyboardInterrupt):
        decoder.decode(stand_in.HANG)
    signal.signal(signal.SIGALRM, former)
    assert decoder.decode(jpeg(60, 40)).width == 60


def test_a_hung_child_ends_though_its_parent_was_killed(tmp_path: Path) -> None:
    """The parent, a process of its own, is killed while its child hangs; the child gives up a while after its limit."""
    code = f"""
import stand_in, threading
from facesieve.core.sections import Embed
from facesieve.embed.decoder_client import Decoder
from facesieve.embed.picture import Unusable
made = Decoder(Embed(max_seconds=0.5), "stand_in:decode")
try:
    made.decode(b"")
except Unusable:
    print(made._child.pid, flush=True)
    made._embed = Embed(max_seconds=600.0)
    made.decode({stand_in.HANG!r})
"""
    path = os.pathsep.join([str(Path(stand_in.__file__).parent), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    until = time.monotonic() + 20
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.2)
    assert not _runs(child)


def _runs(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_it_works_out_of_a_zip_as_spark_ships_it(tmp_path: Path) -> None:
    package = Path(facesieve.__file__).parent
    with zipfile.ZipFile(tmp_path / "facesieve.zip", "w") as packed:
        for file in package.rglob("*.py"):
            packed.write(file, file.relative_to(package.parent))
    code = (
        "import sys, facesieve.embed.decoder_client as d; from facesieve.core.config import Embed;"
        "made = d.Decoder(Embed());"
        "print(made.decode(sys.stdin.buffer.read()).width, d.__file__)"
    )
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "json.py").write_text("raise SystemExit('the working directory is no place for code')")
    others = [place for place in sys.path if place and not (Path(place) / "facesieve").exists()]
    found = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "facesieve.zip"), *others])},
        cwd=tmp_path / "elsewhere",
        input=jpeg(60, 40),
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert found.startswith("60 ")
    assert "facesieve.zip" in found


def test_a_decoder_that_is_forgotten_ends(decoder: Decoder) -> None:
    forgotten = Decoder(EMBED)
    forgotten.decode(jpeg(60, 40))
    assert forgotten._child is not None
    child = forgotten._child.pid
    del forgotten
    gc.collect()
    until = time.monotonic() + 10
    while _runs(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs(child)


def test_a_decoder_that_does_not_start_is_no_fault_of_the_image() -> None:
    with pytest.raises(RuntimeError, match="no_such_module:decode does not start"):
        Decoder(EMBED, "no_such_module:decode").decode(jpeg(60, 40))


def test_a_process_that_ends_while_it_decodes_prints_nothing() -> None:
    """Python takes the modules apart that something else still holds, name by name."""
    code = """
import contextlib, stand_in, sys
from facesieve.core.sections import Embed
from facesieve.embed.decoder_client import decoder
sys.held = sys.modules[decoder.__module__]
from facesieve.embed.picture import Unusable
with contextlib.suppress(Unusable):
    decoder(Embed(), "stand_in:decode").decode(b"")
print(decoder(Embed(), "stand_in:decode")._child.pid)
"""
    path = os.pathsep.join([str(Path(stand_in.__file__).parent), *filter(None, sys.path)])
    ended = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=True
    )
    assert ended.stderr == b""
    assert not _runs(int(ended.stdout))


def test_the_child_imports_neither_spark_nor_tensorflow() -> None:
    made = Decoder(EMBED, PILLOW)
    made.decode(jpeg(60, 40))
    assert made._child is not None
    maps = Path(f"/proc/{made._child.pid}/maps")
    loaded = maps.read_text() if maps.exists() else ""
    made.close()
    assert "tensorflow" not in loaded
    assert "pyarrow" not in loaded


def test_an_image_whose_decoder_was_killed_from_outside_is_tried_again(decoder: Decoder, tmp_path: Path) -> None:
    assert decoder.decode(stand_in.ONCE + str(tmp_path / "killed").encode()).width == 1
    assert (tmp_path / "killed").exists()
