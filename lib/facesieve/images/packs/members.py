"""What an archive holds: its members, why one of them cannot be read, and what every archive can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

LEAVES = "the name of the member leads out of the archive"
LINK = "a link in an archive is not followed"
SPECIAL = "the member is no regular file"
SPARSE = "a sparse file in an archive is not read"
ENCRYPTED = "the member is encrypted: unpack the archive with its password"
METHOD = "the member is packed by a method that is not read: unpack the archive"
BOMB = "the member is packed to less than 1/{} of its size: unpack it by hand if it is an image"
CUT = "the archive ends in the middle of the member"
CHECKSUM = "the content of the member is damaged"
TWICE = "the archive has this name more than once, and the first member of the name was read"


class Limits(NamedTuple):
    """From how many bytes on a member, or a stream, is a bomb if it unpacks to more than `ratio` times its bytes."""

    free: int = 64 << 20
    ratio: int = 200

    def exceeded(self, size: int, packed: int) -> bool:
        """Say whether `packed` bytes that unpack to `size` are a bomb."""
        return size > self.free and size > self.ratio * max(packed, 1)


LIMITS = Limits()


class Member(NamedTuple):
    """A file in an archive: its name as a uri has it, its bytes, where it stands, and why it cannot be read."""

    name: str
    size: int
    at: int
    problem: str = ""


class Archive(Protocol):
    """An archive that is open. Whatever it raises but BadContent is OSError, and comes from the store."""

    def members(self) -> Iterator[Member]:
        """Yield the members from the first one on, also those that cannot be read; folders are none."""

    def find(self, name: str) -> Member | None:
        """Return the first member of a name."""

    def content(self, member: Member, most: int = -1) -> bytes:
        """Return the first `most` bytes of a member, or all. Raises BadContent."""

    def fault(self) -> str:
        """Say what is wrong with the archive itself; empty if nothing is. All members are looked at for that."""

    def close(self) -> None:
        """Let the file go."""
