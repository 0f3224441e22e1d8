"""The steps that the guide shows for GROMACS run, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide" / "md.md"


def section(title: str) -> list[str]:
    """The indented commands of a section of the guide."""
    text = re.split(r"^## ", GUIDE.read_text("utf-8"), flags=re.MULTILINE)
    (body,) = [part for part in text if part.startswith(title)]
    return [line.strip() for line in body.splitlines() if line.startswith("    ")]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gmx") is None, reason="needs GROMACS")
@pytest.mark.parametrize("options", [[], ["--hydrogens"]], ids=["heavy atoms", "hydrogens"])
def test_the_steps_for_gromacs(tmp_path, options):
    if options:
        pytest.importorskip("openmm")
    example = ROOT / "examples" / "tnc"
    trajectory = [f"{example}.dcd", "--top", f"{example}.pdb", "--frames", "50:51"]
    latcpb = ["python", "-m", "latcpb_cli", "backmap", *trajectory, "-o", tmp_path / "start.pdb", *options]
    subprocess.run(latcpb, check=True, capture_output=True)
    commands = section("GROMACS")
    assert [command.split()[:2] for command in commands] == [
        ["gmx", "pdb2gmx"],
        ["gmx", "editconf"],
        ["gmx", "solvate"],
    ]
    for command in commands:
        done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    topology = (tmp_path / "topol.top").read_text()
    assert "SOL" in topology
    heavy = sum(
        line.startswith("ATOM") and line[76:78].strip() != "H" for line in open(tmp_path / "start.pdb")
    )
    written = (tmp_path / "start.gro").read_text().splitlines()[2:-1]
    assert sum(not line[10:15].strip().startswith("H") for line in written) == heavy
