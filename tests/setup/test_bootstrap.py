"""Set-up's own rules, without a network: digests, unsafe archives, Java versions, jars, PySpark's wheel, refusals."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import archives
import bootstrap
import digests
import fetching
import jars
import java
import pins
import programs
import pytest
from layout import Layout
from refusal import SetupError, in_words

import faces

ROOT = Path(__file__).resolve().parents[2]


def tarball(file: Path, members: dict[str, bytes], executable: tuple[str, ...] = ()) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o755 if name in executable else 0o644
            tar.addfile(member, io.BytesIO(content))
    return file


def jar(members: dict[str, bytes], date: tuple[int, int, int, int, int, int] = (2001, 1, 1, 0, 0, 0)) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(zipfile.ZipInfo(name, date), content)
    return held.getvalue()


@pytest.mark.parametrize(("version", "word"), [((3, 10), "old"), ((2, 7), "old"), ((3, 12), "new"), ((4, 0), "new")])
def test_another_python_is_refused_in_one_sentence(version: tuple[int, int], word: str) -> None:
    fault = bootstrap.version_fault(*version)
    assert f"is too {word}: install Python 3.11" in fault
    assert "\n" not in fault


def test_this_python_is_accepted() -> None:
    assert bootstrap.version_fault(3, 11) == ""


def test_download_takes_only_the_file_that_is_pinned(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "folder" / "target"
    source.write_bytes(b"a model")
    right = hashlib.sha256(b"a model").hexdigest()
    with pytest.raises(SetupError, match="SHA-256"):
        fetching.download(source.as_uri(), "0" * 64, target, "The model")
    assert list(target.parent.iterdir()) == []
    fetching.download(source.as_uri(), right, target, "The model")
    assert digests.has_digest(target, right)
    assert [file.name for file in target.parent.iterdir()] == ["target"]


def test_an_unreachable_source_is_one_sentence_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"cannot be fetched .*FACESIEVE_MAVEN_URL.*run make setup again") as refused:
        fetching.download((tmp_path / "nowhere").as_uri(), "0" * 64, tmp_path / "target", "The jar")
    assert "\n" not in str(refused.value)


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def write_half() -> None:
        with digests.whole(target) as out:
            out.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert target.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_tree_digest_sees_names_and_contents_not_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.jpg").write_bytes(b"two")
    (tmp_path / "1.jpg").write_bytes(b"one")
    one, two = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
    expected = hashlib.sha256(f"{one}  1.jpg\n{two}  b/2.jpg\n".encode()).hexdigest()
    assert digests.tree_sha256(tmp_path) == expected
    (tmp_path / "1.jpg").rename(tmp_path / "3.jpg")
    assert digests.tree_sha256(tmp_path) != expected


@pytest.mark.parametrize("name", ["top/../../evil", "/etc/evil", "..\\evil"])
def test_an_archive_with_a_path_outside_is_refused(tmp_path: Path, name: str) -> None:
    source = tarball(tmp_path / "evil.tar.gz", {"top/fine": b"", name: b"evil"})
    with tarfile.open(source) as tar, pytest.raises(SetupError, match="unsafe path"):
        list(archives.plain_files(tar))


def test_links_in_an_archive_are_left_out(tmp_path: Path) -> None:
    source = tmp_path / "links.tar"
    with tarfile.open(source, "w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo("top/link")
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    with tarfile.open(source) as tar:
        assert list(archives.plain_files(tar)) == []


def test_pyspark_becomes_a_wheel_that_pip_understands(tmp_path: Path) -> None:
    members = {
        "pyspark-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: pyspark\nVersion: 1.0\n",
        "pyspark-1.0/setup.py": b"raise SystemExit('never run')",
        "pyspark-1.0/pyspark/__init__.py": b"",
        "pyspark-1.0/pyspark/find_spark_home.py": b"#!/usr/bin/env python3\n",
        "pyspark-1.0/deps/bin/spark-submit": b"#!/bin/sh\n",
        "pyspark-1.0/deps/jars/core.jar": b"jar",
        "pyspark-1.0/deps/examples/sql/basic.py": b"",
        "pyspark-1.0/lib/pyspark.zip": b"zip",
    }
    source = tarball(tmp_path / "pyspark.tar.gz", members, ("pyspark-1.0/deps/bin/spark-submit",))
    wheel = archives.spark_wheel(source, pins.Archive("pyspark", "1.0", ""), tmp_path)
    with zipfile.ZipFile(wheel) as opened:
        modes = {entry.filename: entry.external_attr >> 16 for entry in opened.infolist()}
        record = opened.read("pyspark-1.0.dist-info/RECORD").decode().splitlines()
    assert set(modes) == {
        "pyspark-1.0.dist-info/METADATA",
        "pyspark-1.0.dist-info/WHEEL",
        "pyspark-1.0.dist-info/RECORD",
        "pyspark/__init__.py",
        "pyspark/find_spark_home.py",
        "pyspark-1.0.data/scripts/find_spark_home.py",
        "pyspark/bin/spark-submit",
        "pyspark-1.0.data/scripts/spark-submit",
        "pyspark/jars/core.jar",
        "pyspark/examples/src/main/python/sql/basic.py",
        "pyspark/python/lib/pyspark.zip",
    }
    assert {line.split(",")[0] for line in record} == set(modes)
    assert "pyspark/jars/core.jar,sha256=AWPx7qeJQ1AGBiTTFSNNQMUIqyUboSFxTiNFAwRfqt0,3" in record
    assert modes["pyspark/bin/spark-submit"] == stat.S_IFREG | 0o755
    assert modes["pyspark/jars/core.jar"] == stat.S_IFREG | 0o644


def test_graphframes_jar_is_the_same_from_every_source() -> None:
    classes = {"org/graphframes/GraphFrame.class": b"1", "org/apache/spark/sql/graphframes/SQL.class": b"2"}
    licence = {"META-INF/LICENSE": b"Apache"}
    own = jar({**licence, **classes, "org/graphframes/": b""})
    fat = jar({"zingg/Z.class": b"3", **dict(reversed(classes.items())), **licence}, (2020, 2, 2, 0, 0, 0))
    assert jars.keep_graphframes(own) == jars.keep_graphframes(fat)
    assert jars.digest(own) == jars.digest(fat) == jars.digest(jars.keep_graphframes(fat))
    with zipfile.ZipFile(io.BytesIO(jars.keep_graphframes(fat))) as slim:
        assert set(slim.namelist()) == {*classes, *licence}
    assert jars.digest(jar({**classes, "org/graphframes/GraphFrame.class": b"other"})) != jars.digest(own)
    assert jars.digest(jar({**classes, "org/graphframes/More.class": b""})) != jars.digest(own)


@pytest.mark.parametrize(
    ("answer", "major"),
    [
        ('openjdk version "17.0.9" 2023-10-17', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "11.0.21" 2023-10-17 LTS', 11),
        ('openjdk version "21" 2023-09-19', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
    ],
)
def test_java_versions(answer: str, major: int | None) -> None:
    assert java.major_version(answer) == major


@pytest.mark.parametrize(("version", "accepted"), [("17.0.9", True), ("1.8.0_392", True), ("21.0.1", False)])
def test_only_a_java_that_spark_runs_on_is_chosen(tmp_path: Path, version: str, accepted: bool) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '    java.home = {tmp_path}\nopenjdk version \"{version}\" 2023-10-17' >&2\n")
    program.chmod(0o755)
    assert java.java_home(program) == (str(tmp_path) if accepted else None)
    assert java.java_home(tmp_path / "absent") is None


def test_model_and_photographs_are_all_that_is_taken(tmp_path: Path) -> None:
    examples = "top/examples/5-celebrity-faces-dataset"
    members = {
        "top/setup.py": b"raise SystemExit",
        "top/model/facenet_keras.h5": b"weights",
        f"{examples}/train/madonna/1.jpg": b"one",
        f"{examples}/val/elton_john/2.jpg": b"two",
        f"{examples}/train/madonna/._1.jpg": b"resource fork",
        f"{examples}/train/.DS_Store": b"",
        f"{examples}/data/train/madonna/1.jpg": b"one again",
    }
    source = tarball(tmp_path / "faces.tar.gz", members)
    faces.extract(source, tmp_path / "models" / "facenet_keras.h5", tmp_path / "demo")
    written = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}
    assert written - {"faces.tar.gz"} == {
        "models/facenet_keras.h5",
        "demo/train/madonna/1.jpg",
        "demo/val/elton_john/2.jpg",
    }


@pytest.mark.parametrize(
    ("output", "way_out"),
    [
        ("OSError: [Errno 28] No space left on device", "make room"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "another SHA-256"),
        ("Error: Command '[python, -m, ensurepip]' returned non-zero exit status 1.", "venv module"),
        ("Max retries exceeded\nERROR: No matching distribution found for numpy==1", "PIP_INDEX_URL"),
        ("Collecting x\nERROR: something new.\n", "ERROR: something new; correct that"),
        ("", "said nothing"),
    ],
)
def test_a_failed_program_is_explained_in_one_sentence(output: str, way_out: str) -> None:
    assert way_out in programs.cause(output)
    assert "\n" not in programs.cause(output)


def test_a_full_disk_is_explained() -> None:
    sentence = in_words(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "jars/iceberg.jar"))
    assert sentence.startswith("The disk is full at jars/iceberg.jar: make room")


def test_a_failing_program_refuses_and_leaves_its_output(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.cache.mkdir()
    failing = [sys.executable, "-c", "import sys; sys.exit('ERROR: broken')"]
    with pytest.raises(SetupError, match=r"^The tool could not be installed: ERROR: broken; .*\(all output: .*\)\.$"):
        programs.run(layout, "The tool", failing)
    assert "ERROR: broken" in layout.log.read_text()


def test_maven_address_comes_from_the_environment_or_from_ivy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(tmp_path)
    layout.spark_jars.mkdir(parents=True)
    resolver = b"\xca\xfe\x00\x01https://maven.example/maven2/\x01\x00"
    ivy = jar({"org/apache/ivy/plugins/resolver/IBiblioResolver.class": resolver})
    (layout.spark_jars / "ivy-2.5.3.jar").write_bytes(ivy)
    wanted = pins.Jar("a.b", "c_2.12", "1.0", "")
    monkeypatch.delenv("FACESIEVE_MAVEN_URL", raising=False)
    assert fetching.jar_url(layout, wanted) == "https://maven.example/maven2/a/b/c_2.12/1.0/c_2.12-1.0.jar"
    monkeypatch.setenv("FACESIEVE_MAVEN_URL", "file:///mirror/")
    assert fetching.jar_url(layout, wanted) == "file:///mirror/a/b/c_2.12/1.0/c_2.12-1.0.jar"


def test_make_help_lists_every_target_that_the_interface_names() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("setup", "demo", "test", "check", "docs", "build", "bench", "bench-link", "run", "help", "clean"):
        assert f"make {target} " in shown
