"""The checksum of TFRecord files: CRC-32C (Castagnoli, RFC 3720, appendix B.4), of bytes and of every window in them.

No package that the job has computes it. A CRC is linear: the CRC of a message is the exclusive or of what each byte
adds, which depends on the byte and on how many bytes follow. So blocks of bytes are looked up at once.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, with its bits turned round
_BLOCK = 256  # bytes whose places are looked up at once: the table of so many (256 KB) stays in a processor's cache
_AT_ONCE = 128  # blocks
_ONES = 0xFFFFFFFF
_MASK_DELTA = 0xA282EAD8
WINDOW = 8
"""Bytes of the length of a record, which has a checksum of its own."""


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of some bytes: 32 bits.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if len(data) < 4:
        return _of_few(data)
    table, blocks = _table(), -(-len(data) // _BLOCK)
    padded = np.zeros(blocks * _BLOCK, np.uint8)  # zeros before the message add nothing
    first = len(padded) - len(data)
    padded[first:] = np.frombuffer(data, np.uint8)
    padded[first : first + 4] ^= 0xFF  # a register of ones is the same as four turned bytes
    places, rows = np.arange(_BLOCK - 1, -1, -1) * 256, padded.reshape(blocks, _BLOCK)
    register = 0
    for block in range(0, blocks, _AT_ONCE):
        states = np.bitwise_xor.reduce(table[rows[block : block + _AT_ONCE] + places], axis=1)
        for state in states.tolist():
            register = _advanced(register) ^ state
    return register ^ _ONES


def masked(crc: int) -> int:
    """Return a CRC as a TFRecord file has it: turned by 15 bits, plus a constant.

    >>> hex(masked(crc32c(b'123456789')))
    '0xc78ab0e5'
    """
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & _ONES


def masked_windows(data: bytes) -> Words:
    """Return the masked CRC of each window of WINDOW bytes: uint32 [len(data) - WINDOW + 1]; none in shorter data.

    >>> [int(each) == masked(crc32c(b"0123456789"[at:at + 8])) for at, each in enumerate(masked_windows(b"0123456789"))]
    [True, True, True]
    """
    count = len(data) - WINDOW + 1
    if count <= 0:
        return np.zeros(0, np.uint32)
    table, numbers = _table(), np.frombuffer(data, np.uint8).astype(np.intp)
    crcs = np.full(count, _ONES, np.uint32)
    for at in range(WINDOW):
        turned = 0xFF if at < 4 else 0
        crcs ^= table[(WINDOW - 1 - at) * 256 + (numbers[at : at + count] ^ turned)]
    return np.asarray(((crcs >> 15) | (crcs << 17)) + np.uint32(_MASK_DELTA), np.uint32)


def _of_few(data: bytes) -> int:
    table, register = _table(), _ONES
    for byte in data:
        register = int(table[(register ^ byte) & 0xFF]) ^ (register >> 8)
    return register ^ _ONES


def _advanced(register: int) -> int:
    """Return the register after as many zero bytes as a block has."""
    first, second, third, fourth = _last_places()
    return first[register & 0xFF] ^ second[register >> 8 & 0xFF] ^ third[register >> 16 & 0xFF] ^ fourth[register >> 24]


@cache
def _table() -> Words:
    """Return what a byte adds that so many bytes follow: uint32 [_BLOCK * 256], by place, then by byte."""
    rows = np.zeros((_BLOCK, 256), np.uint32)
    rows[0] = np.arange(256)
    for _ in range(8):
        rows[0] = np.where(rows[0] & 1, (rows[0] >> 1) ^ np.uint32(_POLYNOMIAL), rows[0] >> 1)
    for place in range(1, _BLOCK):
        rows[place] = rows[0][rows[place - 1] & 0xFF] ^ (rows[place - 1] >> 8)
    return rows.ravel()


@cache
def _last_places() -> tuple[list[int], ...]:
    rows = _table().reshape(_BLOCK, 256)
    return tuple(rows[_BLOCK - 1 - byte].tolist() for byte in range(4))
