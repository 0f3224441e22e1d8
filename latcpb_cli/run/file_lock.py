"""A file that one process at a time may hold."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["open_locked"]


def open_locked(path: Path) -> io.FileIO:
    """Open a file for reading and writing, made where it is missing, and lock it for this process.

    The lock is advisory and ends with the process, however that ends. On file systems without locks the file
    is opened without one.

    Raises
    ------
    BlockingIOError
        Another process holds the file.
    OSError
        The file cannot be opened.
    """
    while True:
        handle = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666), "r+")
        try:
            if fcntl is not None:
                _lock(handle)
            # A process that held it may have removed it after we opened it: then it locks nobody out.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle.fileno()), os.stat(path)):
                    return handle
        except OSError:
            handle.close()
            raise
        handle.close()


def _lock(handle: io.FileIO) -> None:
    try:
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return  # a file system without locks
