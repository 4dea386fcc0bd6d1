from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from pathlib import Path

import faults
import plant
import pytest
from faults import Kind
from PIL import Image

PEOPLE = ("ann", "bob", "eve")


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Three people with eight photographs each, one base name in both parts."""
    for number, (part, name) in enumerate(
        [("train", f"{n}.jpg") for n in range(6)] + [("val", "0.jpg"), ("val", "9.jpg")]
    ):
        for shade, person in enumerate(PEOPLE):
            path = tmp_path / "photographs" / part / person / f"{person}{name}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 48), (number * 25, shade * 100, 0)).save(path, "JPEG")
    return tmp_path / "photographs"


def test_every_fault_is_there_and_no_photograph_is_hit_twice(photographs: Path) -> None:
    originals = plant.read(photographs)
    assert len(originals) == 24
    layout = plant.lay_out(originals, seed=1)
    assert Counter(kind for kind, _, _ in layout.planted) == {
        Kind.MOVED: 6,
        Kind.COPY_BESIDE: 3,
        Kind.COPY_ELSEWHERE: 1,
        Kind.CUT: 1,
        Kind.TEXT: 1,
        Kind.BOMB: 1,
        Kind.FACELESS: 1,
    }
    assert len(layout.images) == 24 + 8
    origins = [origin for _, _, origin in layout.planted if origin]
    assert len(set(origins)) == len(origins)
    for kind, uri, origin in layout.planted:
        content, same_folder = layout.images[uri], origin.split("/")[0] == uri.split("/")[0]
        if kind in (Kind.MOVED, Kind.COPY_BESIDE, Kind.COPY_ELSEWHERE):
            assert content == originals[origin]
            assert same_folder == (kind == Kind.COPY_BESIDE)
            assert (origin in layout.images) == (kind != Kind.MOVED)
        elif kind == Kind.CUT:
            assert originals[origin].startswith(content)
            assert len(content) < len(originals[origin])


def test_the_seed_decides_and_nothing_else(photographs: Path) -> None:
    originals = plant.read(photographs)
    backwards = dict(reversed(list(originals.items())))
    assert plant.lay_out(originals, 1).planted == plant.lay_out(backwards, 1).planted
    assert plant.lay_out(originals, 1).planted != plant.lay_out(originals, 2).planted


def test_the_made_files_are_what_they_claim() -> None:
    bomb = faults.bomb()
    assert len(bomb) < 100
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(bomb))
    small = Image.open(io.BytesIO(faults.bomb(8)))
    small.verify()  # checks every chunk's checksum
    assert small.size == (8, 8)
    with pytest.raises(OSError):
        Image.open(io.BytesIO(faults.text()))
    assert Image.open(io.BytesIO(faults.faceless())).size == (480, 320)
    cut = Image.open(io.BytesIO(faults.cut(faults.faceless())))
    with pytest.raises(OSError, match="truncated"):
        cut.load()


def _state(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_second_call_touches_nothing_and_a_third_repairs(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    call = ["--photographs", str(photographs), "--out", str(out)]
    assert plant.main(call) == 0
    before = _state(out)
    assert plant.main(call) == 0
    assert _state(out) == before
    assert capsys.readouterr().out.splitlines()[1].startswith("32 images of 3 people, 14 faults planted, unchanged")
    with (out / "planted.csv").open(newline="") as listed:
        hurt, gone = [row["uri"] for row in csv.DictReader(listed)][:2]
    (out / "images" / hurt).write_bytes(b"")
    (out / "images" / gone).unlink()
    (out / "images" / "own.jpg").touch()
    assert plant.main(call) == 0
    after = _state(out)
    assert {uri for uri in after if after[uri] != before.get(uri)} == {
        f"images/{uri}" for uri in (hurt, gone, "own.jpg")
    }
    assert {uri: digest for uri, (_, digest) in after.items() if "own" not in uri} == {
        uri: digest for uri, (_, digest) in before.items()
    }


def test_another_seed_leaves_nothing_of_the_former(photographs: Path, tmp_path: Path) -> None:
    call = ["--photographs", str(photographs), "--out", str(tmp_path / "out"), "--seed"]
    for seed in ("1", "2"):
        assert plant.main([*call, seed]) == 0
    layout = plant.lay_out(plant.read(photographs), 2)
    assert set(_state(tmp_path / "out" / "images")) == set(layout.images)


def test_without_photographs_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plant.main(["--photographs", str(tmp_path / "no"), "--out", str(tmp_path / "out")]) == 2
    assert "Run make setup." in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
