"""What reads files, against a server that fails: what passes is got over, what lasts has its name, an outage ends."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faulty_store import Fault, FaultyStore, client

from facesieve import models
from facesieve.core.errors import ConfigError, ModelError, StoreError
from facesieve.core.profiles import Profile
from facesieve.core.sections import Columns
from facesieve.images import patience
from facesieve.images.files import FileTree
from facesieve.images.parquet import ParquetSet
from facesieve.images.parquet_files import parquet_files
from facesieve.images.parquet_rows import RowReader
from facesieve.images.parquet_rows import parts as row_groups
from facesieve.images.parts import parts
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage, why_unreadable, why_unwritable
from facesieve.images.store_errors import Unanswered
from facesieve.images.walk import WHOLE, Part, walk
from facesieve.models.files import digest
from facesieve.models.whereabouts import files_of

JPEG = Rules(frozenset({".jpg"}))
EXPIRED = Fault("(GET|HEAD) ", status=400, code="ExpiredToken")


@pytest.fixture
def faces(store: FaultyStore, bucket: str, root: str) -> Storage:
    """Six images of two people."""
    for number in range(6):
        client(store.url).put_object(
            Bucket=bucket, Key=f"faces/{'ann' if number < 3 else 'bob'}/{number}.jpg", Body=b"x" * 2000
        )
    patience.answered(root)
    return Storage(root)


def listed(storage: Storage) -> Counter[str]:
    return Counter(entry.ignored or "image" for entry in walk(storage, WHOLE, JPEG))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET .*/0.jpg", times=3),
        Fault("HEAD .*/0.jpg", status=500, code="InternalError", times=3),
        Fault("GET .*/0.jpg", "reset", times=1),
        Fault("GET .*/0.jpg", "cut", times=2),
        Fault("GET .*/0.jpg", "wait", seconds=1.5, times=1),
        Fault("GET .*/0.jpg", times=33),
    ],
    ids=["slow down", "internal error", "reset", "cut", "slow", "longer than pyarrow's patience"],
)
def test_what_passes_is_got_over(
    store: FaultyStore, faces: Storage, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(patience.SECONDS, "30")
    store.fail(fault)
    assert faces.content(b"ann/0.jpg") == b"x" * 2000
    assert store.hits >= 1


def test_writing_and_listing_are_patient_too(store: FaultyStore, faces: Storage) -> None:
    store.fail(Fault("(PUT|POST) ", times=2), Fault("GET .*list-type", times=2), Fault("DELETE ", times=1))
    faces.write("out/a", b"content")
    assert faces.read("out/a") == b"content"
    assert listed(faces)["image"] == 6
    faces.delete_tree("out")
    assert not faces.exists("out")
    assert store.hits == 5


def test_files_that_fail_alone_say_why(store: FaultyStore, faces: Storage) -> None:
    store.fail(
        Fault("GET .*/ann/0.jpg", status=403, code="AccessDenied"),
        Fault("GET .*/ann/1.jpg", status=404, code="NoSuchKey"),
        Fault("GET .*/ann/2.jpg", status=503, code="ServiceUnavailable"),
    )
    for name, kind in ((b"ann/0.jpg", PermissionError), (b"ann/1.jpg", FileNotFoundError), (b"ann/2.jpg", Unanswered)):
        with pytest.raises(kind):
            faces.content(name)
        assert len(faces.content(b"bob/3.jpg")) == 2000


def test_errors_longer_than_a_tiny_file_are_no_outage(store: FaultyStore, faces: Storage) -> None:
    faces.write("ann/tiny.jpg", b"x")
    store.fail(Fault("GET .*/ann/", status=403, code="AccessDenied"))
    for _ in range(4):
        with pytest.raises(OSError, match="response stream"):
            faces.content(b"ann/tiny.jpg")
    with pytest.raises(PermissionError):
        faces.content(b"ann/0.jpg", 4)


def test_a_prefix_that_may_not_be_listed_is_counted(store: FaultyStore, faces: Storage) -> None:
    store.fail(Fault("GET .*list-type.*faces%2Fann", status=403, code="AccessDenied"))
    assert listed(faces) == Counter({"image": 3, "unreadable folder": 1})


@pytest.mark.parametrize(
    ("code", "status", "words"), [("SlowDown", 503, "slow down"), ("ExpiredToken", 400, "Renew the keys")]
)
def test_a_prefix_that_cannot_be_listed_for_now_is_not_left_out(
    store: FaultyStore, faces: Storage, code: str, status: int, words: str
) -> None:
    store.fail(Fault("GET .*list-type.*faces%2Fann", status=status, code=code))
    with pytest.raises(StoreError, match=words):
        listed(faces)


def test_cutting_a_tree_into_parts_loses_no_folder(store: FaultyStore, faces: Storage) -> None:
    faces.write("ann/deep/9.jpg", b"x")
    store.fail(Fault("GET .*list-type.*faces%2Fann"))
    with pytest.raises(StoreError):
        parts(faces, 8)
    store.fail(Fault("GET .*list-type.*faces%2Fann", times=3))
    assert Part("ann/deep") in parts(faces, 4) or Part("ann/deep", deep=False) in parts(faces, 4)


def test_a_parquet_file_behind_a_failing_store_is_not_called_broken(store: FaultyStore, faces: Storage) -> None:
    table = io.BytesIO()
    columns = {"uri": ["a", "b"], "bytes": [b"x" * 5000, b"y" * 5000], "identity": ["ann", "bob"]}
    pq.write_table(pa.table(columns), table)
    faces.write("set/a.parquet", table.getvalue())
    root = faces.root.replace("/faces?", "/faces/set?")
    store.fail(Fault("(GET|HEAD) .*a.parquet", times=4))
    ParquetSet(root).check()
    batches = [pa.RecordBatch.from_pylist([each._asdict() for each in row_groups(parquet_files(Storage(root)).files)])]
    assert sum(batch.num_rows for batch in RowReader(root, Columns())(batches)) == 2
    store.fail(Fault("GET .*a.parquet"))
    # The answer's body is longer than some ranges asked for; pyarrow then has the status of the answer alone.
    busy = "slow down|service unavailable"
    with pytest.raises(StoreError, match=busy):
        ParquetSet(root).check()
    with pytest.raises(StoreError, match=busy):
        list(RowReader(root, Columns())(batches))


def test_a_store_that_falls_silent_ends_the_run_in_bounded_time(
    store: FaultyStore, faces: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.fail(Fault("GET .*/bob/"))
    monkeypatch.setenv(patience.SECONDS, "0")
    begun = time.monotonic()
    for name in (b"bob/3.jpg", b"bob/4.jpg"):
        with pytest.raises(Unanswered):
            faces.content(name)
    with pytest.raises(StoreError, match=r"cannot be read any more .*the same command again"):
        faces.content(b"bob/5.jpg")
    assert time.monotonic() - begun < 60


def test_keys_that_expire_end_the_run_at_once(store: FaultyStore, faces: Storage) -> None:
    store.fail(EXPIRED)
    with pytest.raises(StoreError, match=r"ExpiredToken was wished for.*Renew the keys"):
        faces.content(b"ann/0.jpg")


def fault_of(root: str) -> str:
    with pytest.raises(ConfigError) as caught:
        FileTree(root, JPEG).check()
    assert [fault.key for fault in caught.value.faults] == ["images.root"]
    return str(caught.value.faults[0])


def test_a_root_that_cannot_be_read_is_a_sentence(store: FaultyStore, faces: Storage) -> None:
    assert "does not exist" in fault_of(faces.root.replace("/faces?", "/nothing?"))
    assert "does not exist" in fault_of(faces.root.replace("s3://b", "s3://nobucket"))
    store.fail(EXPIRED)
    assert "the keys of the job are refused: expiredtoken" in fault_of(faces.root)
    store.fail(Fault("(GET|HEAD) ", status=403, code="AccessDenied"))
    assert "access denied" in fault_of(faces.root)
    store.fail(Fault("(GET|HEAD) "))
    assert "503" in fault_of(faces.root)
    store.fail(Fault(".", status=400, code="ExpiredToken"))
    assert "cannot be written (the keys of the job are refused" in (why_unwritable(faces.root) or "")


def test_a_job_that_may_list_alone_may_read(store: FaultyStore, faces: Storage) -> None:
    store.fail(Fault("HEAD .*/faces[?]", status=403, code="AccessDenied"))
    assert why_unreadable(faces.root) is None


def test_nobody_there_is_a_sentence(store: FaultyStore) -> None:
    assert "cannot be read (network connection" in fault_of("s3://b/a?endpoint_override=127.0.0.1:1&scheme=http")


def profile(file: str, sha256: str) -> Profile:
    return Profile(
        file=file, sha256=sha256, form="keras_h5", input=(8, 8), normalisation="none", dimension=2, name="it"
    )


def test_a_model_is_fetched_over_errors_that_pass(
    store: FaultyStore, faces: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = faces.root.replace("/faces?", "/models/a%20net.h5?")
    Storage(faces.root.replace("/faces?", "/models?")).write("a net.h5", b"weights" * 100)
    sha256 = hashlib.sha256(b"weights" * 100).hexdigest()
    store.fail(Fault("GET .*net.h5", times=2))
    store.requests.clear()
    for _ in range(3):
        assert digest(files_of(profile(place, sha256))) == sha256
    assert sum("GET" in line and "net.h5" in line for line in store.requests) == 2 + 1


def test_a_directory_is_a_model_too(
    faces: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: FaultyStore
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "node"))
    (tmp_path / "node").mkdir()
    local, place = Storage(str(tmp_path / "saved")), Storage(faces.root.replace("/faces?", "/saved?"))
    for name, content in (("saved_model.pb", b"graph"), ("variables/variables.index", b"index"), ("assets/a", b"")):
        local.write(name, content)
        place.write(name, content)
    sha256 = digest(files_of(profile(local.root, "0" * 64)))
    assert digest(files_of(profile(place.root, sha256))) == sha256
    store.fail(Fault("(GET|HEAD) "))
    assert digest(files_of(profile(place.root, sha256))) == sha256


def test_a_model_that_cannot_be_had_is_a_sentence_on_the_driver(
    store: FaultyStore, faces: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    there = faces.root.replace("/faces?", "/faces/ann/0.jpg?")
    for file, words in ((there, "has SHA-256"), (faces.root.replace("/faces?", "/no.h5?"), "does not exist")):
        with pytest.raises(ConfigError, match=words) as caught:
            models.check(profile(file, "0" * 64))
        assert caught.value.faults[0].key == "it: file"
        assert file in str(caught.value)
    store.fail(EXPIRED)
    with pytest.raises(ConfigError, match=r"cannot be fetched .*keys of the job are refused"):
        models.check(profile(there, "0" * 64))
    with pytest.raises(ModelError):
        models.load(profile(there, "0" * 64))


_READER = """
import sys
from facesieve.core.profiles import Profile
from facesieve.models.files import digest
from facesieve.models.whereabouts import files_of
profile = Profile(
    file=sys.argv[1], sha256=sys.argv[2], form="tflite", input=(8, 8), normalisation="none", dimension=2, name="it"
)
print(digest(files_of(profile)))
"""


def test_processes_of_a_node_fetch_a_model_once(store: FaultyStore, faces: Storage, tmp_path: Path) -> None:
    content = os.urandom(4_000_000)
    sha256 = hashlib.sha256(content).hexdigest()
    Storage(faces.root.replace("/faces?", "/models?")).write("net.h5", content)
    place = faces.root.replace("/faces?", "/models/net.h5?")
    store.fail(Fault("GET .*net.h5", "wait", seconds=1))
    store.requests.clear()
    command = [sys.executable, "-c", _READER, place, sha256]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    assert [racer.communicate(timeout=120)[0].strip() for racer in racers] == [sha256] * 3
    assert sum("GET" in line and "net.h5" in line for line in store.requests) == 1
