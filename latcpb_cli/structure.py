"""What flows through the pipeline: traces, frames and atoms.

Lengths are in Å, times in ps. Arrays here are numpy; torch begins in
``geometry``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np

from latcpb_cli.chem.modified import parent_name, residue_kinds, atom_slots
from latcpb_cli.chem.naming import residue_name
from latcpb_cli.chem.residues import LETTERS, N_SLOTS, NAMES, OXT_SLOT, letter_index

__all__ = [
    "BREAK_CUTOFF",
    "AtomStructure",
    "AtomTopology",
    "Bridge",
    "CGTrace",
    "FrameChunk",
    "FrameClashes",
]

BREAK_CUTOFF = 4.5
"""Cα-Cα distance (Å) above which two neighbours carry no peptide."""
Bridge = tuple[int, int]
"""Two residues joined by a disulfide, the lower number first."""


@dataclass(frozen=True, eq=False)
class CGTrace:
    """The residues of a coarse-grained system, in file order.

    Attributes
    ----------
    sequence : str
        One letter per residue, L of them, out of the twenty standard ones.
    chain_ids : numpy.ndarray of str, shape (L,)
        Chain identifiers as they stood in the input.
    chain_index : numpy.ndarray of int64, shape (L,)
        0-based number of the chain, never falling; a new number starts a new
        chain even where the identifier repeats.
    resids : numpy.ndarray of int64, shape (L,)
    icodes : numpy.ndarray of str, shape (L,)
        Insertion codes, "" for none.
    variants : numpy.ndarray of str, shape (L,), or None
        Which residues are modified or in a known state of protonation
        (`latcpb_cli.chem.modified.VARIANTS`), "" for the others; None for no
        residue.
    """

    sequence: str
    chain_ids: np.ndarray
    chain_index: np.ndarray
    resids: np.ndarray
    icodes: np.ndarray
    variants: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.sequence)

    @cached_property
    def residue_types(self) -> np.ndarray:
        """Residue indices, int64, shape (L,)."""
        return letter_index(self.sequence)

    @property
    def residue_kinds(self) -> np.ndarray:
        """The same, but for modified residues, which have numbers of their own from 20 on."""
        return residue_kinds(self.residue_types, self.variants)

    @property
    def n_slots(self) -> int:
        """Slots per residue in arrays of written atoms: 15, and more where residues are modified."""
        kinds = np.unique(self.residue_kinds)
        return max([N_SLOTS, *(1 + max(atom_slots(int(kind)).values()) for kind in kinds)])

    def name(self, index: int) -> str:
        """Name of a residue or of its variant, such as ``TYR``, ``SEP`` or ``HID``."""
        variant = "" if self.variants is None else str(self.variants[index])
        return variant or NAMES[LETTERS.index(self.sequence[index])]

    def modified(self) -> dict[str, int]:
        """Count the modified residues, for instance ``{"SEP on SER": 2}``."""
        names = [self.name(int(index)) for index in np.flatnonzero(self.residue_kinds >= len(NAMES))]
        return dict(Counter(f"{residue_name(name, 'pdb')} on {parent_name(name)}" for name in names))

    def label(self, index: int) -> str:
        """Name a residue for messages and reports, for instance ``A:TYR27``."""
        name = residue_name(self.name(index), "pdb")
        chain = str(self.chain_ids[index]).strip()
        return f"{chain + ':' if chain else ''}{name}{self.resids[index]}{self.icodes[index]}"

    def same_chain_as_next(self) -> np.ndarray:
        """True where residue i+1 belongs to the chain of i: bool, shape (L,)."""
        linked = np.zeros(len(self), dtype=bool)
        linked[:-1] = self.chain_index[1:] == self.chain_index[:-1]
        return linked

    def linked(self, positions: np.ndarray) -> np.ndarray:
        """Tell where a peptide joins residue i to i+1 for Cα (F, L, 3) in Å: bool, shape (F, L)."""
        linked = np.zeros(positions.shape[:2], dtype=bool)
        step = np.diff(positions, axis=1)
        near = np.einsum("flk,flk->fl", step, step) <= BREAK_CUTOFF**2
        linked[:, :-1] = near & self.same_chain_as_next()[:-1]
        return linked


@dataclass(frozen=True, eq=False)
class FrameChunk:
    """Cα positions of some consecutive frames.

    Attributes
    ----------
    positions : numpy.ndarray of float32 (or float64), shape (F, L, 3)
        In Å, chains whole.
    times : numpy.ndarray of float64, shape (F,)
        In ps.
    boxes : numpy.ndarray of float32, shape (F, 6)
        a, b, c (Å), alpha, beta, gamma (degrees); a row of zeros is no box.
    indices : numpy.ndarray of int64, shape (F,)
        Frame numbers in the input trajectory, from 0.
    missing : numpy.ndarray of bool, shape (F, L), or None
        Beads without a position in the input. They are parked where they touch
        nothing, so that the rest can be built. None where there are none.
    problems : dict of int to str
        What is wrong with frames as read, by frame number.
    """

    positions: np.ndarray
    times: np.ndarray
    boxes: np.ndarray
    indices: np.ndarray
    missing: np.ndarray | None = None
    problems: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.indices)

    def select(self, row: int) -> FrameChunk:
        """One of the frames by itself."""
        rows, index = slice(row, row + 1), int(self.indices[row])
        missing = None if self.missing is None else self.missing[rows]
        problems = {index: self.problems[index]} if index in self.problems else {}
        columns = self.positions[rows], self.times[rows], self.boxes[rows], self.indices[rows]
        return FrameChunk(*columns, missing, problems)


@dataclass(frozen=True, eq=False)
class AtomTopology:
    """The atoms that are written: one row per atom, in file order.

    Attributes
    ----------
    trace : CGTrace
    residue : numpy.ndarray of int64, shape (N,)
        Residue each atom belongs to.
    slot : numpy.ndarray of int64, shape (N,)
        Its slot (atom14 order, 14 is OXT, then what modified residues add):
        atom n of a (F, L, W, 3) array stands at ``[:, residue[n], slot[n]]``;
        W is ``trace.n_slots``.
    names : numpy.ndarray of str, shape (N,)
        PDB version 3 atom names.
    elements : numpy.ndarray of str, shape (N,)
    """

    trace: CGTrace
    residue: np.ndarray
    slot: np.ndarray
    names: np.ndarray
    elements: np.ndarray

    def __len__(self) -> int:
        return len(self.residue)

    @classmethod
    def heavy_atoms(cls, trace: CGTrace) -> AtomTopology:
        """Every heavy atom of every residue, with OXT at the end of each chain."""
        kinds, ends = trace.residue_kinds, ~trace.same_chain_as_next()
        rows = []
        for residue, (kind, end) in enumerate(zip(kinds.tolist(), ends.tolist(), strict=True)):
            rows += [(residue, slot, atom) for slot, atom in _written(kind, end)]
        residues, slots, names = zip(*rows, strict=True)
        # No atom of two letters (Se, Cl, ...) is built.
        elements = np.array([name[0] for name in names])
        return cls(trace, np.array(residues), np.array(slots), np.array(names), elements)

    @property
    def present(self) -> np.ndarray:
        """Which slots are written: bool, shape (L, W)."""
        present = np.zeros((len(self.trace), self.trace.n_slots), dtype=bool)
        present[self.residue, self.slot] = True
        return present

    def flatten(self, atoms: np.ndarray) -> np.ndarray:
        """Pick the written atoms: (F, L, W, 3) becomes (F, N, 3)."""
        return atoms[:, self.residue, self.slot]


@cache
def _written(kind: int, end: bool) -> list[tuple[int, str]]:
    """Slots and names of the atoms of a kind of residue, with OXT at the end of a chain."""
    names = atom_slots(kind) | ({"OXT": OXT_SLOT} if end else {})
    return sorted((slot, name) for name, slot in names.items())


@dataclass(frozen=True, eq=False)
class AtomStructure:
    """All-atom frames, with the residues they belong to.

    Attributes
    ----------
    trace : CGTrace
    atoms : numpy.ndarray of float32, shape (F, L, 15, 3)
        In Å, atom14 order and OXT; zeros where ``present`` is false.
    present : numpy.ndarray of bool, shape (L, 15)
        Heavy atoms that are there in every frame.
    left_out : dict of str to int
        Residues of the file that are not here, counted by residue name.
    """

    trace: CGTrace
    atoms: np.ndarray
    present: np.ndarray
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.atoms)

    def linked(self) -> np.ndarray:
        """Tell where a peptide joins residue i to i+1 in a frame: bool, shape (F, L)."""
        return self.trace.linked(self.atoms[:, :, 1])


@dataclass(frozen=True, eq=False)
class FrameClashes:
    """Clashes of one all-atom frame.

    Attributes
    ----------
    n_atoms : int
        Heavy atoms of the frame.
    contact12 : numpy.ndarray of bool, shape (L,)
        Residues with an atom nearer than 1.2 Å to another residue's, not bonded to it.
    overlap04 : numpy.ndarray of int64, shape (L,)
        Pairs with a van der Waals overlap of 0.4 Å or more that each residue
        takes part in; a pair of two residues counts in both.
    n_overlaps : int
        Such pairs in the frame.
    worst : float
        Largest overlap (Å) among them, 0 where there is none.
    worst_pair : tuple of int
        The two residues of that pair, (-1, -1) where there is none.
    pierced : numpy.ndarray of bool, shape (L,)
        Residues with a ring through which a bond of another residue runs.
    """

    n_atoms: int
    contact12: np.ndarray
    overlap04: np.ndarray
    n_overlaps: int
    worst: float
    worst_pair: tuple[int, int]
    pierced: np.ndarray

    @property
    def contact12_percent(self) -> float:
        """Percent of the residues in ``contact12``."""
        return 100.0 * float(self.contact12.mean()) if len(self.contact12) else 0.0

    @property
    def overlap04_per_1000(self) -> float:
        """Pairs in ``overlap04`` per 1,000 atoms."""
        return 1000.0 * self.n_overlaps / self.n_atoms if self.n_atoms else 0.0
