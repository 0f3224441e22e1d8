"""PDB records about bonds and modified residues: MODRES, SSBOND, CONECT."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latcpb_cli.chem.modified import modified_of, slots_of
from latcpb_cli.chem.residues import LETTERS, NAMES, SIDECHAIN_BONDS
from latcpb_cli.structure import AtomTopology, Bridge, box_vectors

__all__ = ["conect_records", "modres_records", "ssbond_records"]

_MAX_SERIAL = 99_999
_PER_RECORD = 4
_SG = slots_of(LETTERS.index("C"))["SG"]
_BACKBONE = (("N", "CA"), ("CA", "C"), ("C", "O"), ("C", "OXT"))


def modres_records(topology: AtomTopology, places: Sequence[str]) -> str:
    """Name the standard residue of each modified one; ``places`` are columns 18 to 27 of each residue."""
    lines = []
    for index in _modified(topology):
        modified = modified_of(topology.trace.name(index))
        if modified is not None:
            lines.append(f"MODRES      {_apart(places[index])} {modified.parent}  {modified.comment}\n")
    return "".join(lines)


def ssbond_records(
    topology: AtomTopology,
    bridges: Sequence[Bridge],
    places: Sequence[str],
    positions: np.ndarray,
    box: np.ndarray,
) -> str:
    """Write a disulfide a line, with its length (Å) and the periodic image it goes to."""
    atom = {int(topology.residue[row]): row for row in np.flatnonzero(topology.slot == _SG)}
    lines = []
    for number, (one, two) in enumerate(bridges, start=1):
        step = positions[atom[two]].astype(np.float64) - positions[atom[one]]
        shift = np.zeros(3)
        if box[:3].all():
            vectors = box_vectors(box[None])[0]
            shift = np.round(step @ np.linalg.inv(vectors))
            step = step - shift @ vectors
        image = "".join(str(int(5 - n)) for n in shift)
        ends = f"{_apart(places[one])}   {_apart(places[two])}"
        symmetry = f"{'':23s}  1555   1{image}"
        lines.append(f"SSBOND {number % 1000:3d} {ends}{symmetry} {np.linalg.norm(step):5.2f}\n")
    return "".join(lines)


def conect_records(topology: AtomTopology, bridges: Sequence[Bridge], serials: np.ndarray) -> str:
    """List the bonds that residue names do not tell: disulfides, and all bonds of modified residues.

    Nothing where serial numbers have wrapped (``serials`` above 99,999), since they name no atom then.
    """
    if serials.max(initial=0) > _MAX_SERIAL:
        return ""
    rows = {
        (int(r), str(n)): row for row, (r, n) in enumerate(zip(topology.residue, topology.names, strict=True))
    }
    pairs = [((one, "SG"), (two, "SG")) for one, two in bridges]
    linked = topology.trace.same_chain_as_next()
    for index in _modified(topology):
        pairs += [((index, a), (index, b)) for a, b in _bonds(topology.trace.name(index))]
        pairs += [((index, a), (index, b)) for a, b in _hydrogens([n for r, n in rows if r == index])]
        pairs += [((i, "C"), (i + 1, "N")) for i in (index - 1, index) if i >= 0 and linked[i]]
    around: dict[int, set[int]] = {}
    for a, b in pairs:
        if a in rows and b in rows:
            one, two = int(serials[rows[a]]), int(serials[rows[b]])
            around.setdefault(one, set()).add(two)
            around.setdefault(two, set()).add(one)
    lines = []
    for serial, others in sorted(around.items()):
        ordered = sorted(others)
        for start in range(0, len(ordered), _PER_RECORD):
            numbers = (serial, *ordered[start : start + _PER_RECORD])
            lines.append("CONECT" + "".join(f"{number:5d}" for number in numbers) + "\n")
    return "".join(lines)


def _apart(place: str) -> str:
    """Name and chain, a blank, number and insertion code."""
    return f"{place[:5]} {place[5:]}"


def _modified(topology: AtomTopology) -> list[int]:
    return np.flatnonzero(topology.trace.kinds >= len(NAMES)).tolist()


def _bonds(name: str) -> list[tuple[str, str]]:
    """All bonds of a modified residue, under its own atom names."""
    modified = modified_of(name)
    if modified is None:
        return []
    bonds = [*_BACKBONE, *SIDECHAIN_BONDS[NAMES.index(modified.parent)], *modified.bonds()]
    return [(modified.renamed.get(a, a), modified.renamed.get(b, b)) for a, b in bonds]


def _hydrogens(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pair the hydrogens of a residue with their atoms, by what their names share (HG21, CG2)."""
    heavy = [name for name in names if name[0] in "CNO"]
    pairs = []
    for name in names:
        if name[0] == "H":
            named = [atom for atom in heavy if len(atom) > 1 and name[1:].startswith(atom[1:])]
            pairs.append((name, max(named, key=len) if named else "O3P" if name == "HOP3" else "N"))
    return pairs
