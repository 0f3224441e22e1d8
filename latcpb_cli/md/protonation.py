"""Which hydrogens there are: the same ones in every frame (layer 4)."""

from __future__ import annotations

from collections import Counter

import numpy as np
from openmm import Platform, Vec3
from openmm.app import Element, Modeller
from openmm.unit import nanometer

from latcpb_cli.chem.residues import N_SLOTS, NAMES
from latcpb_cli.md.molecule import Molecule
from latcpb_cli.structure import AtomTopology

__all__ = ["protonate", "protonation_states"]

_HISTIDINE_PK = 6.5
"""OpenMM's; above it a histidine is neutral."""
_FAR_APART = 0.4
"""nm"""
_STATES: dict[str, tuple[tuple[set[str], str], ...]] = {
    "HIS": (({"HD1", "HE2"}, "HIP"), ({"HE2"}, "HIE"), ({"HD1"}, "HID")),
    "ASP": (({"HD2"}, "ASH"), (set(), "ASP")),
    "GLU": (({"HE2"}, "GLH"), (set(), "GLU")),
    "LYS": (({"HZ1"}, "LYS"), (set(), "LYN")),
    "CYS": (({"HG"}, "CYS"), (set(), "CYX")),
}
"""Hydrogens that tell the states of a residue apart; the first set that is there counts."""


def protonate(heavy: Molecule, ph: float) -> Molecule:
    """Add the hydrogens of a pH; where they stand is another question.

    OpenMM's Modeller chooses them by the usual pKa of each side chain. It
    would choose between the two neutral histidines by hydrogen bonds, which
    come and go along a trajectory: here all of them are HIE.

    Parameters
    ----------
    heavy : Molecule
    ph : float

    Returns
    -------
    Molecule
        Hydrogens follow the heavy atoms of their residue, in slots from 15 on.
    """
    histidine = "HIE" if ph > _HISTIDINE_PK else "HIP"
    topology = heavy.to_openmm()
    variants = [histidine if residue.name == "HIS" else None for residue in topology.residues()]
    # The states do not depend on positions: atoms on a wide spiral keep its own placing of hydrogens short.
    places = [Vec3(_FAR_APART * row, np.cos(row), np.sin(row)) for row in range(len(heavy.topology))]
    modeller = Modeller(topology, places * nanometer)
    modeller.addHydrogens(pH=ph, variants=variants, platform=Platform.getPlatformByName("CPU"))
    return _extended(heavy, modeller)


def protonation_states(topology: AtomTopology) -> dict[str, int]:
    """Count the states of the residues that have several: ``{'HIE': 3, 'ASP': 7, ...}``."""
    found: dict[int, set[str]] = {}
    for residue, name in zip(topology.residue.tolist(), topology.names, strict=True):
        found.setdefault(residue, set()).add(str(name))
    counts: Counter[str] = Counter()
    for residue, kind in enumerate(topology.trace.residue_types):
        for hydrogens, state in _STATES.get(NAMES[kind], ()):
            if hydrogens <= found[residue]:
                counts[state] += 1
                break
    return dict(counts)


def _extended(heavy: Molecule, modeller: Modeller) -> Molecule:
    """Put the hydrogens that a Modeller found into slots behind the heavy atoms."""
    old, hydrogen = heavy.topology, Element.getBySymbol("H")
    heavy_row = {
        atom: row for row, atom in enumerate(a for a in modeller.topology.atoms() if a.element != hydrogen)
    }
    parents, residues, slots, names = [], [], [], []
    count: Counter[int] = Counter()
    for bond in modeller.topology.bonds():
        parent, atom = bond if bond[1].element == hydrogen else bond[::-1]
        if atom.element != hydrogen:
            continue
        residue = atom.residue.index
        parents.append(heavy_row[parent])
        residues.append(residue)
        slots.append(N_SLOTS + count[residue])
        names.append(atom.name)
        count[residue] += 1
    residue = np.concatenate([old.residue, np.array(residues, dtype=np.int64)])
    slot = np.concatenate([old.slot, np.array(slots, dtype=np.int64)])
    order = np.lexsort((slot, residue))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    joined = np.stack([np.array(parents, dtype=np.int64), len(old) + np.arange(len(parents))], axis=1)
    all_names = np.concatenate([old.names, _ammonium(names, residues)])
    elements = np.concatenate([old.elements, np.full(len(parents), "H")])
    topology = AtomTopology(old.trace, residue[order], slot[order], all_names[order], elements[order])
    return Molecule(topology, place[np.concatenate([heavy.bonds, joined.reshape(-1, 2)])])


def _ammonium(names: list[str], residues: list[int]) -> np.ndarray:
    """Rename H to H1 beside H2 and H3, which is how PDB files have an N terminus."""
    charged = {residue for residue, name in zip(residues, names, strict=True) if name == "H2"}
    pairs = zip(residues, names, strict=True)
    return np.array(["H1" if name == "H" and residue in charged else name for residue, name in pairs], "U4")
