"""Files as the user names them, checked and decompressed before any reader opens them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from latcpb_cli.errors import InputError, first_line
from latcpb_cli.io.readers.plain_text import is_plain_text, write_plain_text

__all__ = ["InputFile", "bounded_lines", "check_atom_count", "open_input"]

_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": partial(gzip.open, mode="rb"),
    ".bz2": partial(bz2.open, mode="rb"),
    ".xz": partial(lzma.open, mode="rb"),
}
_BLOCK_BYTES = 1 << 20
_MAX_BYTES, _MAX_RATIO, _ALWAYS_ALLOWED_BYTES = 16 << 30, 200, 64 << 20
"""A compressed file may hold 64 MiB, or 200 times its size, and never more than 16 GiB."""
_MAX_LINE_BYTES = 1 << 16
_CHECK_FILE = "check the file, its permissions, and the space for temporary files"
_MAX_ATOMS = 20_000_000


@dataclass(frozen=True, eq=False)
class InputFile:
    """A file to read.

    Attributes
    ----------
    path : pathlib.Path
        As the user named it, for messages.
    readable : pathlib.Path
        The same content, not compressed, under a name that every library accepts.
    suffix : str
        Format: ``.pdb``, ``.xtc``, ...
    """

    path: Path
    readable: Path
    suffix: str
    _folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return self.readable.stat().st_size

    def as_plain_text(self) -> InputFile:
        """Return the file in UTF-8 without a byte order mark, with the line ends of Unix or Windows.

        Raises
        ------
        InputError
            Its text is damaged, or in an encoding that is not recognised.
        """
        try:
            if is_plain_text(self.path, self.readable):
                return self
            folder = self._folder or _temporary_folder()
            target = Path(folder.name) / f"plain{_safe_suffix(self.suffix)}"
            write_plain_text(self.path, self.readable, target)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror})", _CHECK_FILE) from None
        return replace(self, readable=target, _folder=folder)


def open_input(path: Path, suffix: str | None = None) -> InputFile:
    """Check that a file can be read, and decompress it where necessary.

    Nothing is written beside the input: decompressed files are in a temporary
    folder that is removed with the returned object.

    Parameters
    ----------
    path : pathlib.Path
    suffix : str, optional
        Format, such as ``.pdb``; by default what the name of the file ends
        with, apart from the suffix of a compression.

    Returns
    -------
    InputFile

    Raises
    ------
    InputError
        The file is missing, empty, not a regular file, not readable, or
        decompresses to far more than its size.
    """
    _check_readable(path)
    compression = path.suffix.lower()
    compressed = compression in _OPENERS
    suffix = suffix or (Path(path.stem).suffix.lower() if compressed else compression)
    if not compressed and _is_utf8(str(path)):
        return InputFile(path, path, suffix)
    folder = _temporary_folder()
    readable = Path(folder.name) / f"input{_safe_suffix(suffix)}"
    if compressed:
        _decompress(path, readable, _OPENERS[compression])
    else:
        # Libraries in C take no file names that are not UTF-8.
        readable.symlink_to(path.absolute())
    return InputFile(path, readable, suffix, folder)


def _check_readable(path: Path) -> None:
    """Raise where a path is no file, or one that cannot be read."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = ", but a folder" if stat.S_ISDIR(mode) else ""
            raise InputError(f"{path}: not a file{kind}", "give a structure or a trajectory")
        with path.open("rb") as handle:
            empty = not handle.read(1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "check the name and the folder") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror})", _CHECK_FILE) from None
    except ValueError:  # a null byte in the name
        raise InputError(f"{path}: no file can have this name", "check the name") from None
    if empty:
        raise InputError(f"{path}: the file is empty", "write it again; did the run that makes it fail?")


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="latcpb-")


def _safe_suffix(suffix: str) -> str:
    return suffix if suffix.isascii() and suffix[1:].isalnum() else ""


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _decompress(path: Path, target: Path, opener: Callable[[Path], Any]) -> None:
    allowed = min(_MAX_BYTES, max(_ALWAYS_ALLOWED_BYTES, _MAX_RATIO * path.stat().st_size))
    written = 0
    try:
        with opener(path) as source, target.open("wb") as out:
            while block := source.read(_BLOCK_BYTES):
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
    """Yield the lines of a file; a line beyond 64 KiB comes in pieces and cannot fill the memory."""
    return iter(partial(handle.readline, _MAX_LINE_BYTES), b"")


def check_atom_count(file: InputFile, n_atoms: int, bytes_per_atom: int | float) -> None:
    """Raise where a file claims more atoms than it can hold, before memory for them is allocated.

    Parameters
    ----------
    file : InputFile
    n_atoms : int
        Taken from the header of the file.
    bytes_per_atom : int or float
        Least number of bytes that an atom takes in this format.

    Raises
    ------
    InputError
    """
    if not 0 < n_atoms <= min(_MAX_ATOMS, file.size / bytes_per_atom):
        raise InputError(
            f"{file.path}: cannot be read: {n_atoms:,} atoms announced, in {file.size:,} bytes",
            "the file is truncated, damaged, or of another format than its suffix",
        )
