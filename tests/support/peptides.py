"""Small peptides with ideal geometry, built from torsions."""

from __future__ import annotations

import numpy as np

from latcpb_cli.chem.reference import peptide_reference, reference_angle, reference_length
from latcpb_cli.chem.residues import (
    ATOM_SLOTS,
    GLY,
    LETTERS,
    N_SLOTS,
    NAMES,
    OXT_SLOT,
    PRO,
    letter_index,
    slot_mask,
)
from latcpb_cli.chem.zmatrix import placements
from latcpb_cli.structure import AtomStructure, CGTrace

OFFSETS = {
    "CG2": {"I": -122.0, "V": 122.0, "T": -120.0},
    "CD2": 180.0,
    "ND2": 180.0,
    "OD2": 180.0,
    "OE2": 180.0,
    "NE2": 180.0,
}
"""Torsion of a branch minus its chi angle (degrees), 180 where planar."""
PROLINE_CHI = (28.0, -36.0)
FLAT = {"NH1": 0.0, "NH2": 180.0}
PLANAR = {
    "H": {"CE1": 180.0, "NE2": 180.0},
    "F": {"CE1": 180.0, "CE2": 180.0, "CZ": 0.0},
    "Y": {"CE1": 180.0, "CE2": 180.0, "CZ": 0.0, "OH": 180.0},
    "W": {"NE1": 180.0, "CE2": 180.0, "CE3": 0.0, "CZ2": 180.0, "CZ3": 180.0, "CH2": 0.0},
    "R": FLAT,
}


def place(a, b, c, length, angle, torsion):
    """Put x so that c-x, b-c-x and a-b-c-x have the given values (radians)."""
    axis = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, axis)
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, axis)
    step = [-np.cos(angle), np.sin(angle) * np.cos(torsion), np.sin(angle) * np.sin(torsion)]
    return c + length * (step[0] * axis + step[1] * across + step[2] * normal)


def backbone(types, phi, psi, omega):
    """N, CA, C of each residue, (L, 3, 3)."""
    lengths, angles, link = reference_length(), reference_angle(), peptide_reference()
    points = [np.zeros(3), np.array([lengths[types[0], 0, 1], 0, 0])]
    points.append(
        place(np.array([0, 1.0, 0]), *points, lengths[types[0], 1, 2], angles[types[0], 0, 1, 2], 2.0)
    )
    for i, residue_type in enumerate(types[1:], start=1):
        steps = (
            (link["C-N"], link["CA-C-N"], psi[i - 1]),
            (lengths[residue_type, 0, 1], link["C-N-CA"], omega[i - 1]),
            (lengths[residue_type, 1, 2], angles[residue_type, 0, 1, 2], phi[i]),
        )
        for length, angle, torsion in steps:
            points.append(place(*points[-3:], length, angle, np.radians(torsion)))
    return np.array(points).reshape(-1, 3, 3)


def side_chain(residue_type, atoms, chi):
    """Fill CB and the rest of one residue (15, 3), in place."""
    letter = LETTERS[residue_type]
    lengths, angles = reference_length()[residue_type], reference_angle()[residue_type]
    n, ca, c = atoms[:3]
    inward = (n - ca) / np.linalg.norm(n - ca) + (c - ca) / np.linalg.norm(c - ca)
    side = np.cross(n - ca, c - ca)
    elevation = np.radians(58.2 if letter == "P" else 52.2)
    inward, side = inward / np.linalg.norm(inward), side / np.linalg.norm(side)
    outward = -np.cos(elevation) * inward + np.sin(elevation) * side
    atoms[4] = ca + lengths[1, 4] * outward
    slots = ATOM_SLOTS[residue_type]
    for atom, parents, chi_index in placements(residue_type):
        a, b, c = (slots.index(parent) for parent in parents)
        x = slots.index(atom)
        offset = OFFSETS.get(atom, 0.0) if chi_index >= 0 else PLANAR[letter][atom]
        offset = offset[letter] if isinstance(offset, dict) else offset
        if letter == "L" and atom == "CD2":
            offset = 122.0
        torsion = offset + (chi[chi_index] if chi_index >= 0 else 0.0)
        atoms[x] = place(*atoms[[a, b, c]], lengths[c, x], angles[b, c, x], np.radians(torsion))


def build(sequence, phi=-65.0, psi=-40.0, omega=180.0, chi=(-65.0, 180.0, 180.0, 180.0)):
    """Atoms (L, 15, 3) in Å and present (L, 15) of a peptide; torsions in degrees, scalars or per residue.

    ``omega[i]`` is that of the peptide after residue i.
    """
    types = letter_index(sequence)
    phi, psi, omega = (np.broadcast_to(value, len(types)) for value in (phi, psi, omega))
    chis = np.broadcast_to(chi, (len(types), 4))
    atoms = np.zeros((len(types), N_SLOTS, 3))
    atoms[:, :3] = backbone(types, phi, psi, omega)
    for i, residue_type in enumerate(types.tolist()):
        n, ca, c = atoms[i, :3]
        atoms[i, 3] = place(n, ca, c, 1.233, np.radians(120.5), np.radians(psi[i] + 180.0))
        if residue_type != GLY:
            side_chain(residue_type, atoms[i], PROLINE_CHI if residue_type == PRO else chis[i])
    n, ca, c = atoms[-1, :3]
    atoms[-1, OXT_SLOT] = place(n, ca, c, 1.25, np.radians(117.0), np.radians(psi[-1]))
    present = slot_mask()[types]
    present[-1, OXT_SLOT] = True
    return np.where(present[..., None], atoms, 0.0).astype(np.float32), present


def structure(sequence, frames=None, chain="A", **torsions):
    """Make an `AtomStructure`, from atoms (F, L, 15, 3) or from torsions."""
    atoms, present = build(sequence, **torsions)
    n = len(sequence)
    trace = CGTrace(
        sequence=sequence,
        chain_ids=np.full(n, chain),
        chain_index=np.zeros(n, dtype=np.int64),
        resids=np.arange(1, n + 1),
        icodes=np.full(n, ""),
    )
    return AtomStructure(trace, atoms[None] if frames is None else frames, present, {})


def pdb_text(structure):
    """A multi-model PDB of an `AtomStructure`."""
    from latcpb_cli.structure import AtomTopology

    topology = AtomTopology.heavy_atoms(structure.trace)
    lines = []
    for number, frame in enumerate(topology.flatten(structure.atoms), start=1):
        lines.append(f"MODEL     {number:4d}")
        for serial, (row, xyz) in enumerate(zip(range(len(topology)), frame, strict=True), start=1):
            residue = topology.residue[row]
            name = NAMES[structure.trace.residue_types[residue]]
            chain, resid = structure.trace.chain_ids[residue], structure.trace.resids[residue]
            lines.append(
                f"ATOM  {serial:5d}  {topology.names[row]:<3s} {name:3s} {chain:1s}{resid:4d}    "
                f"{xyz[0]:8.3f}{xyz[1]:8.3f}{xyz[2]:8.3f}"
                f"  1.00  0.00          {topology.elements[row]:>2s}"
            )
        lines.append("ENDMDL")
    return "\n".join([*lines, "END", ""])
