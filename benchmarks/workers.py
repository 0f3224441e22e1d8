"""Programs in processes of their own, with their results cached on disk.

A result is cached under the sha256 of its input, in a folder named by program and version: an interrupted run
goes on where it stopped, and a changed input gives a new result. Failures are not cached.
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
from typing import IO, Any, Self

from programs import ProgramError

__all__ = ["Cost", "Worker"]

TIMEOUT = 3600.0
"""Seconds after which a program counts as hanging."""
Command = Callable[[], tuple[list[str], dict[str, str]]]


@dataclass(frozen=True)
class Cost:
    """Time and memory that one chain took.

    Attributes
    ----------
    seconds, cpu_seconds : float
        Wall and CPU time, with reading and writing, without loading.
    load_seconds : float
    peak_mb : float
        Peak memory of the process until the end of this chain, in MB.
    threads : int
        Number of threads that the program may use.
    """

    seconds: float
    cpu_seconds: float
    load_seconds: float
    peak_mb: float
    threads: int


class Worker:
    """A program that is started for its first job, and again after it died.

    Parameters
    ----------
    start : callable
        Returns the command line and the environment variables; slow where it installs the program.
    folder : pathlib.Path
        Receives the results.
    timeout : float
        Seconds that a chain may take.
    """

    def __init__(self, start: Command, folder: Path, timeout: float = TIMEOUT) -> None:
        self.start, self.folder, self.timeout = start, folder, timeout
        self._process: subprocess.Popen[str] | None = None
        self._start_error: ProgramError | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, text: str) -> tuple[Path, Cost]:
        """Rebuild the chain of a PDB; return the path of the result, which may be cached, and its cost.

        Raises
        ------
        ProgramError
            The program failed.
        """
        key = hashlib.sha256(text.encode()).hexdigest()[:20]
        cost, target = self.folder / f"{key}.json", self.folder / f"{key}.pdb"
        if not cost.is_file():
            result = self._run_job(text, target)
            error = result.pop("error")
            if error is not None:
                target.unlink(missing_ok=True)
                raise ProgramError(error)
            part = cost.with_suffix(".part")
            part.write_text(json.dumps(asdict(Cost(**result))))
            os.replace(part, cost)
        return target, Cost(**json.loads(cost.read_text()))

    def _run_job(self, text: str, target: Path) -> dict[str, Any]:
        """Send one job to the program and wait for its result."""
        process, started = self._running(), time.monotonic()
        jobs, results = _pipes(process)
        source = target.with_suffix(".input.pdb")
        source.write_text(text)
        timer = threading.Timer(self.timeout, process.kill)
        timer.start()
        try:
            jobs.write(json.dumps({"source": str(source), "target": str(target)}) + "\n")
            jobs.flush()
            line = results.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
            source.unlink()
        if line:
            result: dict[str, Any] = json.loads(line)
            return result
        self.close()
        log = (self.folder / "log.txt").read_text(errors="replace").strip().splitlines()
        after = f"after {time.monotonic() - started:.0f} s"
        return {"error": f"ended with {process.returncode} {after}: {log[-1] if log else 'no message'}"}

    def _running(self) -> subprocess.Popen[str]:
        """Return the process, started where needed; a failed installation is not repeated."""
        if self._start_error is not None:
            raise self._start_error
        if self._process is None:
            try:
                arguments, variables = self.start()
            except ProgramError as error:
                self._start_error = error
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
        jobs, results = _pipes(process)
        with suppress(BrokenPipeError):
            jobs.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        results.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    """Standard input and output of a process that was started with pipes."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout
