"""The public names fit on a page and are typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import latcpb_cli as latcpb

SCRIPT = """
import numpy as np

import latcpb_cli as latcpb

model = latcpb.Backmapper.from_pretrained()
options = latcpb.BackmapOptions(samples=2)
result: latcpb.Backmapped = model.backmap(np.zeros((1, 3, 3)), sequence="GGG", samples=2)
shape: tuple[int, ...] = result.coordinates.shape
mean: float = float(result.uncertainty["chi1"].mean())
rows: list[dict[str, object]] = result.report.frames
for frame in model.stream("traj.xtc", top="cg.pdb", frames=slice(0, 5)):
    print(frame.times, frame.write("a.pdb")[0].name)
print(latcpb.inspect("cg.pdb").measured.n_frames, latcpb.evaluate("a.pdb", result).summary()["frames"])
try:
    latcpb.backmap_trajectory(model, latcpb.open_source(["traj.xtc"], "cg.pdb"), "all.xtc", options)
except latcpb.LatcpbError as error:
    print(error.message, error.hint)
"""


@pytest.mark.slow
def test_a_script_of_public_names_is_strictly_typed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", root / "pyproject.toml", script]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_public_names_fit_on_a_page():
    assert len(latcpb.__all__) <= 25
    for name in latcpb.__all__:
        assert getattr(latcpb, name) is not None
