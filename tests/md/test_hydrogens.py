"""Which hydrogens a structure gets, and where they are put."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

pytest.importorskip("openmm")

from latcpb_cli.md.hydrogen_positions import HydrogenPlaces  # noqa: E402
from latcpb_cli.md.molecule import heavy_molecule  # noqa: E402
from latcpb_cli.md.protonation import protonate, protonation_states  # noqa: E402
from latcpb_cli.structure import AtomTopology  # noqa: E402

ALL = "ARNDCQEGHILKMFPSTWYV"
HYDROGENS = dict(zip(ALL, (5, 13, 6, 4, 5, 8, 6, 3, 7, 11, 11, 13, 9, 9, 7, 5, 7, 10, 9, 9), strict=True))
"""Of a residue inside a chain at pH 7, HIE among them."""
LONGEST = {"C": 1.10, "N": 1.04, "O": 0.98, "S": 1.36}


def molecule(sequence, ph=7.0, variants=None, bridges=()):
    trace = structure(sequence).trace
    if variants is not None:
        trace = replace(trace, variants=np.array(variants))
    return protonate(heavy_molecule(AtomTopology.heavy_atoms(trace), bridges), ph)


def names_of(topology, residue):
    mine = (topology.residue == residue) & (topology.elements == "H")
    return set(topology.names[mine].tolist())


def test_every_residue_type_has_its_hydrogens():
    topology = molecule(f"G{ALL}G").topology
    counts = np.bincount(topology.residue[topology.elements == "H"])
    assert dict(zip(ALL, counts[1:-1].tolist(), strict=True)) == HYDROGENS
    assert names_of(topology, 0) == {"H1", "H2", "H3", "HA2", "HA3"}
    assert names_of(topology, 21) == {"H", "HA2", "HA3"}


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
    topology = molecule("GHDEKCG", ph).topology
    assert protonation_states(topology) == ["", *states, ""]
    # The names of the residues say it, for files in the names of Amber.
    assert topology.trace.name(1) == states[0]


def test_states_that_the_input_names_are_kept():
    topology = molecule("GHHDG", 7.0, variants=["", "HID", "HIP", "ASH", ""]).topology
    assert protonation_states(topology) == ["", "HID", "HIP", "ASH", ""]


def test_joined_cysteines_have_no_thiol():
    topology = molecule("GCGGCGC", bridges=((1, 4),)).topology
    assert [state for state in protonation_states(topology) if state] == ["CYX", "CYX", "CYS"]


def test_phosphates_have_no_hydroxyl():
    topology = molecule("GSTYSG", variants=["", "SEP", "TPO", "PTR", "S1P", ""]).topology
    assert names_of(topology, 1) == {"H", "HA", "HB2", "HB3"}
    assert names_of(topology, 2) == {"H", "HA", "HB", "HG21", "HG22", "HG23"}
    assert names_of(topology, 3) == {"H", "HA", "HB2", "HB3", "HD1", "HD2", "HE1", "HE2"}
    assert names_of(topology, 4) == {"H", "HA", "HB2", "HB3", "HOP3"}


@pytest.mark.parametrize("sequence", [ALL, "PG", "G", "K"])
def test_hydrogens_stand_at_their_atoms_and_nowhere_else(sequence):
    built, found = structure(sequence, phi=-120.0, psi=130.0), molecule(sequence)
    topology, heavy = found.topology, found.heavy
    points = np.zeros((1, len(topology), 3))
    points[0, heavy] = built.atoms[0, topology.residue[heavy], topology.slot[heavy]]
    placed = HydrogenPlaces(found).place(points)[0]
    np.testing.assert_array_equal(placed[heavy], points[0, heavy])
    parent = {max(pair): min(pair) for pair in found.bonds.tolist() if not heavy[list(pair)].all()}
    distance = np.linalg.norm(placed[:, None] - placed[None], axis=-1)
    # Ideal side chains of neighbours may touch.
    distance[topology.residue[:, None] != topology.residue] = np.inf
    np.fill_diagonal(distance, np.inf)
    for row in np.flatnonzero(~heavy):
        assert distance[row].argmin() == parent[row]
        assert 0.9 < distance[row, parent[row]] < LONGEST[topology.elements[parent[row]]]
        # No two on one atom fall together, and none on a neighbour of the atom.
        assert np.sort(distance[row])[1] > 1.5


def test_hydrogens_on_the_wrong_side_are_noticed():
    built, found = structure(ALL, phi=-120.0, psi=130.0), molecule(ALL)
    topology, tool = found.topology, HydrogenPlaces(found)
    heavy = np.where(found.heavy, topology.slot, 1)
    placed = tool.place(built.atoms[:, topology.residue, heavy])[0]
    assert len(tool.strayed(placed, placed)) == 0
    turned = placed.copy()
    for residue, name in ((8, "HB2"), (19, "HA"), (0, "HB1")):
        row = np.flatnonzero((topology.residue == residue) & (topology.names == name))[0]
        parent = np.flatnonzero((topology.residue == residue) & (topology.names == f"C{name[1]}"))[0]
        turned[row] = 2 * placed[parent] - placed[row]
    rows = tool.strayed(placed, turned)
    # Those of a methyl may go where they like.
    assert sorted(topology.names[rows].tolist()) == ["HA", "HB2"]
