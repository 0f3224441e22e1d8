"""Text files with invisible bytes: marks of an encoding, other line ends, null bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO

from latcpb_cli.errors import InputError

__all__ = ["decode_text", "is_plain_text", "write_plain_text"]

_BLOCK_BYTES = 1 << 20
_MAX_BYTES = 16 << 30
"""A longer file is not copied."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks. Those of UTF-16 begin those of UTF-32, which therefore come first."""
_MIN_NULL_FRACTION = 0.9
"""Fraction of null bytes at every second byte from which text is UTF-16 without a mark."""
_LINE_END = re.compile(rb"\r*\n|\r")
_HINT = "write the file again as plain text (UTF-8)"


def is_plain_text(path: Path, readable: Path) -> bool:
    r"""Return whether a file is UTF-8 without a byte order mark, in lines that end in ``\n`` or ``\r\n``.

    Parameters
    ----------
    path : pathlib.Path
        As the user named it, for messages.
    readable : pathlib.Path
        The text, not compressed.

    Raises
    ------
    InputError
        The file holds null bytes that are no part of its encoding.
    """
    with readable.open("rb") as handle:
        encoding, n_mark_bytes = _detect_encoding(handle.read(_BLOCK_BYTES))
        handle.seek(0)
        return encoding == "utf-8" and not n_mark_bytes and _has_plain_lines(path, handle)


def write_plain_text(path: Path, readable: Path, target: Path) -> None:
    r"""Write a copy of a text in UTF-8, without a byte order mark, in lines that end in ``\n``.

    Parameters
    ----------
    path : pathlib.Path
        As the user named it, for messages.
    readable, target : pathlib.Path

    Raises
    ------
    InputError
        The file is not in the encoding that its first bytes announce, holds
        null bytes, or is too long to copy.
    """
    if readable.stat().st_size > _MAX_BYTES:
        raise InputError(f"{path}: unusual encoding or line ends, and too long to convert", _HINT)
    with readable.open("rb") as handle, target.open("wb") as out:
        encoding, n_mark_bytes = _detect_encoding(handle.read(_BLOCK_BYTES))
        handle.seek(n_mark_bytes)
        for block in _plain_blocks(path, handle, encoding):
            out.write(block)


def decode_text(path: Path, data: bytes) -> str:
    r"""Decode a short text, whatever its encoding; its lines end in ``\n``.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    data : bytes

    Raises
    ------
    InputError
        The bytes are not in their encoding, or hold null bytes.
    """
    encoding, n_mark_bytes = _detect_encoding(data)
    text = data[n_mark_bytes:]
    if encoding != "utf-8":
        text = _transcode(path, text, codecs.getincrementaldecoder(encoding)(), final=True)
    if b"\0" in text:
        raise _null_bytes(path)
    return _LINE_END.sub(b"\n", text).decode("utf-8", "replace")


def _detect_encoding(head: bytes) -> tuple[str, int]:
    """Return the encoding of a text and the length of its byte order mark."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    bytes_of = head[0::2], head[1::2]
    for high, low, encoding in (1, 0, "utf-16-le"), (0, 1, "utf-16-be"):
        n_null = bytes_of[high].count(0)
        if n_null and n_null > _MIN_NULL_FRACTION * len(bytes_of[high]) and not bytes_of[low].count(0):
            return encoding, 0
    return "utf-8", 0


def _has_plain_lines(path: Path, handle: IO[bytes]) -> bool:
    r"""Return whether every ``\r`` is followed by ``\n``; raise at a null byte."""
    plain = True
    for block in _whole_line_ends(handle):
        if b"\0" in block:
            raise _null_bytes(path)
        plain = plain and (b"\r" not in block or block.count(b"\r") == block.count(b"\r\n"))
    return plain


def _plain_blocks(path: Path, handle: IO[bytes], encoding: str) -> Iterator[bytes]:
    """Read the rest of a file as UTF-8 with plain line ends."""
    decoder = codecs.getincrementaldecoder(encoding)()
    carried = b""
    for block in _whole_line_ends(handle):
        text = block if encoding == "utf-8" else _transcode(path, block, decoder)
        if b"\0" in text:
            raise _null_bytes(path)
        text = carried + text
        carried = text[len(text.rstrip(b"\r")) :]
        yield _LINE_END.sub(b"\n", text[: len(text) - len(carried)])
    yield _LINE_END.sub(b"\n", carried + _transcode(path, b"", decoder, final=True))


def _whole_line_ends(handle: IO[bytes]) -> Iterator[bytes]:
    r"""Read blocks that do not end within ``\r\n``."""
    for block in iter(partial(handle.read, _BLOCK_BYTES), b""):
        while block.endswith(b"\r") and (following := handle.read(1)):
            block += following
        yield block


def _transcode(path: Path, data: bytes, decoder: codecs.IncrementalDecoder, final: bool = False) -> bytes:
    try:
        return decoder.decode(data, final).encode("utf-8")
    except UnicodeError:
        raise InputError(f"{path}: its text is damaged, or in an unknown encoding", _HINT) from None


def _null_bytes(path: Path) -> InputError:
    return InputError(f"{path}: null bytes in a text file", "the file is damaged, or of a binary format")
