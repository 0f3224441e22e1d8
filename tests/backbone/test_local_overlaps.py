"""Overlaps of the peptides of a residue, by phi and psi."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latcpb_cli.backbone.local_overlaps import local_overlaps
from latcpb_cli.chem.ramachandran import RESIDUE_CLASSES, map_bin, ramachandran_maps


def overlap(name: str, phi: float, psi: float) -> float:
    row, column = map_bin(np.radians([phi, psi]))
    return float(local_overlaps()[RESIDUE_CLASSES.index(name), row, column])


@pytest.mark.parametrize(("phi", "psi"), [(-63, -43), (-120, 130), (-75, 145)])
def test_helix_strand_and_polyproline_have_none(phi: float, psi: float) -> None:
    assert overlap("general", phi, psi) < 1e-3


def test_oxygen_before_and_c_of_the_residue() -> None:
    # CA before, C, N, CA and C of a residue with phi 0 are in one plane: O and C are 2.2 Å apart.
    assert overlap("glycine", 0.0, 120.0) > 0.3
    assert overlap("general", -45.0, 130.0) > overlap("general", -60.0, 130.0)


def test_only_cb_and_a_proline_that_follows_add_overlaps() -> None:
    glycine, general, proline, pre_proline = (
        local_overlaps()[RESIDUE_CLASSES.index(name)]
        for name in ("glycine", "general", "proline", "pre-proline")
    )
    assert np.array_equal(general, proline)
    assert (general >= glycine).all() and (pre_proline >= general).all()
    assert overlap("glycine", 120.0, 150.0) < 0.01 < overlap("general", 120.0, 150.0)
    assert overlap("general", -60.0, -40.0) < 0.01 < overlap("pre-proline", -60.0, -40.0)


def test_glycine_is_symmetric() -> None:
    glycine = local_overlaps()[RESIDUE_CLASSES.index("glycine")]
    assert np.allclose(glycine, glycine[::-1, ::-1], atol=1e-9)


def test_most_favoured_torsions_have_little() -> None:
    for name, maximum in (("general", 0.02), ("glycine", 0.02), ("pre-proline", 0.05)):
        index = RESIDUE_CLASSES.index(name)
        favoured = local_overlaps()[index][ramachandran_maps()[index] == 2]
        assert math.sqrt(np.median(favoured)) < maximum
