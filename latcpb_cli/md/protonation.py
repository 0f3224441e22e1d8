"""Which hydrogens there are: the same ones in every frame."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from openmm import Platform, Vec3
from openmm.app import Element, Modeller
from openmm.unit import nanometer

from latcpb_cli.chem.modified import VARIANTS
from latcpb_cli.chem.residues import NAMES
from latcpb_cli.md.molecule import Molecule
from latcpb_cli.structure import AtomTopology

__all__ = ["protonate", "protonation_states"]

_HISTIDINE_PK = 6.5
"""OpenMM's; above it a histidine is neutral."""
_FAR_APART = 0.4
"""nm"""
_PROTONATED = ("HID", "HIE", "HIP", "ASH", "GLH", "LYN")
_ACIDIC = ("S1P", "T1P", "Y1P")
"""Phosphates that keep a hydrogen."""
_STATES: dict[str, tuple[tuple[set[str], str], ...]] = {
    "HIS": (({"HD1", "HE2"}, "HIP"), ({"HE2"}, "HIE"), ({"HD1"}, "HID")),
    "ASP": (({"HD2"}, "ASH"), (set(), "ASP")),
    "GLU": (({"HE2"}, "GLH"), (set(), "GLU")),
    "LYS": (({"HZ1", "HZ2", "HZ3"}, "LYS"), (set(), "LYN")),
    "CYS": (({"HG"}, "CYS"), (set(), "CYX")),
}
"""Hydrogens that tell the states of a residue apart; the first set that is there counts."""


def protonate(heavy: Molecule, ph: float) -> Molecule:
    """Add the hydrogens of a pH; where they stand is another question.

    OpenMM's Modeller chooses them by the usual pKa of each side chain. It
    would choose between the two neutral histidines by hydrogen bonds, which
    come and go along a trajectory: here all of them are HIE, unless the input
    names the state (HID, HIP, ASH, ...).

    Parameters
    ----------
    heavy : Molecule
    ph : float

    Returns
    -------
    Molecule
        Hydrogens follow the heavy atoms of their residue, in slots from ``trace.n_slots`` on.
    """
    topology = heavy.to_openmm()
    trace = heavy.topology.trace
    variants = [_variant(trace.name(index), ph) for index in range(len(trace))]
    # The states do not depend on positions: atoms on a wide spiral keep its own placing of hydrogens short.
    places = [Vec3(_FAR_APART * row, np.cos(row), np.sin(row)) for row in range(len(heavy.topology))]
    modeller = Modeller(topology, places * nanometer)
    modeller.addHydrogens(pH=ph, variants=variants, platform=Platform.getPlatformByName("CPU"))
    return _extended(heavy, modeller)


def _variant(name: str, ph: float) -> str | None:
    """How a residue is protonated, in the words of Modeller; None leaves it to the pH."""
    if name == "HIS":
        return "HIE" if ph > _HISTIDINE_PK else "HIP"
    return name if name in _PROTONATED else None


def protonation_states(topology: AtomTopology) -> list[str]:
    """Name the state of each residue that has several, by its hydrogens; "" for the others."""
    found: list[set[str]] = [set() for _ in range(len(topology.trace))]
    for residue, name in zip(topology.residue.tolist(), topology.names, strict=True):
        found[residue].add(str(name))
    rules = [_STATES.get(NAMES[kind], ()) for kind in topology.trace.residue_types]
    return [
        next((state for hydrogens, state in rule if hydrogens <= there), "")
        for rule, there in zip(rules, found, strict=True)
    ]


def _with_states(topology: AtomTopology) -> AtomTopology:
    """Write the states into the trace, so that a file in Amber's names calls the residues by them."""
    variants = np.array([topology.trace.name(i) for i in range(len(topology.trace))], dtype="U4")
    variants[~np.isin(variants, VARIANTS)] = ""
    states = np.array(protonation_states(topology), dtype="U4")
    variants = np.where(np.isin(states, _PROTONATED), states, variants)
    return replace(topology, trace=replace(topology.trace, variants=variants))


def _extended(heavy: Molecule, modeller: Modeller) -> Molecule:
    """Put the hydrogens that a Modeller found into slots behind the heavy atoms."""
    old, places = heavy.topology, _hydrogens(heavy, modeller)
    count: Counter[int] = Counter()
    slots = []
    for parent, _ in places:
        residue = int(old.residue[parent])
        slots.append(old.trace.n_slots + count[residue])
        count[residue] += 1
    parents = np.array([parent for parent, _ in places], dtype=np.int64)
    owner = np.concatenate([old.residue, old.residue[parents]])
    slot = np.concatenate([old.slot, np.array(slots, dtype=np.int64)])
    order = np.lexsort((slot, owner))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    names = np.concatenate([old.names, _ammonium([name for _, name in places], old.residue[parents])])
    elements = np.concatenate([old.elements, np.full(len(parents), "H")])
    topology = AtomTopology(old.trace, owner[order], slot[order], names[order], elements[order])
    joined = np.stack([parents, len(old) + np.arange(len(parents))], axis=1)
    return Molecule(_with_states(topology), place[np.concatenate([heavy.bonds, joined])])


def _hydrogens(heavy: Molecule, modeller: Modeller) -> list[tuple[int, str]]:
    """List the row of the parent and the name of each hydrogen, in the order of the parents."""
    hydrogen, old = Element.getBySymbol("H"), heavy.topology
    atoms = (atom for atom in modeller.topology.atoms() if atom.element != hydrogen)
    row_of = {atom: row for row, atom in enumerate(atoms)}
    neighbours = np.bincount(heavy.bonds.ravel(), minlength=len(old))
    # A modified residue is its parent to Modeller, which sees a hydroxyl where a phosphate hangs.
    full = np.isin(old.elements, ("O", "S")) & (neighbours > 1)
    found = [(row_of[a], b.name) for a, b in modeller.topology.bonds() if b.element == hydrogen]
    acidic = {i for i in range(len(old.trace)) if old.trace.name(i) in _ACIDIC}
    found += [
        (row, "HOP3")
        for row in np.flatnonzero(old.names == "O3P").tolist()
        if int(old.residue[row]) in acidic
    ]
    return sorted((row, name) for row, name in found if not full[row])


def _ammonium(names: list[str], residues: np.ndarray) -> np.ndarray:
    """Rename H to H1 beside H2 and H3, which is how PDB files have an N terminus."""
    charged = {residue for residue, name in zip(residues, names, strict=True) if name == "H2"}
    pairs = zip(residues, names, strict=True)
    # Proline has H2 and H3 and no third.
    return np.array(["H1" if name == "H" and residue in charged else name for residue, name in pairs], "U4")
