"""Files as the user names them, checked and unpacked before any reader opens them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from latcpb_cli.errors import InputError, first_line

__all__ = ["InputFile", "bounded_lines", "open_input", "refuse_count"]

_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": partial(gzip.open, mode="rb"),
    ".bz2": partial(bz2.open, mode="rb"),
    ".xz": partial(lzma.open, mode="rb"),
}
_BLOCK = 1 << 20
_MOST_BYTES, _FREE_BYTES, _MOST_RATIO = 16 << 30, 64 << 20, 200
"""A packed file may unpack to 64 MiB, or to 200 times its size, and never to more than 16 GiB."""
_LONGEST_LINE = 1 << 16
_MOST_ATOMS = 20_000_000


@dataclass(frozen=True, eq=False)
class InputFile:
    """A file to read.

    Attributes
    ----------
    path : pathlib.Path
        As the user named it, for messages.
    readable : pathlib.Path
        The same content, not compressed.
    suffix : str
        Format, lower case, without the suffix of a compression.
    readers : list
        The reader of the file, once there is one, for its second use.
    """

    path: Path
    readable: Path
    suffix: str
    _folder: tempfile.TemporaryDirectory[str] | None = None
    readers: list[Any] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return self.readable.stat().st_size


def open_input(path: Path) -> InputFile:
    """Check that a file can be read, and unpack it where it is compressed.

    Nothing is written beside the input: unpacked files live in a temporary
    folder that goes with the object.

    Raises
    ------
    InputError
        The file is missing, empty, no regular file, not readable, or unpacks
        to far more than its size.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file", "check the name and the folder")
    if not path.is_file():
        raise InputError(f"{path}: not a file", "give a structure or a trajectory")
    try:
        with path.open("rb") as handle:
            empty = not handle.read(1)
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror})", "check its permissions") from None
    if empty:
        raise InputError(f"{path}: the file is empty", "write it again; did the run that makes it fail?")
    packed = path.suffix.lower()
    if packed not in _OPENERS:
        return InputFile(path, path, packed)
    folder = tempfile.TemporaryDirectory(prefix="latcpb-")
    readable = Path(folder.name) / "unpacked"
    suffix = Path(path.stem).suffix.lower()
    readable = readable.with_suffix(suffix if suffix.isascii() and suffix[1:].isalnum() else "")
    _unpack(path, readable, _OPENERS[packed])
    return InputFile(path, readable, suffix, folder)


def _unpack(path: Path, target: Path, opener: Callable[[Path], Any]) -> None:
    allowed = min(_MOST_BYTES, max(_FREE_BYTES, _MOST_RATIO * path.stat().st_size))
    written = 0
    try:
        with opener(path) as source, target.open("wb") as out:
            while block := source.read(_BLOCK):
                written += len(block)
                if written > allowed:
                    raise InputError(
                        f"{path}: unpacks to more than {allowed >> 20:,} MiB",
                        "unpack it yourself if it is sound",
                    )
                out.write(block)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"{path}: cannot be unpacked ({first_line(error)})", "the file is truncated or damaged"
        ) from None
    if not written:
        raise InputError(f"{path}: the file is empty", "write it again; did the run that makes it fail?")


def bounded_lines(handle: IO[bytes]) -> Iterator[bytes]:
    """Yield lines, longer ones in pieces, so that a file without line ends does not fill the memory."""
    return iter(partial(handle.readline, _LONGEST_LINE), b"")


def refuse_count(file: InputFile, n_atoms: int, bytes_per_atom: float) -> None:
    """Refuse a number of atoms that the file cannot hold, before anything of that size is made.

    Raises
    ------
    InputError
    """
    if not 0 < n_atoms <= min(_MOST_ATOMS, file.size / bytes_per_atom):
        raise InputError(
            f"{file.path}: cannot be read: {n_atoms:,} atoms announced, in {file.size:,} bytes",
            "the file is truncated, damaged, or of another format than its suffix says",
        )
