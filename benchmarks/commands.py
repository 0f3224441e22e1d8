"""`latcpb backmap` in a process of its own, with its time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CommandCost", "run_command"]

ROOT = Path(__file__).parents[1]
MAIN = "from latcpb_cli.cli.app import main; main()"
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class CommandCost:
    """Time and memory of one command.

    Attributes
    ----------
    wall : float
        Seconds from the start of the process to its end.
    seconds : float
        Those of the work alone, with reading and writing, without loading.
    peak_mb : float
        Peak memory of the process and its workers together.
    """

    wall: float
    seconds: float
    peak_mb: float


def run_command(arguments: list[str], folder: Path) -> CommandCost:
    """Run ``latcpb backmap`` with its report, into a folder.

    Raises
    ------
    SystemExit
        The command failed; its message is on stderr.
    """
    output = folder / "out.xtc"
    if "-o" not in arguments:
        arguments = [*arguments, "-o", str(output)]
    else:
        output = Path(arguments[arguments.index("-o") + 1])
    command = [sys.executable, "-c", MAIN, "backmap", *arguments, "--overwrite", "--quiet"]
    started = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _memory_mb(process.pid))
        time.sleep(POLL_SECONDS)
    wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"latcpb ended with {process.returncode}: {' '.join(arguments)}")
    report = json.loads(output.with_suffix(".report.json").read_text())
    return CommandCost(wall, report["provenance"]["seconds"], peak)


def _memory_mb(pid: int) -> float:
    """Peak memory of a process and its children until this moment."""
    total = 0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for number in (str(pid), *children):
            total += int(Path(f"/proc/{number}/status").read_text().split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        return 0.0  # the process has just ended
    return total / 1024
