from __future__ import annotations

import io
import random
import tarfile

import pytest
from packed import BLOCK, gzipped, link, tar

from facesieve.images.packs import members as words
from facesieve.images.packs import tar_archive
from facesieve.images.packs.gzip_stream import GzipStream
from facesieve.images.packs.members import Member
from facesieve.images.packs.tar_archive import ARCHIVE_CUT, DAMAGED, NO_TAR, TarArchive
from facesieve.images.protocol import BadContent

FILES = {
    "Ann/1.jpg": b"one",
    "./Ann//2.jpg": b"two" * 300,
    "Bea/" + "x" * 150 + ".jpg": b"long",
    "José/1.jpg": "é".encode(),
}
NAMES = ["Ann/1.jpg", "Ann/2.jpg", "Bea/" + "x" * 150 + ".jpg", "José/1.jpg"]


def _archive(content: bytes) -> TarArchive:
    return TarArchive(io.BytesIO(content))


def _problems(archive: TarArchive) -> dict[str, str]:
    return {member.name: member.problem for member in archive.members()}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("pack", [False, True])
def test_all_forms_give_the_same_members_in_order_and_by_name(
    form: int, pack: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarfile, "DEFAULT_FORMAT", form)
    names = FILES if form != tarfile.USTAR_FORMAT else {name: each for name, each in FILES.items() if len(name) < 100}
    content = tar(names)
    archive = TarArchive(GzipStream(io.BytesIO(gzipped(content)))) if pack else _archive(content)
    members = list(archive.members())
    assert [member.name for member in members] == [name for name in NAMES if len(name) < 100 or len(names) == 4]
    assert [archive.content(member) for member in reversed(members)] == [*names.values()][::-1]
    assert archive.fault() == ""
    again = TarArchive(GzipStream(io.BytesIO(gzipped(content)))) if pack else _archive(content)
    wanted = again.find("José/1.jpg")
    assert wanted is not None
    assert again.content(wanted, 1) == "é".encode()[:1]
    assert again.find("no") is None


def test_no_more_headers_are_read_than_a_name_takes() -> None:
    content = tar({f"{number}.jpg": b"x" for number in range(10)})
    archive = _archive(content[: 5 * BLOCK] + b"\xff" * 5 * BLOCK)
    assert archive.find("1.jpg") == Member("1.jpg", 1, 3 * BLOCK)
    assert archive._fault == ""


def test_members_that_leave_link_or_are_no_files_have_a_problem_each() -> None:
    extra = [link("s.jpg", "1.jpg"), link("h.jpg", "1.jpg", tarfile.LNKTYPE), link("f.jpg", "", tarfile.FIFOTYPE)]
    files = {"1.jpg": b"1", "../up.jpg": b"2", "/etc/abs.jpg": b"3", "a/../b.jpg": b"4", "C:/c.jpg": b"5"}
    archive = _archive(tar(files, extra))
    assert _problems(archive) == {
        "1.jpg": "",
        "../up.jpg": words.LEAVES,
        "/etc/abs.jpg": words.LEAVES,
        "a/../b.jpg": words.LEAVES,
        "C:/c.jpg": words.LEAVES,
        "s.jpg": words.LINK,
        "h.jpg": words.LINK,
        "f.jpg": words.SPECIAL,
    }
    member = archive.find("s.jpg")
    assert member is not None
    with pytest.raises(BadContent, match=words.LINK):
        archive.content(member)


def test_a_cut_archive_gives_what_is_whole_and_says_so() -> None:
    content = tar({"1.jpg": b"a" * 600, "2.jpg": b"b" * 600, "3.jpg": b"c" * 600})
    cut = content[: 4 * BLOCK + 10]  # in the middle of the second member
    archive = _archive(cut)
    assert _problems(archive) == {"1.jpg": "", "2.jpg": words.CUT}
    assert archive.fault() == ARCHIVE_CUT
    between = _archive(content[: 6 * BLOCK])  # between two members: tarfile reads that as a whole archive
    assert _problems(between) == {"1.jpg": "", "2.jpg": ""}
    assert between.fault() == ARCHIVE_CUT


def test_a_cut_stream_gives_what_is_whole_and_says_so() -> None:
    noise = random.Random(0).randbytes(100_000)
    packed = gzipped(tar({f"{number}.jpg": noise[number:] for number in range(4)}))
    archive = TarArchive(GzipStream(io.BytesIO(packed[: len(packed) - 500])))
    problems = _problems(archive)
    assert list(problems.values()) == ["", "", "", words.CUT]
    assert archive.fault()


def test_a_damaged_header_costs_its_member_alone() -> None:
    content = bytearray(tar({"1.jpg": b"a" * 600, "2.jpg": b"b" * 600, "3.jpg": b"c" * 600}))
    content[3 * BLOCK + 5] ^= 1
    with tarfile.open(fileobj=io.BytesIO(bytes(content))) as plain:
        assert plain.getnames() == ["1.jpg"]  # the library stops there, without an error
    archive = _archive(bytes(content))
    assert _problems(archive) == {"1.jpg": "", "3.jpg": ""}
    assert archive.fault() == DAMAGED.format(3 * BLOCK)


def test_archives_one_after_another_are_one() -> None:
    archive = _archive(tar({"1.jpg": b"1"}) + tar({"2.jpg": b"2"}))
    assert list(_problems(archive)) == ["1.jpg", "2.jpg"]
    assert archive.fault() == ""
    cut = _archive(tar({"1.jpg": b"1"}) + tar({"2.jpg": b"2"})[: 2 * BLOCK])
    assert list(_problems(cut)) == ["1.jpg", "2.jpg"]
    assert cut.fault() == ARCHIVE_CUT


def test_the_first_member_of_a_name_is_read() -> None:
    archive = _archive(tar([("a.jpg", b"first"), ("./a.jpg", b"second")]))
    assert [member.problem for member in archive.members()] == ["", words.TWICE]
    first = archive.find("a.jpg")
    assert first is not None
    assert archive.content(first) == b"first"


@pytest.mark.parametrize("content", [b"<html>not found</html>" * 100, b"\0" * 100, b""])
def test_what_is_no_tar_says_so(content: bytes) -> None:
    archive = _archive(content)
    assert list(archive.members()) == []
    assert archive.fault() in (NO_TAR, ARCHIVE_CUT)


def test_a_name_that_says_to_be_huge_is_damage_and_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = tar({"x" * 2_000 + ".jpg": b"1", "2.jpg": b"2"})
    assert len(_problems(_archive(content))) == 2
    monkeypatch.setattr(tar_archive, "_LARGEST_HEADER", 1_000)
    archive = _archive(content)
    assert list(_problems(archive))[-1] == "2.jpg"
    assert archive.fault() == NO_TAR
