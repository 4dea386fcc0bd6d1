"""A shard of WebDataset, read as its readers do: by the first dot of each name."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

from trainers import samples

from facesieve.publish.shards.tar import TarForm

ROWS: list[dict[str, Any]] = [
    {"number": number, "identity": name, "label": number, "uri": uri, "image_id": -number, "face_id": 9, "sha256": "ab"}
    for number, (name, uri) in enumerate([("J. Lo", "J.Lo_1.jpg"), ("日本", "J.Depp_1.jpg")])
]


def shard() -> bytes:
    file = io.BytesIO()
    with TarForm("jpg")(file, "000000.tar") as tar:
        for row in ROWS:
            tar.add(row, row["uri"].encode())
    return file.getvalue()


def test_each_sample_is_a_picture_a_label_and_what_is_known_of_it(tmp_path: Path) -> None:
    (tmp_path / "000000.tar").write_bytes(shard())
    read = samples(tmp_path / "000000.tar")
    assert [sample["key"] for sample in read] == ["000000000", "000000001"]
    assert [(sample["jpg"], int(sample["cls"])) for sample in read] == [(b"J.Lo_1.jpg", 0), (b"J.Depp_1.jpg", 1)]
    assert [sample["json"] | {"number": at} for at, sample in enumerate(read)] == ROWS


def test_nothing_of_this_machine_or_hour_is_in_it() -> None:
    assert shard() == shard()
    with tarfile.open(fileobj=io.BytesIO(shard())) as tar:
        assert {(each.mtime, each.uid, each.gid, each.uname, each.gname, each.mode) for each in tar} == {
            (0, 0, 0, "", "", 0o644)
        }
