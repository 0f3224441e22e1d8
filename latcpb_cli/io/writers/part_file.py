"""Files that grow under a temporary name until they are complete."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from latcpb_cli.errors import OutputError, first_line

__all__ = ["PartFile", "PartState", "PartStates", "output_error", "undo_renames"]

_BLOCK = 1 << 20
"""Bytes of a file that are checked at a time."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class PartState:
    """What a part file holds that is safe on the disk.

    Attributes
    ----------
    size : int
        In bytes.
    crc32 : int
        Checksum of these bytes, those in the file's ``volatile`` range taken as zeros.
    """

    size: int
    crc32: int


PartStates = Mapping[str, PartState]
"""By the final name of each file."""


def output_error(path: Path, error: OSError) -> OutputError:
    """Make the error of a file that cannot be written."""
    hint = "choose another --output, or mend what is wrong there; then the same command with --resume goes on"
    if error.errno in _FULL:
        hint = "make room, then give the same command with --resume"
    elif error.errno == errno.ENAMETOOLONG:
        hint = "choose a shorter --output"
    return OutputError(f"{path}: {error.strerror or first_line(error)}", hint)


class PartFile:
    """A file that is called ``NAME.part`` until `commit` gives it its final name.

    Parameters
    ----------
    final : pathlib.Path
        Final name.
    resume : mapping of str to PartState, optional
        What to keep of the part files of an interrupted run; the rest is cut off and writing goes on
        there. Without it, a part file that exists is replaced.
    volatile : slice, optional
        Bytes that `patch` may change later, such as the number of frames in a header.

    Raises
    ------
    OutputError
        The part file to continue is missing, too short or damaged, or the file cannot be written.
    """

    def __init__(self, final: Path, resume: PartStates | None = None, volatile: slice = slice(0, 0)) -> None:
        self.final, self.path = final, _part_path(final)
        self._volatile, self._crc32 = volatile, 0
        self.size, self._synced = 0, False
        try:
            if resume is None:
                # A symbolic link of this name must not lead the output out of its folder.
                self.path.unlink(missing_ok=True)
                self._file = self.path.open("xb", buffering=0)
                return
            self._check(resume.get(final.name))
            self._file = self.path.open("r+b", buffering=0)
            self._file.truncate(self.size)
            self._file.seek(self.size)
        except OSError as error:
            raise output_error(self.path, error) from error

    def _check(self, state: PartState | None) -> None:
        """Compare the file with what the journal says of it."""
        damaged = state is None or self.path.is_symlink() or not self.path.is_file()
        if state is not None and not damaged:
            with self.path.open("rb") as handle:
                while self.size < state.size and (block := handle.read(min(_BLOCK, state.size - self.size))):
                    self._count(block)
            damaged = (self.size, self._crc32) != (state.size, state.crc32)
        if damaged:
            raise OutputError(
                f"{self.path}: what the interrupted run left is gone, cut or changed",
                "begin again, without --resume",
            )

    def _count(self, data: bytes) -> None:
        """Add bytes to size and checksum."""
        start, stop = (max(0, bound - self.size) for bound in (self._volatile.start, self._volatile.stop))
        masked = data
        if start < min(stop, len(data)):
            kept = data[:start], bytes(min(stop, len(data)) - start), data[stop:]
            masked = b"".join(kept)
        self._crc32 = zlib.crc32(masked, self._crc32)
        self.size += len(data)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        rest, self._synced = memoryview(data), False
        try:
            while len(rest):
                # An unbuffered write to a disk that is nearly full may take only some of the bytes.
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise output_error(self.path, error) from error
        self._count(data)

    def patch(self, offset: int, data: bytes) -> None:
        """Replace bytes in the volatile range."""
        self._synced = False
        self._file.seek(offset)
        self._file.write(data)
        self._file.seek(self.size)

    def sync(self) -> PartState:
        """Flush what has been written since the last call to the disk.

        Raises
        ------
        OutputError
            That fails, or the file is no longer in its folder.
        """
        try:
            if not self._synced:
                os.fsync(self._file.fileno())
            if not os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.path)):
                raise FileNotFoundError(errno.ENOENT, "is no longer the file that this run writes")
        except OSError as error:
            raise output_error(self.path, error) from error
        self._synced = True
        return PartState(self.size, self._crc32)

    def close(self) -> None:
        """Close the file; may be called more than once."""
        self._file.close()

    def commit(self) -> None:
        """Give the file its final name."""
        self.close()
        try:
            os.replace(self.path, self.final)
        except OSError as error:
            raise output_error(self.final, error) from error

    def discard(self) -> None:
        """Remove the part file, unless it has its final name already."""
        self.close()
        self.path.unlink(missing_ok=True)


def undo_renames(finals: Iterable[Path]) -> None:
    """Give files their part names again, where a crash interrupted the renaming of a set of files."""
    for final in finals:
        part = _part_path(final)
        if final.is_file() and not part.exists():
            os.replace(final, part)


def _part_path(final: Path) -> Path:
    return final.with_name(final.name + ".part")
