"""Bond graphs and their edit distances."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.chem.residues import CB_SLOT, O_SLOT
from latcpb_cli.metrics.graph import bond_graph, graph_distance


def graph(sample):
    return bond_graph(sample.trace.residue_types, sample.atoms[0], sample.present)


def test_bond_graph_is_the_chemical_one():
    assert len(graph(structure("GAG", phi=-120, psi=130))) == 13


def test_both_distances_of_bond_graphs():
    sample = structure("GAG", phi=-120, psi=130)
    atoms = sample.atoms.copy()
    atoms[0, 1, CB_SLOT] += 30.0  # one bond is missing
    broken = structure("GAG", frames=atoms)
    distance = graph_distance(graph(sample), graph(broken), sample.present)
    assert distance.edges == distance.symmetric == pytest.approx(1 / 13)
    atoms[0, 1, CB_SLOT] = atoms[0, 0, O_SLOT] + np.float32([0, 0, 1.5])  # and another one is made
    rebonded = structure("GAG", frames=atoms)
    distance = graph_distance(graph(sample), graph(rebonded), sample.present)
    assert distance.edges < distance.symmetric


def test_bond_graph_of_chosen_atoms_only():
    sample = structure("GAG", phi=-120, psi=130)
    atoms = sample.atoms.copy()
    atoms[0, 0, O_SLOT] += 30.0
    chosen = sample.present.copy()
    chosen[[0, 2]] = False
    distance = graph_distance(graph(sample), graph(structure("GAG", frames=atoms)), chosen)
    assert distance.symmetric == 0.0
    assert graph_distance(graph(sample), graph(sample), np.zeros_like(chosen)) is None
