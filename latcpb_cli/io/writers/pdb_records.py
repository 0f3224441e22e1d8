"""PDB records about bonds and modified residues: MODRES, SSBOND, LINK, CONECT."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.chem.modified import atom_slots, modified_residue
from latcpb_cli.chem.residues import LETTERS, NAMES, SIDECHAIN_BONDS
from latcpb_cli.geometry.box import box_vectors
from latcpb_cli.structure import AtomTopology, Bridge

__all__ = ["MAX_SERIAL", "conect_records", "link_records", "modres_records", "ssbond_records"]

MAX_SERIAL = 99_999
"""Largest atom number that fits into five columns."""
_BONDS_PER_CONECT = 4
_SG = atom_slots(LETTERS.index("C"))["SG"]
_BACKBONE = (("N", "CA"), ("CA", "C"), ("C", "O"), ("C", "OXT"))


def modres_records(topology: AtomTopology, residue_columns: Sequence[str]) -> str:
    """Format a MODRES record, with the standard parent, for each modified residue.

    Parameters
    ----------
    topology : AtomTopology
    residue_columns : sequence of str
        Columns 18 to 27 of the ATOM records of each residue.

    Returns
    -------
    str
    """
    lines = []
    for index in _modified_indices(topology):
        modified = modified_residue(topology.trace.names[index])
        if modified is not None:
            columns = _with_blank(residue_columns[index])
            lines.append(f"MODRES      {columns} {modified.parent}  {modified.comment}\n")
    return "".join(lines)


def ssbond_records(
    topology: AtomTopology,
    bridges: Sequence[Bridge],
    residue_columns: Sequence[str],
    positions: Float[np.ndarray, "N 3"],
    box: Float[np.ndarray, "6"],
) -> str:
    """Format a SSBOND record for each disulfide.

    Parameters
    ----------
    topology : AtomTopology
    bridges : sequence of (int, int)
        Residues that are joined.
    residue_columns : sequence of str
        Columns 18 to 27 of the ATOM records of each residue.
    positions : numpy.ndarray, shape (N, 3)
        In Å; the records contain the bond length and the periodic image of the second residue.
    box : numpy.ndarray, shape (6,)
        Zeros for no box.

    Returns
    -------
    str
    """
    atom = {int(topology.residue[row]): row for row in np.flatnonzero(topology.slot == _SG)}
    lines = []
    for number, (one, two) in enumerate(bridges, start=1):
        bond = positions[atom[two]].astype(np.float64) - positions[atom[one]]
        shift = np.zeros(3)
        if box[:3].all():
            vectors = box_vectors(box[None])[0]
            shift = np.round(bond @ np.linalg.inv(vectors))
            bond = bond - shift @ vectors
        image = "".join(str(int(5 - n)) for n in shift)
        ends = f"{_with_blank(residue_columns[one])}   {_with_blank(residue_columns[two])}"
        symmetry = f"{'':23s}  1555   1{image}"
        lines.append(f"SSBOND {number % 1000:3d} {ends}{symmetry} {np.linalg.norm(bond):5.2f}\n")
    return "".join(lines)


def link_records(
    topology: AtomTopology, residue_columns: Sequence[str], positions: Float[np.ndarray, "N 3"]
) -> str:
    """Format a LINK record for the peptide bond that closes each ring.

    Parameters
    ----------
    topology : AtomTopology
    residue_columns : sequence of str
        Columns 18 to 27 of the ATOM records of each residue.
    positions : numpy.ndarray, shape (N, 3)
        In Å; the records contain the bond length.

    Returns
    -------
    str
    """
    lines = []
    for first, last in topology.trace.rings:
        c, n = (
            positions[(topology.residue == residue) & (topology.names == name)][0].astype(np.float64)
            for residue, name in ((last, "C"), (first, "N"))
        )
        ends = f" C   {residue_columns[last]}{'':15s} N   {residue_columns[first]}"
        lines.append(f"LINK        {ends}    1555   1555 {np.linalg.norm(c - n):5.2f}\n")
    return "".join(lines)


def conect_records(topology: AtomTopology, bridges: Sequence[Bridge], serials: Int[np.ndarray, "N"]) -> str:
    """Format CONECT records of disulfides, closing bonds of rings, and all bonds of modified residues.

    Bonds of standard residues follow from their names and are not listed.

    Parameters
    ----------
    topology : AtomTopology
    bridges : sequence of (int, int)
        Residues that are joined by a disulfide.
    serials : numpy.ndarray of int64, shape (N,)
        Serial number of each atom. Where one is above 99,999, the columns
        cannot distinguish atoms, and there are no records.

    Returns
    -------
    str
    """
    modified, rings = _modified_indices(topology), topology.trace.rings
    if serials.max(initial=0) > MAX_SERIAL or not (bridges or rings or modified):
        return ""
    atoms = zip(topology.residue.tolist(), topology.names.tolist(), strict=True)
    rows = {atom: row for row, atom in enumerate(atoms)}
    pairs = [((one, "SG"), (two, "SG")) for one, two in bridges]
    pairs += [((last, "C"), (first, "N")) for first, last in rings]
    linked = topology.trace.same_chain_as_next()
    for index in modified:
        pairs += [((index, a), (index, b)) for a, b in _bonds(topology.trace.names[index])]
        pairs += [((index, a), (index, b)) for a, b in _hydrogen_bonds([n for r, n in rows if r == index])]
        pairs += [((i, "C"), (i + 1, "N")) for i in (index - 1, index) if i >= 0 and linked[i]]
    bonded: dict[int, set[int]] = {}
    for a, b in pairs:
        if a in rows and b in rows:
            one, two = int(serials[rows[a]]), int(serials[rows[b]])
            bonded.setdefault(one, set()).add(two)
            bonded.setdefault(two, set()).add(one)
    lines = []
    for serial, partners in sorted(bonded.items()):
        ordered = sorted(partners)
        for start in range(0, len(ordered), _BONDS_PER_CONECT):
            numbers = (serial, *ordered[start : start + _BONDS_PER_CONECT])
            lines.append("CONECT" + "".join(f"{number:5d}" for number in numbers) + "\n")
    return "".join(lines)


def _with_blank(columns: str) -> str:
    """Insert the blank that MODRES and SSBOND records have between chain and residue number."""
    return f"{columns[:5]} {columns[5:]}"


def _modified_indices(topology: AtomTopology) -> list[int]:
    return np.flatnonzero(topology.trace.residue_kinds >= len(NAMES)).tolist()


def _bonds(name: str) -> list[tuple[str, str]]:
    """All bonds of a modified residue, under its own atom names."""
    modified = modified_residue(name)
    if modified is None:
        return []
    bonds = [*_BACKBONE, *SIDECHAIN_BONDS[NAMES.index(modified.parent)], *modified.bonds()]
    return [(modified.renamed.get(a, a), modified.renamed.get(b, b)) for a, b in bonds]


def _hydrogen_bonds(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pair each hydrogen of a residue with its heavy atom, by the common part of their names (HG21, CG2)."""
    heavy = [name for name in names if name[0] in "CNO"]
    pairs = []
    for name in names:
        if name[0] == "H":
            named = [atom for atom in heavy if len(atom) > 1 and name[1:].startswith(atom[1:])]
            pairs.append((name, max(named, key=len) if named else "O3P" if name == "HOP3" else "N"))
    return pairs
