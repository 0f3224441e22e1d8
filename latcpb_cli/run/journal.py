"""How far a run has come: a journal beside its output, by which it can be resumed.

One line of JSON for the settings, one for every chunk of frames that is safe on the disk, and one before
the files take their final names. A line that a crash cut off does not count.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from latcpb_cli.errors import OutputError, UsageError
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.structure import Bridge

__all__ = ["Journal", "JournalEntry", "input_identity", "journal_path"]

_HASHED_BYTES = 1 << 20
"""Of the beginning of an input."""


@dataclass(frozen=True)
class JournalEntry:
    """A state that a run can be continued from.

    Attributes
    ----------
    frames : int
        Frames that are done.
    sizes : dict of str to int
        Bytes of each file that hold them, by final name.
    seconds : float
        Time that they took.
    displacement : CaDisplacement
    overlap_counts : OverlapCounts
    bridges : tuple of tuple of int
        Disulfides of the first structure, which are those of a topology.
    problems : dict of int to str
        What is wrong with some of them. In the journal, of the last chunk only.
    """

    frames: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    displacement: CaDisplacement = field(default_factory=CaDisplacement)
    overlap_counts: OverlapCounts = field(default_factory=OverlapCounts)
    bridges: tuple[Bridge, ...] = ()
    problems: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, row: dict[str, Any], earlier: Mapping[int, str]) -> JournalEntry:
        """Read a line of the journal; ``earlier`` are the problems of the lines before it."""
        problems = {int(index): problem for index, problem in row["problems"].items()}
        return cls(
            **row
            | {
                "displacement": CaDisplacement(**row["displacement"]),
                "overlap_counts": OverlapCounts(**row["overlap_counts"]),
                "bridges": tuple((first, second) for first, second in row["bridges"]),
                "problems": {**earlier, **problems},
            }
        )


def journal_path(output: Path) -> Path:
    """Name of the journal of an output."""
    return output.with_name(output.name + ".journal")


def input_identity(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """By what a changed input is recognised: size, time of change and sha256 of its beginning."""
    identity = []
    for path in paths:
        with path.open("rb") as handle:
            sha256 = hashlib.sha256(handle.read(_HASHED_BYTES)).hexdigest()
        stat = path.stat()
        identity.append(
            {"file": path.name, "size": stat.st_size, "mtime": stat.st_mtime_ns, "sha256": sha256}
        )
    return identity


class Journal:
    """The journal of one run; a context manager, which leaves it there if there is something to resume.

    Parameters
    ----------
    output : pathlib.Path
        The main output file.
    settings : dict
        All that the bytes of the output depend on; ready for JSON.
    resume : bool
        Whether to go on where an interrupted run of the same settings ended.

    Attributes
    ----------
    entry : JournalEntry or None
        Where to go on; None at the beginning.
    renaming : bool
        Whether the run was interrupted while its files took their final names.

    Raises
    ------
    UsageError
        The interrupted run had other settings.
    """

    def __init__(self, output: Path, settings: dict[str, Any], resume: bool) -> None:
        self.path = journal_path(output)
        settings = json.loads(json.dumps(settings))
        self.entry: JournalEntry | None = None
        self.renaming, n_bytes = False, 0
        if resume and self.path.is_file():
            self.entry, self.renaming, n_bytes = _read(self.path, settings)
        if self.entry is None:
            self.path.unlink(missing_ok=True)
            self._file = self.path.open("xb", buffering=0)
            try:
                self._append({"settings": settings})
            except OutputError:
                self.remove()
                raise
        else:
            self._file = self.path.open("r+b", buffering=0)
            self._file.truncate(n_bytes)
            self._file.seek(n_bytes)

    def add(self, entry: JournalEntry) -> None:
        """Record that some frames are safe on the disk."""
        self._append(asdict(entry))
        self.entry = entry

    def begin_renaming(self) -> None:
        """Record that files take their final names from here on."""
        self._append({"renaming": True})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self.entry is None:
            self.remove()

    def remove(self) -> None:
        """Close and delete the journal: the run is complete, or has not begun."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _append(self, row: Mapping[str, Any]) -> None:
        line = (json.dumps(row) + "\n").encode()
        try:
            if self._file.write(line) != len(line):
                raise OSError("no space left")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"{self.path}: {error.strerror or error}",
                "make room, then give the same command with --resume",
            ) from error


def _read(path: Path, settings: dict[str, Any]) -> tuple[JournalEntry | None, bool, int]:
    """Last entry, whether files were being renamed, and how many bytes of the journal are whole lines."""
    entry: JournalEntry | None = None
    renaming, n_bytes = False, 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            row = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            row = None
        if row is None:
            break
        n_bytes += len(line)
        if "settings" in row:
            _refuse_other_settings(path, row["settings"], settings)
        elif "renaming" in row:
            renaming = True
        else:
            entry = JournalEntry.from_json(row, {} if entry is None else entry.problems)
    return entry, renaming, n_bytes


def _refuse_other_settings(path: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    """Name the settings that differ, with both values where they are short."""
    differences = []
    for name in sorted(then.keys() | now.keys()):
        old, new = (json.dumps(x.get(name)) for x in (then, now))
        if old != new:
            short = len(old + new) < 60
            differences.append(f"{name} {old}, now {new}" if short else f"another {name}")
    if differences:
        raise UsageError(
            f"{path}: the interrupted run had {'; '.join(differences)}",
            "give the same settings, or begin again without --resume",
        )
