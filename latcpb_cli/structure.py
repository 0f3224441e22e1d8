"""The data of a run: traces, frames and atoms.

Lengths are in Å, times in ps. All arrays are numpy arrays, so this module can
be imported without torch.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from latcpb_cli.chem.modified import atom_slots, parent_name, residue_kinds
from latcpb_cli.chem.modified_bonds import all_atom_names
from latcpb_cli.chem.naming import residue_name
from latcpb_cli.chem.residues import CA_SLOT, N_SLOTS, NAMES, OXT_SLOT, letter_index
from latcpb_cli.choices import SideChainCenter

__all__ = [
    "BREAK_CUTOFF",
    "AtomStructure",
    "AtomTopology",
    "Bridge",
    "CGTrace",
    "FrameChunk",
]

BREAK_CUTOFF = 4.5
"""Cα-Cα distance (Å) above which no peptide joins two neighbours of a chain."""
Bridge = tuple[int, int]
"""Two residues joined by a disulfide, the lower number first."""


@dataclass(frozen=True, eq=False)
class CGTrace:
    """The residues of a coarse-grained system, in file order.

    Attributes
    ----------
    sequence : str
        One-letter codes of L residues.
    chain_ids : numpy.ndarray of str, shape (L,)
        Chain identifiers of the input.
    chain_index : numpy.ndarray of int64, shape (L,)
        Number of the chain from 0, never decreasing.
    resids, icodes : numpy.ndarray of int64 and of str, shape (L,)
        Residue numbers, and insertion codes ("" for none).
    variants : numpy.ndarray of str, shape (L,), or None
        Modified residues and known protonation states
        (`latcpb_cli.chem.modified.VARIANTS`), "" for other residues; None where
        all are "".
    cyclic_chains : tuple of int
        Numbers of the chains whose last residue a peptide joins to the first.
    com_beads : numpy.ndarray of bool, shape (L,), or None
        Residues whose beads are centres of mass instead of Cα; None where no bead is.
    side_chain_center : {'mass', 'geometry'} or None
        Which point of a side chain the second bead of its residue is; None where there are no such beads.
    """

    sequence: str
    chain_ids: Shaped[np.ndarray, "L"]
    chain_index: Int[np.ndarray, "L"]
    resids: Int[np.ndarray, "L"]
    icodes: Shaped[np.ndarray, "L"]
    variants: Shaped[np.ndarray, "L"] | None = None
    cyclic_chains: tuple[int, ...] = ()
    com_beads: Bool[np.ndarray, "L"] | None = None
    side_chain_center: SideChainCenter | None = None

    def __len__(self) -> int:
        return len(self.sequence)

    @cached_property
    def residue_types(self) -> Int[np.ndarray, "L"]:
        """Residue indices."""
        return letter_index(self.sequence)

    @property
    def residue_kinds(self) -> Int[np.ndarray, "L"]:
        """Residue kinds: residue indices, and numbers from 20 on for modified residues."""
        return residue_kinds(self.residue_types, self.variants)

    @property
    def n_slots(self) -> int:
        """Slots per residue in arrays of written atoms: 15, or more with modified residues."""
        kinds = np.unique(self.residue_kinds)
        return max([N_SLOTS, *(1 + max(atom_slots(int(kind)).values()) for kind in kinds)])

    @property
    def has_centers(self) -> bool:
        """Whether some beads are centres of several atoms, not Cα."""
        return self.com_beads is not None or self.side_chain_center is not None

    @cached_property
    def names(self) -> list[str]:
        """Name of each residue or of its variant, such as ``TYR``, ``SEP`` or ``HID``."""
        names = [NAMES[residue_type] for residue_type in self.residue_types.tolist()]
        if self.variants is None:
            return names
        return [variant or name for variant, name in zip(self.variants.tolist(), names, strict=True)]

    def count_modified(self) -> dict[str, int]:
        """Count the modified residues, for instance ``{"SEP on SER": 2}``."""
        names = [self.names[index] for index in np.flatnonzero(self.residue_kinds >= len(NAMES))]
        return dict(Counter(f"{residue_name(name, 'pdb')} on {parent_name(name)}" for name in names))

    @cached_property
    def labels(self) -> list[str]:
        """What each residue is called in messages and reports, for instance ``A:TYR27``."""
        prefixes = [f"{chain.strip()}:" if chain.strip() else "" for chain in self.chain_ids.tolist()]
        names = [residue_name(name, "pdb") for name in self.names]
        columns = prefixes, names, self.resids.tolist(), self.icodes.tolist()
        return ["".join(map(str, parts)) for parts in zip(*columns, strict=True)]

    def same_chain_as_next(self) -> Bool[np.ndarray, "L"]:
        """Whether residue i+1 belongs to the chain of residue i."""
        same = np.zeros(len(self), dtype=bool)
        same[:-1] = self.chain_index[1:] == self.chain_index[:-1]
        return same

    @cached_property
    def rings(self) -> list[tuple[int, int]]:
        """The first and the last residue of each cyclic chain."""
        return [
            (int(members[0]), int(members[-1]))
            for members in (np.flatnonzero(self.chain_index == chain) for chain in self.cyclic_chains)
        ]

    @cached_property
    def next_residue(self) -> Int[np.ndarray, "L"] | None:
        """The residue after each in its chain, the first one after the last; None without cyclic chains."""
        if not self.cyclic_chains:
            return None
        following = np.arange(1, len(self) + 1)
        ends = np.flatnonzero(~self.same_chain_as_next())
        following[ends] = np.r_[0, ends[:-1] + 1]
        return following

    def ends_chain(self) -> Bool[np.ndarray, "L"]:
        """Whether each residue has a C terminus: it is the last of its chain, which is not cyclic."""
        last = ~self.same_chain_as_next()
        last[[end for _, end in self.rings]] = False
        return last

    def linked(self, positions: Float[np.ndarray, "F L 3"]) -> Bool[np.ndarray, "F L"]:
        """Whether a peptide joins each residue to the next of its chain, from Cα positions (Å)."""
        linked = self.linked_rows(positions)
        for first, last in self.rings:
            closing = positions[:, first] - positions[:, last]
            linked[:, last] = np.einsum("fk,fk->f", closing, closing) <= BREAK_CUTOFF**2
        return linked

    def linked_rows(self, positions: Float[np.ndarray, "F L 3"]) -> Bool[np.ndarray, "F L"]:
        """Whether a peptide joins residue i to i+1: `linked` without the closing peptides of rings."""
        linked = np.zeros(positions.shape[:2], dtype=bool)
        step = np.diff(positions, axis=1)
        close = np.einsum("flk,flk->fl", step, step) <= BREAK_CUTOFF**2
        linked[:, :-1] = close & self.same_chain_as_next()[:-1]
        return linked


@dataclass(frozen=True, eq=False)
class FrameChunk:
    """Cα positions of some consecutive frames.

    Attributes
    ----------
    positions : numpy.ndarray of float32 (or float64), shape (F, L, 3)
        In Å, chains whole; as they are read, positions of the beads, whatever these are.
    times : numpy.ndarray of float64, shape (F,)
        In ps.
    boxes : numpy.ndarray of float32, shape (F, 6)
        a, b, c (Å), alpha, beta, gamma (degrees); a row of zeros is no box.
    indices : numpy.ndarray of int64, shape (F,)
        Frame numbers in the input trajectory, from 0.
    missing : numpy.ndarray of bool, shape (F, L), or None
        Beads without a position in the input, or nearly on one point with many
        others; ``positions`` puts them far from all others, so that the rest can
        be built. None where no bead is missing.
    problems : dict of int to str
        Defects of the frames of the input, by frame number.
    backbone : numpy.ndarray of float32, shape (F, L, 4, 3), or None
        Atoms of the input in `GIVEN_SLOTS`, Å; nan for one without a position. N and C of a residue have both
        a position, or none of its atoms has. None where backbones are not kept.
    beads : numpy.ndarray of float32, shape (F, L, 3), or None
        Beads of the input that are centres of atoms, Å: those from which the Cα in ``positions`` are found,
        or those of side chains beside the Cα, nan for a residue without one.
    bead_noise : numpy.ndarray of float64, shape (F,), or None
        Standard deviation (Å per axis) of the noise of the beads from which Cα are found.
    """

    positions: Float[np.ndarray, "F L 3"]
    times: Float[np.ndarray, "F"]
    boxes: Float[np.ndarray, "F 6"]
    indices: Int[np.ndarray, "F"]
    missing: Bool[np.ndarray, "F L"] | None = None
    problems: dict[int, str] = field(default_factory=dict)
    backbone: Float[np.ndarray, "F L 4 3"] | None = None
    beads: Float[np.ndarray, "F L 3"] | None = None
    bead_noise: Float[np.ndarray, "F"] | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def select(self, row: int) -> FrameChunk:
        """Return a chunk of one of the frames."""
        index = int(self.indices[row])
        columns = {
            name: value[row : row + 1] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return FrameChunk(**columns, problems={n: text for n, text in self.problems.items() if n == index})


@dataclass(frozen=True, eq=False)
class AtomTopology:
    """The atoms of an output file, one row per atom in file order.

    Attributes
    ----------
    trace : CGTrace
    residue : numpy.ndarray of int64, shape (N,)
        Residue of each atom.
    slot : numpy.ndarray of int64, shape (N,)
        Slot of each atom: atom14 order, 14 for OXT, then the extra atoms of
        modified residues. Atom n of an array (F, L, W, 3) is
        ``[:, residue[n], slot[n]]``; W is ``trace.n_slots``.
    names : numpy.ndarray of str, shape (N,)
        PDB version 3 atom names.
    elements : numpy.ndarray of str, shape (N,)
    """

    trace: CGTrace
    residue: Int[np.ndarray, "N"]
    slot: Int[np.ndarray, "N"]
    names: Shaped[np.ndarray, "N"]
    elements: Shaped[np.ndarray, "N"]

    def __len__(self) -> int:
        return len(self.residue)

    @classmethod
    def heavy_atoms(cls, trace: CGTrace) -> AtomTopology:
        """Return all heavy atoms of all residues, with OXT at each C terminus."""
        names = all_atom_names()[trace.residue_kinds]
        names[~trace.ends_chain(), OXT_SLOT] = ""
        residue, slot = np.nonzero(names != "")
        names = names[residue, slot]
        # No element of two letters (Se, Cl, ...) is built.
        return cls(trace, residue, slot, names, names.astype("U1"))

    @property
    def present(self) -> Bool[np.ndarray, "L W"]:
        """Which slots have an atom."""
        present = np.zeros((len(self.trace), self.trace.n_slots), dtype=bool)
        present[self.residue, self.slot] = True
        return present

    def flatten(self, atoms: Float[np.ndarray, "F L W 3"]) -> Float[np.ndarray, "F N 3"]:
        """Return the positions of the atoms in file order."""
        return atoms[:, self.residue, self.slot]


@dataclass(frozen=True, eq=False)
class AtomStructure:
    """All-atom frames, with the residues they belong to.

    Attributes
    ----------
    trace : CGTrace
    atoms : numpy.ndarray of float32, shape (F, L, 15, 3)
        In Å, atom14 order and OXT; zeros where ``present`` is false.
    present : numpy.ndarray of bool, shape (L, 15)
        Heavy atoms that have a position in every frame.
    left_out : dict of str to int
        Residues of the file that are no part of the structure, counted by residue name.
    """

    trace: CGTrace
    atoms: Float[np.ndarray, "F L 15 3"]
    present: Bool[np.ndarray, "L 15"]
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.atoms)

    def read(self, start: int, stop: int) -> Float[np.ndarray, "F L 15 3"]:
        """Return the atoms of the frames from ``start`` to before ``stop``."""
        return self.atoms[start:stop]

    def linked(self) -> Bool[np.ndarray, "F L"]:
        """Whether a peptide joins each residue to the next of its chain in each frame."""
        return self.trace.linked(self.atoms[:, :, CA_SLOT])
