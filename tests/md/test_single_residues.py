"""Chains of one residue beside others that get hydrogens."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

pytest.importorskip("openmm")

from latcpb_cli.chem.residues import CA_SLOT  # noqa: E402
from latcpb_cli.errors import InputError  # noqa: E402
from latcpb_cli.io.writers.bonds import heavy_bonds  # noqa: E402
from latcpb_cli.options import MdOptions  # noqa: E402
from latcpb_cli.run.postprocess import open_post_processor, preparation_notes  # noqa: E402
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk  # noqa: E402

SEQUENCE = "GCTAKWC"
CHAINS = np.array([0, 1, 1, 1, 2, 3, 3])
ALONE = np.array([0, 4])
OTHERS = np.array([1, 2, 3, 5, 6])


@pytest.fixture
def built() -> tuple[CGTrace, np.ndarray, FrameChunk]:
    """Two frames of chains of one, three, one and two residues, far apart."""
    atoms = structure(SEQUENCE).atoms
    atoms = np.concatenate([atoms, atoms + 1.0]) + 30.0 * CHAINS[None, :, None, None].astype(np.float32)
    ids, codes = np.array(list("ABBBCDD")), np.full(7, "")
    trace = CGTrace(SEQUENCE, ids, CHAINS, np.arange(1, 8), codes)
    chunk = FrameChunk(atoms[:, :, CA_SLOT], np.zeros(2), np.zeros((2, 6), np.float32), np.arange(2))
    return trace, atoms[:, None].astype(np.float32), chunk


def test_the_rest_gets_hydrogens(built):
    trace, atoms, chunk = built
    processor = open_post_processor(AtomTopology.heavy_atoms(trace), MdOptions(hydrogens=True), "cpu", ())
    topology = processor.topology
    assert topology.residue.tolist() == sorted(topology.residue.tolist())
    hydrogens = topology.elements == "H"
    assert set(topology.residue[hydrogens].tolist()) == set(OTHERS.tolist())
    result, rows = processor.process(atoms, chunk)
    assert rows == [{}, {}]
    written = topology.flatten(result[:, 0])
    np.testing.assert_array_equal(written[:, topology.names == "CA"], chunk.positions)
    np.testing.assert_array_equal(result[:, :, ALONE, :15], atoms[:, :, ALONE])
    bonds = processor.bonds(())
    lengths = np.linalg.norm(written[0, bonds[:, 0]] - written[0, bonds[:, 1]], axis=1)
    inside = (
        trace.chain_index[topology.residue[bonds[:, 0]]] == trace.chain_index[topology.residue[bonds[:, 1]]]
    )
    assert inside.all() and 0.9 < lengths.min()
    heavy = ~hydrogens[bonds].any(axis=1)
    assert heavy.sum() == len(heavy_bonds(AtomTopology.heavy_atoms(trace)))
    assert len(bonds) == heavy.sum() + hydrogens.sum()


def test_only_the_rest_is_minimised(built):
    trace, atoms, chunk = built
    md = MdOptions(minimize=5)
    processor = open_post_processor(AtomTopology.heavy_atoms(trace), md, "cpu", ())
    result, rows = processor.process(atoms, chunk)
    assert result.shape == atoms.shape
    np.testing.assert_array_equal(result[:, :, ALONE], atoms[:, :, ALONE])
    assert not np.array_equal(result[:, :, OTHERS], atoms[:, :, OTHERS])
    assert rows[0]["minimize_ca_moved_max"] > 0


def test_what_is_left_is_noted(built):
    trace = built[0]
    assert preparation_notes(trace, None) == []
    assert preparation_notes(trace, MdOptions(hydrogens=True, minimize=1)) == [
        "no hydrogens and not minimised, chains of one residue: A:GLY1, C:LYS5"
    ]


def test_disulfides_of_the_rest_count_and_others_are_refused(built):
    trace = built[0]
    topology, md = AtomTopology.heavy_atoms(trace), MdOptions(hydrogens=True)
    joined = open_post_processor(topology, md, "cpu", [(1, 6)])
    assert not (joined.topology.names == "HG").any()
    alone = CGTrace("C" + SEQUENCE[1:], trace.chain_ids, trace.chain_index, trace.resids, trace.icodes)
    with pytest.raises(InputError, match="a disulfide joins A:CYS1 and B:CYS2"):
        open_post_processor(AtomTopology.heavy_atoms(alone), md, "cpu", [(0, 1)])


def test_one_residue_alone_is_refused():
    trace = structure("G").trace
    with pytest.raises(InputError, match="chains of one residue, and there are no others"):
        open_post_processor(AtomTopology.heavy_atoms(trace), MdOptions(hydrogens=True), "cpu", ())
