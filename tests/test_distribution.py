"""What a distribution holds."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "tiny"
version = "1"
[tool.hatch.build.targets.sdist]
include = ["/tiny", "/hatch_build.py"]
[tool.hatch.build.hooks.custom]
path = "hatch_build.py"
"""


@pytest.mark.parametrize("stray", ["stray.txt", "a [b] #1!.txt", "tiny*"])
def test_untracked_files_are_left_out(tmp_path, stray):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    for command in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "tiny" / stray).touch()
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    with tarfile.open(tmp_path / "dist" / "tiny-1.tar.gz") as archive:
        names = {name.removeprefix("tiny-1/") for name in archive.getnames()}
    assert names >= {"tiny/__init__.py", "hatch_build.py"}
    assert f"tiny/{stray}" not in names


def test_the_wheel_has_weights_and_examples():
    from hatchling.builders.wheel import WheelBuilder

    files = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert {"latcpb_cli/_weights/latcpb-base/model.safetensors", "latcpb_cli/py.typed"} <= files
    examples = ("latcpb.ipynb", "tnc.dcd", "4ebp2.xtc", "README.md")
    expected = {f"latcpb_cli/_examples/{name}" for name in examples}
    assert expected <= files
    data = [name for name in files if name.startswith(("latcpb_cli/_weights", "latcpb_cli/_examples"))]
    assert not [name for name in data if name.endswith((".py", ".sh"))]
