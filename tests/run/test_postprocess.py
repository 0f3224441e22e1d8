"""What is done to built atoms before they are measured."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import walk
from peptides import structure

from latcpb_cli.errors import UsageError
from latcpb_cli.options import MdOptions
from latcpb_cli.run.postprocess import NoPostProcessing, open_post_processor
from latcpb_cli.structure import AtomTopology, FrameChunk

TOPOLOGY = AtomTopology.heavy_atoms(structure("GCAHC").trace)


def test_heavy_atoms_are_left_alone_by_default():
    processor = open_post_processor(TOPOLOGY, None, "cpu", ())
    assert isinstance(processor, NoPostProcessing)
    assert (processor.topology, processor.settings) == (TOPOLOGY, {})
    chunk = FrameChunk(walk(5, 2), np.zeros(2), np.zeros((2, 6), np.float32), np.arange(2))
    atoms = np.random.default_rng(0).normal(size=(2, 3, 5, 15, 3)).astype(np.float32)
    processed, rows = processor.process(atoms.copy(), chunk)
    np.testing.assert_array_equal(processed, atoms)
    assert rows == [{}] * 6


def test_bridged_cysteines_have_no_hydrogen_on_sulphur():
    pytest.importorskip("openmm")
    md = MdOptions(hydrogens=True)
    for bridges, expected in (((), 2), (((1, 4),), 0)):
        topology = open_post_processor(TOPOLOGY, md, "cpu", bridges).topology
        assert (topology.names == "HG").sum() == expected


def test_openmm_is_required(monkeypatch):
    monkeypatch.setattr("latcpb_cli.md.force_fields.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="openmm"):
        open_post_processor(TOPOLOGY, MdOptions(minimize=1), "cpu", ())
