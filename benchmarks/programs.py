"""The programs that are compared, and the environments they run in.

Each peer comes from the package index, at a pinned version, into a virtual environment of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import latcpb_cli
from latcpb_cli.errors import LatcpbError

__all__ = ["PEERS", "Program", "ProgramError", "command", "own_program"]

ROOT = Path(__file__).parents[1]
DRIVER = Path(__file__).with_name("driver.py")
INSTALLED = ".installed"


class ProgramError(LatcpbError):
    """A program that cannot be installed, or that gave up on a chain."""


@dataclass(frozen=True)
class Program:
    """A program as it is run.

    Attributes
    ----------
    name : str
        In ``driver.PROGRAMS``, and of the distribution for peers.
    version : str
        Of the distribution; "" for our own code, which is never kept from run to run.
    slow : bool
        So slow that it may be run on fewer chains than the others.
    first : tuple of str
        Distributions to install before it.
    settings : dict of str to str
        Given to the driver.
    """

    name: str
    version: str = ""
    slow: bool = False
    first: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name and version, as in names of folders."""
        return f"{self.name}-{self.version}" if self.version else self.name


PEERS = {
    program.name: program
    for program in (
        # The C program of 2009 behind bindings; `pulchra` is an independent port to Python.
        Program("pypulchra", "1.0.1"),
        Program("pyfaspr", "0.3.1"),
        # torch first: left to itself the resolver takes one with gigabytes of CUDA.
        Program("cgback", "1.1.1", slow=True, first=("torch",)),
        Program("pulchra", "1.0.1", slow=True),
    )
}


def own_program(**settings: str) -> Program:
    """Our own code, run like the others: one PDB in, one PDB out."""
    return Program("latcpb", settings=settings)


def command(program: Program, environments: Path) -> tuple[list[str], dict[str, str]]:
    """Command line and environment variables that start a program; installs it where needed.

    Raises
    ------
    ProgramError
        It cannot be installed.
    """
    settings = [f"{key}={value}" for key, value in program.settings.items()]
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # -P: the modules beside the driver must not shadow those of the program.
    if program.version:
        python = _environment(program, environments / program.label)
    else:
        python = Path(sys.executable)
        variables["PYTHONPATH"] = str(Path(latcpb_cli.__file__).parents[1])
    return [str(python), "-P", str(DRIVER), program.name, *settings], variables


def _environment(program: Program, folder: Path) -> Path:
    """Make the virtual environment of a peer, unless it is there; returns its Python."""
    python = folder / "bin" / "python"
    if (folder / INSTALLED).is_file():
        return python
    print(f"installing {program.label} in {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _call(program, [sys.executable, "-m", "venv", str(folder)])
    install = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt")]
    for requirement in (*program.first, f"{program.name}=={program.version}"):
        _call(program, [*install, requirement])
    (folder / INSTALLED).touch()
    return python


def _call(program: Program, arguments: list[str]) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ProgramError(f"{program.label} cannot be installed: {last}", "is the package index in reach?")
