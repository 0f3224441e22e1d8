"""The shipped model gives a frame the same bytes wherever in a batch it is computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latcpb_cli.geometry.vectors import atan2
from latcpb_cli.io.open_source import open_source
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import FrameChunk

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel.from_pretrained(device="cpu")


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("tnc.dcd", BackmapOptions(), 11),
        ("tnc.dcd", BackmapOptions(mode="ensemble"), 11),
        ("4ebp2.xtc", BackmapOptions(ca_tolerance=0.3), 4),
    ],
)
def test_a_frame_does_not_depend_on_its_place_in_the_batch(model, name, options, count):
    source = open_source([EXAMPLES / name], (EXAMPLES / name).with_suffix(".pdb"))
    frames = np.arange(count)
    expected = model.sample(source.trace, source.read_frames(frames), options)
    for first in (1, 3):
        atoms = model.sample(source.trace, source.read_frames(frames[first:]), options)
        assert np.array_equal(atoms, expected[first:], equal_nan=True)


@pytest.mark.parametrize("length", [1, 3, 7, 40])
@pytest.mark.parametrize("mode", ["best", "ensemble"])
def test_a_frame_does_not_depend_on_the_number_of_frames(model, length, mode, tmp_path):
    lines = (EXAMPLES / "tnc.pdb").read_text().splitlines(keepends=True)
    beads = [line for line in lines if line.startswith("ATOM")][11 : 11 + length]
    (tmp_path / "short.pdb").write_text("".join(beads))
    whole = open_source([EXAMPLES / "tnc.dcd"], EXAMPLES / "tnc.pdb").read_frames(np.arange(9))
    trace, options = open_source([tmp_path / "short.pdb"]).trace, BackmapOptions(mode=mode)
    positions = np.ascontiguousarray(whole.positions[:, 11 : 11 + length])
    chunk = FrameChunk(positions, whole.times, whole.boxes, whole.indices)
    expected = model.sample(trace, chunk, options)
    for frames in (slice(0, 1), slice(4, 5), slice(2, 7)):
        part = FrameChunk(
            chunk.positions[frames], chunk.times[frames], chunk.boxes[frames], chunk.indices[frames]
        )
        assert np.array_equal(model.sample(trace, part, options), expected[frames], equal_nan=True)


def test_atan2_does_not_depend_on_the_place_of_an_element():
    y, x = torch.randn(2, 1003, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(1003, generator=torch.Generator().manual_seed(1))
    assert torch.equal(atan2(y, x)[order], atan2(y[order], x[order]))
    assert torch.allclose(atan2(y, x), torch.atan2(y, x))
