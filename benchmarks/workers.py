"""Programs at work: one process each, and what they made kept on disk.

A result is kept under the sha256 of its input, in a folder named by program and version: a run that was
stopped goes on where it was, and no result outlives a change of its input. Failures are not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from programs import ProgramError

__all__ = ["Cost", "Worker"]

PATIENCE = 3600.0
"""Seconds after which a program is taken to hang."""
Command = Callable[[], tuple[list[str], dict[str, str]]]


@dataclass(frozen=True)
class Cost:
    """What one chain took.

    Attributes
    ----------
    seconds, cpu_seconds : float
        Wall and CPU time, reading and writing included, loading not.
    load_seconds : float
    peak_mb : float
        Of the process up to then, in MB.
    threads : int
        That the program might use.
    """

    seconds: float
    cpu_seconds: float
    load_seconds: float
    peak_mb: float
    threads: int


class Worker:
    """A program that is started when it is first needed, and again after it died.

    Parameters
    ----------
    start : callable
        Gives the command line and the environment variables; may take long (it installs the program).
    folder : pathlib.Path
        Where the results go.
    patience : float
        Seconds that a chain may take.
    """

    def __init__(self, start: Command, folder: Path, patience: float = PATIENCE) -> None:
        self.start, self.folder, self.patience = start, folder, patience
        self._process: subprocess.Popen[str] | None = None
        self._broken: ProgramError | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, text: str) -> tuple[Path, Cost]:
        """Give a PDB to the program; returns the PDB that it made, now or in an earlier run.

        Raises
        ------
        ProgramError
            It made none.
        """
        key = hashlib.sha256(text.encode()).hexdigest()[:20]
        kept, made = self.folder / f"{key}.json", self.folder / f"{key}.pdb"
        if not kept.is_file():
            answer = self._ask(text, made)
            error = answer.pop("error")
            if error is not None:
                made.unlink(missing_ok=True)
                raise ProgramError(error)
            part = kept.with_suffix(".part")
            part.write_text(json.dumps(asdict(Cost(**answer))))
            os.replace(part, kept)
        return made, Cost(**json.loads(kept.read_text()))

    def _ask(self, text: str, made: Path) -> dict[str, Any]:
        process, began = self._started(), time.monotonic()
        source = made.with_suffix(".input.pdb")
        source.write_text(text)
        watch = threading.Timer(self.patience, process.kill)
        watch.start()
        try:
            process.stdin.write(json.dumps({"source": str(source), "target": str(made)}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
            source.unlink()
        if line:
            return json.loads(line)
        self.close()
        said = (self.folder / "log.txt").read_text(errors="replace").strip().splitlines()
        after = f"after {time.monotonic() - began:.0f} s"
        return {"error": f"ended with {process.returncode} {after}: {said[-1] if said else 'no message'}"}

    def _started(self) -> subprocess.Popen[str]:
        """The running program; a program that cannot be installed is not tried again."""
        if self._broken is not None:
            raise self._broken
        if self._process is None:
            try:
                arguments, variables = self.start()
            except ProgramError as error:
                self._broken = error
                raise
            with (self.folder / "log.txt").open("a") as log:
                self._process = subprocess.Popen(
                    arguments,
                    env=variables,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
        return self._process

    def close(self) -> None:
        """End the program, if it runs."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
