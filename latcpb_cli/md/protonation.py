"""Which hydrogens a molecule has; they are the same in every frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int
from openmm import Platform, Vec3
from openmm.app import Element, Modeller
from openmm.unit import nanometer

from latcpb_cli.chem.modified import VARIANTS
from latcpb_cli.chem.residues import NAMES
from latcpb_cli.md.molecule import Molecule
from latcpb_cli.structure import AtomTopology

__all__ = ["protonate", "protonation_states"]

_HISTIDINE_PKA = 6.5
"""That of OpenMM's Modeller; above it a histidine is neutral."""
_SPACING = 0.4
"""nm between atoms in the positions that Modeller gets."""
_PROTONATED = ("HID", "HIE", "HIP", "ASH", "GLH", "LYN")
"""Residue names of Amber that Modeller accepts as protonation states."""
_ACIDIC = ("S1P", "T1P", "Y1P")
"""Phosphates with a hydrogen."""
_TERMINAL_HYDROGENS = ("H2", "H3")
"""Hydrogens at the N of an N terminus that no other residue has there."""
_STATES: dict[str, tuple[tuple[set[str], str], ...]] = {
    "HIS": (({"HD1", "HE2"}, "HIP"), ({"HE2"}, "HIE"), ({"HD1"}, "HID")),
    "ASP": (({"HD2"}, "ASH"), (set(), "ASP")),
    "GLU": (({"HE2"}, "GLH"), (set(), "GLU")),
    "LYS": (({"HZ1", "HZ2", "HZ3"}, "LYS"), (set(), "LYN")),
    "CYS": (({"HG"}, "CYS"), (set(), "CYX")),
}
"""Protonation states by the hydrogens that they have; the first whose hydrogens are all present applies."""


def protonate(heavy: Molecule, ph: float) -> Molecule:
    """Add the hydrogens of a pH, without positions.

    OpenMM's Modeller chooses them by the usual pKa of each side chain. It
    would choose between the two neutral histidines by hydrogen bonds, which
    change along a trajectory; instead all of them are HIE, unless the input
    specifies the state (HID, HIP, ASH, ...).

    Parameters
    ----------
    heavy : Molecule
        Without hydrogens.
    ph : float

    Returns
    -------
    Molecule
        Hydrogens follow the heavy atoms of their residue, in slots from ``trace.n_slots`` on.
    """
    trace = heavy.topology.trace
    variants = [_modeller_variant(name, ph) for name in trace.names]
    # The states do not depend on positions; atoms far apart, on a spiral, keep Modeller's placement short.
    spiral = [Vec3(_SPACING * row, np.cos(row), np.sin(row)) for row in range(len(heavy.topology))]
    modeller = Modeller(heavy.to_openmm(), spiral * nanometer)
    modeller.addHydrogens(pH=ph, variants=variants, platform=Platform.getPlatformByName("CPU"))
    return _with_hydrogens(heavy, _hydrogens(heavy, modeller))


def _modeller_variant(name: str, ph: float) -> str | None:
    """Variant of a residue for Modeller; None for its choice by pH."""
    if name == "HIS":
        return "HIE" if ph > _HISTIDINE_PKA else "HIP"
    return name if name in _PROTONATED else None


def protonation_states(topology: AtomTopology) -> list[str]:
    """Return the protonation state of each residue, "" for residue types with one state only."""
    atom_names: list[set[str]] = [set() for _ in range(len(topology.trace))]
    for residue, name in zip(topology.residue.tolist(), topology.names, strict=True):
        atom_names[residue].add(str(name))
    rules = [_STATES.get(NAMES[residue_type], ()) for residue_type in topology.trace.residue_types]
    return [
        next((state for hydrogens, state in rule if hydrogens <= present), "")
        for rule, present in zip(rules, atom_names, strict=True)
    ]


def _with_states(topology: AtomTopology) -> AtomTopology:
    """Set the variants of the trace, by which a file with Amber's residue names is written."""
    variants = np.array(topology.trace.names, dtype="U4")
    variants[~np.isin(variants, list(VARIANTS))] = ""
    states = np.array(protonation_states(topology), dtype="U4")
    variants = np.where(np.isin(states, _PROTONATED), states, variants)
    return replace(topology, trace=replace(topology.trace, variants=variants))


def _with_hydrogens(heavy: Molecule, hydrogens: list[tuple[int, str]]) -> Molecule:
    """Add hydrogens, given as parent and name, in slots behind the heavy atoms."""
    old = heavy.topology
    count: Counter[int] = Counter()
    slots = []
    for parent, _ in hydrogens:
        residue = int(old.residue[parent])
        slots.append(old.trace.n_slots + count[residue])
        count[residue] += 1
    parents = np.array([parent for parent, _ in hydrogens], dtype=np.int64)
    all_residues = np.concatenate([old.residue, old.residue[parents]])
    all_slots = np.concatenate([old.slot, np.array(slots, dtype=np.int64)])
    order = np.lexsort((all_slots, all_residues))
    new_row = np.empty_like(order)
    new_row[order] = np.arange(len(order))
    hydrogen_names = _rename_ammonium([name for _, name in hydrogens], old.residue[parents])
    names = np.concatenate([old.names, hydrogen_names])
    elements = np.concatenate([old.elements, np.full(len(parents), "H")])
    topology = AtomTopology(old.trace, all_residues[order], all_slots[order], names[order], elements[order])
    new_bonds = np.stack([parents, len(old) + np.arange(len(parents))], axis=1)
    return Molecule(_with_states(topology), new_row[np.concatenate([heavy.bonds, new_bonds])])


def _hydrogens(heavy: Molecule, modeller: Modeller) -> list[tuple[int, str]]:
    """Row of the parent, and name, of each hydrogen that Modeller added, in the order of the parents."""
    hydrogen, old = Element.getBySymbol("H"), heavy.topology
    heavy_atoms = (atom for atom in modeller.topology.atoms() if atom.element != hydrogen)
    row_of = {atom: row for row, atom in enumerate(heavy_atoms)}
    hydrogens = [(row_of[a], b.name) for a, b in modeller.topology.bonds() if b.element == hydrogen]
    acidic = {i for i, name in enumerate(old.trace.names) if name in _ACIDIC}
    acidic_oxygens = [
        row for row in np.flatnonzero(old.names == "O3P").tolist() if int(old.residue[row]) in acidic
    ]
    hydrogens += [(row, "HOP3") for row in acidic_oxygens]
    # Modeller takes the first residue of a ring for an N terminus.
    ring_starts = {first for first, _ in old.trace.rings}
    hydrogens = [
        (row, name)
        for row, name in hydrogens
        if not (name in _TERMINAL_HYDROGENS and int(old.residue[row]) in ring_starts)
    ]
    # Modeller treats a phosphorylated residue as its parent and adds a hydroxyl where the phosphate is.
    n_neighbors = np.bincount(heavy.bonds.ravel(), minlength=len(old))
    is_saturated = np.isin(old.elements, ("O", "S")) & (n_neighbors > 1)
    return sorted((row, name) for row, name in hydrogens if not is_saturated[row])


def _rename_ammonium(names: Sequence[str], residues: Int[np.ndarray, "H"]) -> np.ndarray:
    """Rename H of an N terminus with H2 and H3 to H1, as in PDB files."""
    charged = {residue for residue, name in zip(residues, names, strict=True) if name == "H2"}
    pairs = zip(residues, names, strict=True)
    # Proline has H2 and H3 only.
    return np.array(["H1" if name == "H" and residue in charged else name for residue, name in pairs], "U4")
