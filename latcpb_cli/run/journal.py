"""How far a run has come: a journal beside its output, by which it can be resumed.

The journal is locked as long as its run lives, so that no second run writes the same output. It has one
line of JSON for the settings, one for every chunk of frames that is safe on the disk, and one before the
files take their final names; every line ends in a checksum over itself and all lines before it. A last line
that a crash cut off does not count.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from latcpb_cli.errors import OutputError, UsageError
from latcpb_cli.io.writers.part_file import PartState, output_error
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.run.file_lock import open_locked
from latcpb_cli.structure import Bridge

__all__ = ["Journal", "JournalEntry", "input_identity", "journal_path"]

_HASHED_BYTES = 1 << 20
"""Of the beginning of an input."""
_BEGIN_AGAIN = "begin again, without --resume"


@dataclass(frozen=True)
class JournalEntry:
    """A state that a run can be continued from.

    Attributes
    ----------
    frames : int
        Frames that are done.
    parts : dict of str to PartState
        What each file, by final name, holds of them.
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
    parts: dict[str, PartState] = field(default_factory=dict)
    seconds: float = 0.0
    displacement: CaDisplacement = field(default_factory=CaDisplacement)
    overlap_counts: OverlapCounts = field(default_factory=OverlapCounts)
    bridges: tuple[Bridge, ...] = ()
    problems: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, row: dict[str, Any], earlier: Mapping[int, str]) -> JournalEntry:
        """Read a line of the journal; ``earlier`` are the problems of the lines before it.

        Raises
        ------
        AttributeError, KeyError, TypeError, ValueError
            The line does not have the shape of an entry.
        """
        return cls(
            frames=int(row["frames"]),
            parts={name: PartState(**state) for name, state in row["parts"].items()},
            seconds=float(row["seconds"]),
            displacement=CaDisplacement(**row["displacement"]),
            overlap_counts=OverlapCounts(**row["overlap_counts"]),
            bridges=tuple((int(first), int(second)) for first, second in row["bridges"]),
            problems={**earlier, **{int(index): str(text) for index, text in row["problems"].items()}},
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
    """The journal of one output, locked for this process; a context manager.

    Leaving the context keeps the journal where there is something to resume, and removes it otherwise.

    Parameters
    ----------
    output : pathlib.Path
        The main output file.

    Attributes
    ----------
    entry : JournalEntry or None
        Where to go on; None at the beginning.
    renaming : bool
        Whether the run was interrupted while its files took their final names.

    Raises
    ------
    OutputError
        Another run writes this output, or the journal cannot be opened.
    """

    def __init__(self, output: Path) -> None:
        self.path = journal_path(output)
        self.entry: JournalEntry | None = None
        self.renaming, self._crc32, self._begun = False, 0, False
        try:
            self._file = open_locked(self.path)
        except BlockingIOError:
            raise OutputError(
                f"{output}: another run is writing it", "wait until it has ended, or choose another --output"
            ) from None
        except OSError as error:
            raise output_error(self.path, error) from error

    @property
    def has_entries(self) -> bool:
        """Whether an interrupted run has left something to resume."""
        return os.fstat(self._file.fileno()).st_size > 0

    def begin(self, settings: dict[str, Any], resume: bool) -> None:
        """Read what an interrupted run left, or begin anew.

        Parameters
        ----------
        settings : dict
            All that the bytes of the output depend on; ready for JSON.
        resume : bool
            Whether to go on where an interrupted run of the same settings ended.

        Raises
        ------
        UsageError
            The interrupted run had other settings.
        OutputError
            The journal is damaged, or cannot be written.
        """
        settings = json.loads(json.dumps(settings))
        whole = self._read(settings) if resume else 0
        if self.entry is None:
            whole, self._crc32, self.renaming = 0, 0, False
        self._file.truncate(whole)
        self._file.seek(whole)
        self._begun = True
        if not whole:
            self._append({"settings": settings})

    def add(self, entry: JournalEntry) -> None:
        """Record that some frames are safe on the disk."""
        self._append(asdict(entry))
        self.entry = entry

    def begin_renaming(self) -> None:
        """Record that files take their final names from here on."""
        self._append({"renaming": True})

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file.closed:
            return
        if self.entry is None and (self._begun or not self.has_entries):
            self.remove()
        self._file.close()

    def remove(self) -> None:
        """Delete and close the journal: the run is complete, or has not begun."""
        # First the name, then the lock: who waits for the lock finds that the name is gone.
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _append(self, row: Mapping[str, Any]) -> None:
        text = json.dumps(row)
        self._crc32 = zlib.crc32(text.encode(), self._crc32)
        line = f"{text}\t{self._crc32:08x}\n".encode()
        try:
            if self._file.write(line) != len(line):
                raise OSError(28, "No space left on device")
            os.fsync(self._file.fileno())
            os.stat(self.path)
        except OSError as error:
            raise output_error(self.path, error) from error

    def _read(self, settings: dict[str, Any]) -> int:
        """Read all whole lines; returns how many bytes they have."""
        n_bytes = 0
        for line in self._whole_lines():
            n_bytes += len(line)
            try:
                text, checksum = line.decode().rstrip("\n").split("\t")
                self._crc32 = zlib.crc32(text.encode(), self._crc32)
                if int(checksum, 16) != self._crc32:
                    raise ValueError("checksum")
                row = json.loads(text)
                if "settings" not in row and "renaming" not in row:
                    self.entry = JournalEntry.from_json(
                        row, {} if self.entry is None else self.entry.problems
                    )
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise OutputError(
                    f"{self.path}: the journal is damaged or was edited", _BEGIN_AGAIN
                ) from error
            if "settings" in row:
                _refuse_other_settings(self.path, row["settings"], settings)
            self.renaming |= "renaming" in row
        return n_bytes

    def _whole_lines(self) -> Iterator[bytes]:
        self._file.seek(0)
        yield from (line for line in self._file.read().splitlines(keepends=True) if line.endswith(b"\n"))


def _refuse_other_settings(path: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
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
