"""Files that grow under a temporary name until they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from latcpb_cli.errors import OutputError, UsageError

__all__ = ["FileSizes", "PartFile", "undo_renames"]

FileSizes = Mapping[str, int]
"""Bytes that are safe on the disk, by the final name of each file."""


class PartFile:
    """A file that is called ``NAME.part`` until `commit` gives it its final name.

    Parameters
    ----------
    final : pathlib.Path
        Final name.
    resume_sizes : mapping of str to int, optional
        Bytes to keep of the part files of an interrupted run, by final name;
        the rest is cut off and writing goes on there. Without it, a part file
        that exists is replaced.

    Raises
    ------
    UsageError
        The part file to continue is missing or too short.
    OutputError
        The disk is full, or the file cannot be written for another reason.
    """

    def __init__(self, final: Path, resume_sizes: FileSizes | None = None) -> None:
        self.final, self.path = final, _part_path(final)
        self.size = 0 if resume_sizes is None else resume_sizes[final.name]
        try:
            if resume_sizes is None:
                # A symbolic link of this name must not lead the output out of its folder.
                self.path.unlink(missing_ok=True)
                self._file = self.path.open("xb", buffering=0)
                return
            if self.path.is_symlink() or not self.path.is_file() or self.path.stat().st_size < self.size:
                raise UsageError(
                    f"{self.path}: what the interrupted run left is gone or cut",
                    "begin again, without --resume",
                )
            self._file = self.path.open("r+b", buffering=0)
            self._file.truncate(self.size)
            self._file.seek(self.size)
        except OSError as error:
            raise self._output_error(error) from error

    def write(self, data: bytes) -> None:
        """Append bytes."""
        rest = memoryview(data)
        try:
            while len(rest):
                # An unbuffered write to a disk that is nearly full may take only some of the bytes.
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._output_error(error) from error
        self.size += len(data)

    def patch(self, offset: int, data: bytes) -> None:
        """Replace bytes that are written already."""
        self._file.seek(offset)
        self._file.write(data)
        self._file.seek(self.size)

    def sync(self) -> int:
        """Flush the file to the disk and return its size."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._output_error(error) from error
        return self.size

    def close(self) -> None:
        """Close the file; may be called more than once."""
        self._file.close()

    def commit(self) -> None:
        """Give the file its final name."""
        self.close()
        os.replace(self.path, self.final)

    def discard(self) -> None:
        """Remove the part file, unless it has its final name already."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _output_error(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: {error.strerror or error}",
            "make room, then give the same command with --resume",
        )


def undo_renames(finals: Iterable[Path]) -> None:
    """Give files their part names again, where a crash interrupted the renaming of a set of files."""
    for final in finals:
        part = _part_path(final)
        if final.is_file() and not part.exists():
            os.replace(final, part)


def _part_path(final: Path) -> Path:
    return final.with_name(final.name + ".part")
