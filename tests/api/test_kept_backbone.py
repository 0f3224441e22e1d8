"""``keep_backbone=True`` in Python."""

from __future__ import annotations

import MDAnalysis
import numpy as np
import pytest
from peptides import pdb_text, structure

import latcpb_cli as latcpb
from latcpb_cli.io.backbone_atoms import BACKBONE_OFFER


def test_a_universe_keeps_its_backbone_to_the_bit(model, tmp_path) -> None:
    """A group without side chains is enough."""
    (tmp_path / "native.pdb").write_text(pdb_text(structure("MGSWTYPLK")))
    universe = MDAnalysis.Universe(str(tmp_path / "native.pdb"), to_guess=())
    universe.transfer_to_memory()
    universe.trajectory.get_array()[:] += np.float32(0.1)
    backbone = universe.select_atoms("backbone")
    assert len(backbone.atoms) == 4 * 9
    result = model.backmap(backbone, keep_backbone=True)
    for name in ("N", "CA", "C", "O"):
        built = result.universe.select_atoms(f"name {name}").positions
        np.testing.assert_array_equal(built, universe.select_atoms(f"name {name}").positions)
    assert result.run.source.notes == ("kept: N and C of 9 residues, O of 9, CB of 0",)
    assert BACKBONE_OFFER in latcpb.inspect(backbone).source.notes


def test_an_array_of_ca_has_none(model) -> None:
    with pytest.raises(latcpb.LatcpbError, match="array: no N and C beside the Cα"):
        model.backmap(np.arange(15.0).reshape(5, 3) * 2.2, sequence="AAAAA", keep_backbone=True)
