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
from latcpb_cli.structure import Bridge

__all__ = ["Journal", "JournalEntry", "input_facts", "journal_path"]

_HEAD = 1 << 20
"""Bytes of an input that are hashed."""


@dataclass(frozen=True)
class JournalEntry:
    """A state that a run can be continued from.

    Attributes
    ----------
    frames : int
        Frames that are done.
    files : dict of str to int
        Bytes of each file that hold them, by final name.
    seconds : float
        Time that they took.
    moves : list of float
        Sums over their Cα.
    depths : list of int
        Residues with deep overlaps, in the order of `latcpb_cli.relax.relief.OverlapCounts`.
    bridges : tuple of tuple of int
        Disulfides of the first structure, which are those of a topology.
    problems : dict of int to str
        What is wrong with some of them. In the journal, of the last chunk only.
    """

    frames: int
    files: dict[str, int]
    seconds: float = 0.0
    moves: list[float] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    bridges: tuple[Bridge, ...] = ()
    problems: dict[int, str] = field(default_factory=dict)


def journal_path(output: Path) -> Path:
    """Name of the journal of an output."""
    return output.with_name(output.name + ".journal")


def input_facts(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """By what a changed input is recognised: size, time of change and sha256 of its beginning."""
    facts = []
    for path in paths:
        with path.open("rb") as handle:
            sha256 = hashlib.sha256(handle.read(_HEAD)).hexdigest()
        stat = path.stat()
        facts.append({"file": path.name, "size": stat.st_size, "mtime": stat.st_mtime_ns, "sha256": sha256})
    return facts


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
    mark : JournalEntry or None
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
        goes_on = resume and self.path.is_file()
        self.mark, self.renaming, whole = _read(self.path, settings) if goes_on else (None, False, 0)
        if self.mark is None:
            self.path.unlink(missing_ok=True)
            self._file = self.path.open("xb", buffering=0)
            try:
                self._add({"settings": settings})
            except OutputError:
                self.remove()
                raise
        else:
            self._file = self.path.open("r+b", buffering=0)
            self._file.truncate(whole)
            self._file.seek(whole)

    def add(self, mark: JournalEntry) -> None:
        """Record that some frames are safe on the disk."""
        self._add(asdict(mark))
        self.mark = mark

    def begin_renaming(self) -> None:
        """Record that files take their final names from now on."""
        self._add({"renaming": True})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self.mark is None:
            self.remove()

    def remove(self) -> None:
        """The run is complete."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _add(self, entry: Mapping[str, Any]) -> None:
        line = (json.dumps(entry) + "\n").encode()
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
    """Last mark, whether files were being renamed, and how many bytes of the journal are whole."""
    mark, renaming, whole, problems = None, False, 0, {}
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            entry = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            entry = None
        if entry is None:
            break
        whole += len(line)
        if "settings" in entry:
            _refuse_other(path, entry["settings"], settings)
        elif "renaming" in entry:
            renaming = True
        else:
            problems.update({int(index): said for index, said in entry.pop("problems").items()})
            entry["bridges"] = tuple((one, two) for one, two in entry["bridges"])
            mark = JournalEntry(**entry, problems=problems)
    return mark, renaming, whole


def _refuse_other(path: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    """Name the settings that differ, with both values where they are short."""
    said = []
    for name in sorted(then.keys() | now.keys()):
        old, new = (json.dumps(x.get(name)) for x in (then, now))
        if old != new:
            said.append(f"{name} {old}, now {new}" if len(old + new) < 60 else f"another {name}")
    if said:
        raise UsageError(
            f"{path}: the interrupted run had {'; '.join(said)}",
            "give the same settings, or begin again without --resume",
        )
