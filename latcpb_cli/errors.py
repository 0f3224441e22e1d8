"""Exceptions with a hint and an exit code."""

from __future__ import annotations

import re
from enum import IntEnum

__all__ = [
    "ExitCode", "LatcpbError", "InputError", "OutputError", "OutputExistsError", "QualityGateError",
    "UsageError", "WeightsError", "WorkerMismatchError", "WorkersLostError", "first_line", "one_line",
    "without_passwords",
]  # fmt: skip


class ExitCode(IntEnum):
    """Exit codes of the command line; they are part of the interface."""

    OK = 0
    BUG = 1
    USAGE = 2
    BAD_INPUT = 3
    OUTPUT_EXISTS = 4
    WEIGHTS = 5
    QUALITY_GATE = 6
    INTERRUPTED = 130


class LatcpbError(Exception):
    """An error that the user can act on.

    Parameters
    ----------
    message : str
        What went wrong and where (file, residue, frame), in one line.
    hint : str
        What to try next, in one line; may be empty.
    """

    exit_code: ExitCode = ExitCode.BUG

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LatcpbError):
    """Options that contradict each other or make no sense."""

    exit_code = ExitCode.USAGE


class InputError(LatcpbError):
    """A file that cannot be read, or does not hold what is needed."""

    exit_code = ExitCode.BAD_INPUT


class OutputError(LatcpbError):
    """An output file that cannot be written, for instance on a full disk."""

    exit_code = ExitCode.OUTPUT_EXISTS


class OutputExistsError(OutputError):
    """An output file is already there and must not be replaced."""


class WeightsError(LatcpbError):
    """Weights that are missing, damaged or of an unknown kind."""

    exit_code = ExitCode.WEIGHTS


class QualityGateError(LatcpbError):
    """A finished output that is worse than the user allows."""

    exit_code: ExitCode = ExitCode.QUALITY_GATE


class WorkersLostError(LatcpbError):
    """Worker processes that ended before they had done their part, again and again."""


class WorkerMismatchError(LatcpbError):
    """A worker process has another version or other weights than the process that writes."""


def first_line(error: BaseException) -> str:
    """First line of what a library says about its error, or the kind of the error."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def one_line(text: str) -> str:
    """Show a text that may hold a user's file name in one line that cannot steer a terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def without_passwords(text: str) -> str:
    """Hide user names and passwords of addresses such as ``https://user:password@host``."""
    return re.sub(r"://[^/\s]*@", "://***@", text)
