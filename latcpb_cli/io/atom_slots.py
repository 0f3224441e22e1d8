"""Which atoms of a file belong to which slots of which residues."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from latcpb_cli.chem.naming import extra_atom_names
from latcpb_cli.chem.residue_names import standard_name, variant_name
from latcpb_cli.chem.residues import ATOM_SLOTS, CA_SLOT, NAMES, OXT_SLOT
from latcpb_cli.io.readers.atoms import AtomTable

__all__ = ["TERMINAL_NAMES", "ResidueAtoms", "group_residues"]

TERMINAL_NAMES = {
    "OT1": "O", "OC1": "O", "O1": "O", "O'": "O",
    "OT2": "OXT", "OC2": "OXT", "O2": "OXT", "O''": "OXT",
}  # fmt: skip
"""Other names of the two oxygens of a C terminus (CHARMM, GROMACS, old PDB)."""
_OTHER_NAMES = {("ILE", "CD"): "CD1", ("MET", "SE"): "SD", ("MET", "S"): "SD"}
"""Other names of heavy atoms, and the selenium of selenomethionine, which is read as sulphur."""


@dataclass
class ResidueAtoms:
    """A residue of a file.

    Attributes
    ----------
    given : str
        Its name in the file.
    name : str or None
        Name of the amino acid, None for anything else.
    extra_names : frozenset of str
        Names of atoms that a modified residue has in addition to its parent.
    rows : dict of int to int
        Row of the atom table for each slot.
    hydrogens : list of int
        Rows of its hydrogens.
    """

    given: str
    name: str | None
    extra_names: frozenset[str]
    rows: dict[int, int] = field(default_factory=dict)
    hydrogens: list[int] = field(default_factory=list)

    def add(self, atom: str, row: int) -> None:
        """Add an atom by its name, if it has a slot or is a hydrogen."""
        slot = _find_slot(self.name, atom)
        if slot is not None and atom not in self.extra_names:
            self.rows.setdefault(slot, row)
        elif self.name is not None and atom.lstrip("0123456789")[:1] in ("H", "D"):
            self.hydrogens.append(row)


def group_residues(table: AtomTable) -> tuple[list[ResidueAtoms], dict[str, int]]:
    """Group rows by residue; return the residues with a CA, and the others counted by name.

    Of alternate locations the first counts.
    """
    residues: list[ResidueAtoms] = []
    site_before = None
    columns = (table.segment_index, table.chain_ids, table.resids, table.icodes)
    for row, (site, given, atom, altloc) in enumerate(
        zip(zip(*columns, strict=True), table.resnames, table.names, table.altlocs, strict=True)
    ):
        other_name = site_before is not None and site == site_before and residues[-1].given != given
        if other_name and altloc:
            continue
        if site != site_before or other_name:
            residues.append(ResidueAtoms(str(given), *_interpret_name(str(given))))
            site_before = site
        residues[-1].add(str(atom).upper(), row)
    kept = [residue for residue in residues if CA_SLOT in residue.rows]
    others = Counter(residue.given for residue in residues if CA_SLOT not in residue.rows)
    return kept, dict(others)


@cache
def _interpret_name(given: str) -> tuple[str | None, frozenset[str]]:
    """Return the amino acid that a name means, and the names of its extra atoms."""
    return standard_name(given), extra_atom_names(variant_name(given))


def _find_slot(name: str | None, atom: str) -> int | None:
    """Return the slot of an atom, None for hydrogens and for unknown residues."""
    if name is None:
        return None
    atom = _OTHER_NAMES.get((name, atom), TERMINAL_NAMES.get(atom, atom))
    if atom == "OXT":
        return OXT_SLOT
    slots = ATOM_SLOTS[NAMES.index(name)]
    return slots.index(atom) if atom in slots else None
