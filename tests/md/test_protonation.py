"""Which hydrogens a structure has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

pytest.importorskip("openmm")

from latcpb_cli.md.molecule import heavy_molecule  # noqa: E402
from latcpb_cli.md.protonation import protonate, protonation_states  # noqa: E402
from latcpb_cli.structure import AtomTopology  # noqa: E402

LETTERS = "ARNDCQEGHILKMFPSTWYV"
N_HYDROGENS = dict(
    zip(LETTERS, (5, 13, 6, 4, 5, 8, 6, 3, 7, 11, 11, 13, 9, 9, 7, 5, 7, 10, 9, 9), strict=True)
)
"""Of a residue inside a chain at pH 7; histidine is HIE."""


def protonated(sequence, ph=7.0, variants=None, bridges=()):
    """Topology of an ideal peptide with hydrogens."""
    trace = structure(sequence).trace
    if variants is not None:
        trace = replace(trace, variants=np.array(variants))
    return protonate(heavy_molecule(AtomTopology.heavy_atoms(trace), bridges), ph).topology


def hydrogen_names(topology, residue):
    rows = (topology.residue == residue) & (topology.elements == "H")
    return set(topology.names[rows].tolist())


def test_every_residue_type_has_its_hydrogens():
    topology = protonated(f"G{LETTERS}G")
    counts = np.bincount(topology.residue[topology.elements == "H"])
    assert dict(zip(LETTERS, counts[1:-1].tolist(), strict=True)) == N_HYDROGENS
    assert hydrogen_names(topology, 0) == {"H1", "H2", "H3", "HA2", "HA3"}
    assert hydrogen_names(topology, 21) == {"H", "HA2", "HA3"}


@pytest.mark.parametrize(
    ("ph", "states"),
    [
        (7.0, ["HIE", "ASP", "GLU", "LYS", "CYS"]),
        (5.0, ["HIP", "ASP", "GLU", "LYS", "CYS"]),
        (3.0, ["HIP", "ASH", "GLH", "LYS", "CYS"]),
        (12.0, ["HIE", "ASP", "GLU", "LYN", "CYX"]),
    ],
)
def test_states_follow_the_ph(ph, states):
    topology = protonated("GHDEKCG", ph)
    assert protonation_states(topology) == ["", *states, ""]
    # The residue names of files with Amber's names.
    assert topology.trace.names[1] == states[0]


def test_states_of_the_input_are_kept():
    topology = protonated("GHHDG", 7.0, variants=["", "HID", "HIP", "ASH", ""])
    assert protonation_states(topology) == ["", "HID", "HIP", "ASH", ""]


def test_cysteines_with_a_disulfide_have_no_thiol():
    topology = protonated("GCGGCGC", bridges=((1, 4),))
    assert [state for state in protonation_states(topology) if state] == ["CYX", "CYX", "CYS"]


def test_phosphates_have_no_hydroxyl():
    topology = protonated("GSTYSG", variants=["", "SEP", "TPO", "PTR", "S1P", ""])
    assert hydrogen_names(topology, 1) == {"H", "HA", "HB2", "HB3"}
    assert hydrogen_names(topology, 2) == {"H", "HA", "HB", "HG21", "HG22", "HG23"}
    assert hydrogen_names(topology, 3) == {"H", "HA", "HB2", "HB3", "HD1", "HD2", "HE1", "HE2"}
    assert hydrogen_names(topology, 4) == {"H", "HA", "HB2", "HB3", "HOP3"}
