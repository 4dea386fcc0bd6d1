from __future__ import annotations

import io
import zipfile

import pytest
from packed import zipped

from facesieve.images.packs import members as words
from facesieve.images.packs.members import Limits
from facesieve.images.packs.zip_archive import NO_ZIP, ZipArchive
from facesieve.images.protocol import BadContent


def _archive(content: bytes, limits: Limits = words.LIMITS) -> ZipArchive:
    return ZipArchive(io.BytesIO(content), limits)


def _problems(archive: ZipArchive) -> dict[str, str]:
    return {member.name: member.problem for member in archive.members()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_are_read_by_name(method: int) -> None:
    archive = _archive(zipped({"Ann/": b"", "Ann/1.jpg": b"one" * 99, "./José/2.jpg": b"two"}, method))
    assert _problems(archive) == {"Ann/1.jpg": "", "José/2.jpg": ""}
    member = archive.find("Ann/1.jpg")
    assert member is not None
    assert archive.content(member) == b"one" * 99
    assert archive.content(member, 4) == b"oneo"
    assert archive.find("José/1.jpg") is None
    assert archive.fault() == ""


def _renamed(content: bytes, name: bytes, other: bytes) -> bytes:
    assert len(name) == len(other)
    return content.replace(name, other)


def test_names_without_the_flag_are_utf8_if_they_can_be_else_bytes() -> None:
    content = zipped({"JosXX.jpg": b"1", "RenX.jpg": b"2", "Ann+1.jpg": b"3"})
    content = _renamed(content, b"JosXX.jpg", "José.jpg".encode())
    content = _renamed(_renamed(content, b"RenX.jpg", b"Ren\xe9.jpg"), b"Ann+1.jpg", b"Ann\\1.jpg")
    archive = _archive(content)
    assert list(_problems(archive)) == ["José.jpg", "Ren\\xe9.jpg", "Ann/1.jpg"]
    assert [archive.content(member) for member in archive.members()] == [b"1", b"2", b"3"]


def test_members_that_leave_link_or_are_encrypted_have_a_problem_each() -> None:
    link = zipfile.ZipInfo("s.jpg")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    whole = io.BytesIO(zipped({"1.jpg": b"1", "../up.jpg": b"2", "/abs.jpg": b"3", "e.jpg": b"4", "m.jpg": b"5"}))
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr(link, "1.jpg")
        archive.getinfo("e.jpg").flag_bits |= 1
        archive.getinfo("m.jpg").compress_type = 97
        archive.comment = b"written anew"
    opened = _archive(whole.getvalue())
    assert _problems(opened) == {
        "1.jpg": "",
        "../up.jpg": words.LEAVES,
        "/abs.jpg": words.LEAVES,
        "e.jpg": words.ENCRYPTED,
        "m.jpg": words.METHOD,
        "s.jpg": words.LINK,
    }


def test_a_bomb_is_told_by_its_ratio_before_it_is_unpacked() -> None:
    archive = _archive(zipped({"1.jpg": bytes(100_000), "2.jpg": bytes(900)}), Limits(free=1_000, ratio=20))
    assert _problems(archive) == {"1.jpg": words.BOMB.format(20), "2.jpg": ""}
    member = archive.find("1.jpg")
    assert member is not None
    with pytest.raises(BadContent, match="less than 1/20"):
        archive.content(member)


def test_a_size_that_lies_is_damage() -> None:
    content = zipped({"1.jpg": b"x" * 5_000})
    lying = content.replace((5_000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    archive = _archive(lying)
    member = archive.find("1.jpg")
    assert member is not None
    assert member.size == 50
    with pytest.raises(BadContent, match=words.CHECKSUM):
        archive.content(member)


def test_a_flipped_byte_costs_its_member_alone() -> None:
    content = bytearray(zipped({"1.jpg": b"a" * 500, "2.jpg": b"b" * 500}, zipfile.ZIP_STORED))
    content[200] ^= 1
    archive = _archive(bytes(content))
    first, second = archive.members()
    with pytest.raises(BadContent, match=words.CHECKSUM):
        archive.content(first)
    assert archive.content(second) == b"b" * 500


@pytest.mark.parametrize("content", [b"<html>", b"", b"PK\x03\x04" + bytes(50)])
def test_what_is_no_zip_says_so(content: bytes) -> None:
    archive = _archive(content)
    assert list(archive.members()) == []
    assert archive.fault() == NO_ZIP
    archive.close()


def test_a_cut_zip_has_lost_its_directory() -> None:
    content = zipped({f"{number}.jpg": b"1" * 100 for number in range(5)})
    assert _archive(content[: len(content) // 2]).fault() == NO_ZIP
    shorter = content[300:]  # its places lie before the beginning of the file
    archive = _archive(shorter)
    for member in archive.members():
        with pytest.raises(BadContent):
            archive.content(member)
