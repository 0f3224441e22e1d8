"""Our command in a process of its own: how long it took, and how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Run", "run_command"]

ROOT = Path(__file__).parents[1]
MAIN = "from latcpb_cli.cli.app import main; main()"


@dataclass(frozen=True)
class Run:
    """What one command took.

    Attributes
    ----------
    wall : float
        Seconds from typing the command to its end.
    seconds : float
        Those of the work alone, files included, without loading.
    peak_mb : float
        Of the process and its workers together.
    """

    wall: float
    seconds: float
    peak_mb: float


def run_command(arguments: list[str], folder: Path) -> Run:
    """Run ``latcpb backmap`` with its report, into a folder.

    Raises
    ------
    SystemExit
        It failed; what it said stands on stderr.
    """
    output = folder / "out.xtc"
    if "-o" not in arguments:
        arguments = [*arguments, "-o", str(output)]
    else:
        output = Path(arguments[arguments.index("-o") + 1])
    python = [sys.executable, "-c", MAIN, "backmap", *arguments, "--overwrite", "--quiet"]
    path = {"PYTHONPATH": str(ROOT)}
    began = time.perf_counter()
    process = subprocess.Popen(python, env={**os.environ, **path})
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _memory_mb(process.pid))
        time.sleep(0.05)
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"latcpb ended with {process.returncode}: {' '.join(arguments)}")
    report = json.loads(output.with_suffix(".report.json").read_text())
    return Run(wall, report["provenance"]["seconds"], peak)


def _memory_mb(pid: int) -> float:
    """Peak memory of a process and its children, as far as they have come."""
    total = 0
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for number in (str(pid), *children):
            total += int(Path(f"/proc/{number}/status").read_text().split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        return 0.0  # it has just ended
    return total / 1024
