"""Which point of its atoms a centre of mass is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latcpb_cli.chem.residues import CYS, GLY
from latcpb_cli.com_beads.definition import center_weights, centers_of_mass
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_centre_of_a_residue_by_hand() -> None:
    """Glycine and cysteine: N, CA, C, O, CB, SG on the axes; OXT, and slots without an atom, do not count."""
    atoms = torch.full((2, 15, 3), 99.0, dtype=torch.float64)
    atoms[:, :4] = torch.tensor([[14.0, 0, 0], [0, 12.0, 0], [0, 0, 12.0], [16.0, 16.0, 0]])
    atoms[1, 4:6] = torch.tensor([[0, 0, -12.0], [32.0, 0, 0]])
    glycine = np.array([14.007 * 14 + 15.999 * 16, 12.011 * 12 + 15.999 * 16, 12.011 * 12]) / (
        14.007 + 2 * 12.011 + 15.999
    )
    mass = 14.007 + 3 * 12.011 + 15.999 + 32.06
    cysteine = [
        (14.007 * 14 + 15.999 * 16 + 32.06 * 32) / mass, (12.011 * 12 + 15.999 * 16) / mass, 0.0
    ]  # fmt: skip
    centers = centers_of_mass(atoms, torch.tensor([GLY, CYS])).numpy()
    np.testing.assert_allclose(centers, [glycine, cysteine], rtol=1e-12, atol=1e-12)


def test_weights_add_up() -> None:
    np.testing.assert_allclose(center_weights().sum(1), 1.0)


def test_the_example_has_the_beads_that_calvados_computes() -> None:
    """The file was written with the centre of mass of MDAnalysis, and has three digits."""
    native = read_all_atom(EXAMPLES / "tnc_allatom.pdb")
    beads = next(
        open_source([EXAMPLES / "tnc_com.pdb"], options=ReadOptions(com_residues="A:5-85")).chunks(1)
    ).positions[0]
    types = torch.from_numpy(native.trace.residue_types)
    centers = centers_of_mass(torch.from_numpy(native.atoms[0]), types).numpy()
    domain = (native.trace.resids >= 5) & (native.trace.resids <= 85)
    assert np.abs(centers - beads)[domain].max() == pytest.approx(0.0, abs=2e-3)
    assert np.abs(native.atoms[0, :, 1] - beads)[~domain].max() == pytest.approx(0.0, abs=6e-4)
