"""Files that grow under a temporary name until they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from latcpb_cli.errors import OutputError, UsageError

__all__ = ["FileSizes", "PartFile", "take_back"]

FileSizes = Mapping[str, int]
"""Bytes that are safe on the disk, by the final name of each file."""


class PartFile:
    """A file that is ``NAME.part`` until `commit` gives it its own name.

    Parameters
    ----------
    final : pathlib.Path
    resume_sizes : mapping of str to int, optional
        Go on with what an interrupted run left, after so many bytes of it.
        What a run left is replaced where there are none.

    Raises
    ------
    UsageError
        What is to be continued is not there.
    OutputError
        The disk is full, or the file cannot be written for another reason.
    """

    def __init__(self, final: Path, resume_sizes: FileSizes | None = None) -> None:
        self.final, self.path = final, _part(final)
        self.size = 0 if resume_sizes is None else resume_sizes[final.name]
        try:
            if resume_sizes is None:
                # A link left there must not lead the output out of its folder.
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
            raise self._failed(error) from error

    def write(self, data: bytes) -> None:
        """Append."""
        rest = memoryview(data)
        try:
            while len(rest):
                # A disk that is nearly full takes a part of it.
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._failed(error) from error
        self.size += len(data)

    def patch(self, offset: int, data: bytes) -> None:
        """Replace bytes that are there."""
        self._file.seek(offset)
        self._file.write(data)
        self._file.seek(self.size)

    def sync(self) -> int:
        """Bring what is written to the disk; returns its size."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from error
        return self.size

    def close(self) -> None:
        """Close the file; may be called more than once."""
        self._file.close()

    def commit(self) -> None:
        """Give the file its final name."""
        self.close()
        os.replace(self.path, self.final)

    def discard(self) -> None:
        """Remove what was written, unless it has its final name."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self.path}: {error.strerror or error}",
            "make room, then give the same command with --resume",
        )


def take_back(finals: Iterable[Path]) -> None:
    """Undo the renaming of files that a crash left renamed in part."""
    for final in finals:
        part = _part(final)
        if final.is_file() and not part.exists():
            os.replace(final, part)


def _part(final: Path) -> Path:
    return final.with_name(final.name + ".part")
