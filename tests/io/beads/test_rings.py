"""Chains whose ends are at bonding distance: noted, or closed with --cyclic."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import walk, write_trajectory
from rings import SEQUENCES, ca_ring, write_chains

from latcpb_cli.errors import InputError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

CYCLIC = ReadOptions(cyclic=True)
TAIL = "ALA CYS ASP GLU PHE", walk(5)[0] + [0.0, 0.0, 15.0]
RING = SEQUENCES[10], ca_ring(10)


def test_rings_are_noted_with_the_option_that_closes_them(tmp_path):
    source = open_source([write_chains(tmp_path / "a.pdb", RING)])
    (note,) = source.notes
    assert note.startswith("head-to-tail ring? A:LEU1 and A:ARG10 are at bonding distance")
    assert "--cyclic" in note
    assert source.trace.cyclic_chains == () and source.trace.ends_chain().sum() == 1
    assert open_source([write_chains(tmp_path / "b.pdb", TAIL)]).notes == ()


def test_every_chain_with_bonded_ends_is_closed_and_no_other(tmp_path):
    path = write_chains(tmp_path / "a.pdb", TAIL, RING, (RING[0], ca_ring(10, (30.0, 0.0, 0.0))))
    source = open_source([path], options=CYCLIC)
    assert source.trace.cyclic_chains == (1, 2)
    assert source.notes == ("closed head to tail: peptides join B:LEU1 and B:ARG10, C:LEU1 and C:ARG10",)
    linked = source.trace.linked(next(source.chunks(1)).positions)[0]
    assert np.flatnonzero(~linked).tolist() == [4]
    assert source.identity != open_source([path]).identity


def test_no_ring_to_close_is_an_error(tmp_path):
    path = write_chains(tmp_path / "a.pdb", TAIL)
    with pytest.raises(InputError, match=r"nearest: A:ALA1 and A:PHE5, 1\d\.\d Å") as caught:
        open_source([path], options=CYCLIC)
    assert "leave out --cyclic" in str(caught.value.hint)
    triangle = write_chains(tmp_path / "b.pdb", ("ALA CYS ASP", ca_ring(6)[::2] * 0.61))
    with pytest.raises(InputError, match="no chain has its ends at bonding distance; a peptide"):
        open_source([triangle], options=CYCLIC)


def test_most_frames_decide_and_those_in_which_the_ring_is_open_are_named(tmp_path):
    frames = np.stack([ca_ring(10), ca_ring(12)[:10], ca_ring(10)])
    top = write_chains(tmp_path / "a.pdb", RING)
    source = open_source([write_trajectory(tmp_path / "a.xtc", frames)], top, CYCLIC)
    chunk = next(source.chunks(3))
    assert list(chunk.problems) == [1]
    assert chunk.problems[1].startswith("ring open: A:LEU1 and A:ARG10 are ")
    assert source.trace.linked(chunk.positions)[:, -1].tolist() == [True, False, True]


def test_a_ring_that_a_box_cuts_is_made_whole(tmp_path):
    head = "CRYST1   30.000   30.000   30.000  90.00  90.00  90.00 P 1           1"
    path = write_chains(tmp_path / "a.pdb", (RING[0], np.mod(ca_ring(10), 30.0)), head=head)
    source = open_source([path], options=CYCLIC)
    assert source.trace.linked(next(source.chunks(1)).positions).all()
