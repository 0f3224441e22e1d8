"""The clashscore with hydrogens: radii, bonds that are left out, hydrogen bonds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.chem.residues import NAMES, slot_of
from latcpb_cli.metrics.clashscore import Clashscore


def two_hydrogens(first, second, distance):
    """Clashes of two hydrogens on atoms like ``ALA CB``, whose heavy atoms are far from everything."""
    types = np.array([NAMES.index(name.split()[0]) for name in (first, second)])
    slots = np.array([slot_of(*name.split()) for name in (first, second)])
    present = np.zeros((2, 15), dtype=bool)
    present[[0, 1], slots] = True
    atoms = np.zeros((2, 15, 3))
    atoms[[0, 1], slots] = [[-50, 0, 0], [50, 0, 0]]
    hydrogens = np.array([[0.0, 0, 0], [distance, 0, 0]])
    counter = Clashscore(types, present, np.array([0, 1]), slots)
    assert len(counter) == 4
    return counter.count(atoms, hydrogens, np.array([False, False]))


@pytest.mark.parametrize(
    ("first", "second", "limit"),
    [
        ("ALA CB", "ALA CB", 2 * 1.22 - 0.4),
        ("PHE CZ", "ALA CB", 1.05 + 1.22 - 0.4),
        ("LYS NZ", "ALA CB", 1.05 + 1.22 - 0.4),
        ("SER OG", "HIS CD2", 2 * 1.05 - 0.4),
        ("PRO CD", "ALA CB", 2 * 1.22 - 0.4),
    ],
)
def test_radii(first, second, limit):
    assert two_hydrogens(first, second, limit + 0.01) == 0
    assert two_hydrogens(first, second, limit - 0.01) == 1


def donor_and_acceptor(distance, acceptor="ASP OD1", donor="LYS NZ"):
    types = np.array([NAMES.index(name.split()[0]) for name in (donor, acceptor)])
    slots = [slot_of(*name.split()) for name in (donor, acceptor)]
    present = np.zeros((2, 15), dtype=bool)
    present[[0, 1], slots] = True
    atoms = np.zeros((2, 15, 3))
    atoms[0, slots[0], 0], atoms[1, slots[1], 0] = -30.0, distance
    counter = Clashscore(types, present, np.array([0]), np.array([slots[0]]))
    return counter.count(atoms, np.zeros((1, 3)), np.array([False, False]))


def test_a_polar_hydrogen_may_be_near_an_acceptor():
    contact = 1.05 + 1.40
    assert donor_and_acceptor(contact - 0.95) == 0
    assert donor_and_acceptor(contact - 1.05) == 1
    assert donor_and_acceptor(contact - 0.45, donor="ALA CB") == 1, "not on a carbon"
    assert donor_and_acceptor(1.05 + 1.55 - 0.45, acceptor="HIS ND1") == 0, "without hydrogen: an acceptor"
    assert donor_and_acceptor(1.05 + 1.55 - 0.45, acceptor="TRP NE1") == 1


def test_bonds_are_left_out_as_in_a_brute_force_count():
    """A dipeptide with one hydrogen on each heavy atom, 1 Å away in a random direction."""
    networkx = pytest.importorskip("networkx")
    sample = structure("AA", phi=-60, psi=150)
    present, atoms = sample.present, sample.atoms[0].astype(float)
    residue, slot = np.nonzero(present)
    step = np.random.default_rng(0).normal(size=(len(residue), 3))
    heavy = atoms[residue, slot]
    hydrogens = heavy + step / np.linalg.norm(step, axis=1, keepdims=True)
    graph = networkx.Graph()
    for a, b in combinations(range(len(heavy)), 2):
        if np.linalg.norm(heavy[a] - heavy[b]) < 1.9:
            graph.add_edge(a, b)
    graph.add_edges_from((n, n + len(heavy)) for n in range(len(heavy)))
    steps = dict(networkx.all_pairs_shortest_path_length(graph))
    counter = Clashscore(sample.trace.residue_types, present, residue, slot)
    radius = np.empty(len(counter))
    radius[counter.order] = counter.radius
    donors, acceptors = np.empty((2, len(counter)), dtype=bool)
    donors[counter.order], acceptors[counter.order] = counter.donor, counter.acceptor
    points, expected = np.concatenate([heavy, hydrogens]), 0
    for a, b in combinations(range(len(points)), 2):
        n_hydrogens = int(a >= len(heavy)) + int(b >= len(heavy))
        bonding = (donors[a] and acceptors[b]) or (acceptors[a] and donors[b])
        overlap = radius[a] + radius[b] - np.linalg.norm(points[a] - points[b]) - 0.6 * bonding
        expected += overlap >= 0.4 and steps[a][b] > (4 if n_hydrogens else 3)
    assert counter.count(atoms, hydrogens, np.array([True, False])) == expected > 0
