"""Reading a source chunk by chunk, or frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import write_trajectory

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import FrameWindow, ReadOptions


@pytest.fixture
def trajectory(tmp_path, positions):
    positions[3, 4] = np.nan
    return write_trajectory(tmp_path / "t.dcd", positions)


def test_chunks_carry_the_problems_of_their_own_frames(trajectory, ca_pdb):
    source = open_source([trajectory], ca_pdb)
    problem = "residue A:THR5: position is not a number"
    assert [chunk.problems for chunk in source.chunks(2)] == [{}, {3: problem}, {}]
    assert [chunk.missing is None for chunk in source.chunks(2)] == [True, False, True]


def test_chunks_from_a_later_frame(trajectory, ca_pdb):
    source = open_source([trajectory], ca_pdb, ReadOptions(window=FrameWindow(frames="1:")))
    assert [chunk.indices.tolist() for chunk in source.chunks(2, start=1)] == [[2, 3], [4, 5]]


def test_frames_in_any_order(trajectory, ca_pdb, positions):
    source = open_source([trajectory], ca_pdb, ReadOptions(window=FrameWindow(stride=2)))
    chunk = source.read_frames(np.array([2, 0]))
    assert chunk.indices.tolist() == [4, 0]
    np.testing.assert_allclose(chunk.positions, positions[[4, 0]], atol=1e-4)
    np.testing.assert_allclose(chunk.times, [40.0, 0.0], rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        ReadOptions(scale=1.01),
        ReadOptions(pbc="none"),
        ReadOptions(selection="resid 1-9"),
        ReadOptions(sequence="A" * 13),
        ReadOptions(window=FrameWindow(stride=2)),
    ],
    ids=["scale", "pbc", "selection", "sequence", "frames"],
)
def test_identity_changes_with_what_is_read(trajectory, ca_pdb, options):
    same = open_source([trajectory], ca_pdb).identity
    assert open_source([trajectory], ca_pdb, ReadOptions(strict=True)).identity == same
    assert open_source([trajectory], ca_pdb, options).identity != same
