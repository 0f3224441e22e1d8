"""Structures in torsion space: atoms together with the internal coordinates they are built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.geometry.codec import InternalCoordinates
from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.geometry.vectors import LANES
from latcpb_cli.relax.sites import AtomSites

__all__ = ["RotamerChoices", "TorsionStructures"]


@dataclass(frozen=True, eq=False)
class RotamerChoices:
    """The M most probable rotameric states of L side chains.

    Attributes
    ----------
    log_prob : Tensor, shape (L, M)
    chi : Tensor, shape (L, M, 4)
        Chi angles, rad.
    """

    log_prob: Float[Tensor, "L M"]
    chi: Float[Tensor, "L M 4"]

    def select(self, rows: Int[Tensor, "N"]) -> RotamerChoices:
        """Return the choices of some residues."""
        return RotamerChoices(self.log_prob[rows], self.chi[rows])


@dataclass(frozen=True, eq=False)
class TorsionStructures:
    """Structures one after another on one axis of L residues.

    Attributes
    ----------
    atoms : Tensor, shape (L, 15, 3)
        Å.
    internal : InternalCoordinates
        Internal coordinates that the atoms are built from.
    types : Tensor, shape (L,)
        Residue types.
    ca : Tensor, shape (L, 3)
        Cα, Å.
    linked : Tensor, shape (L,)
        Whether a peptide joins each residue to the next.
    sizes : list of int
        Number of residues of each of B structures. Atoms of different structures do not interact.
    cells : Tensor of float64, shape (B, 3, 3), or None
        Vectors of each structure's periodic box as rows, Å, on the CPU; zeros for a structure without
        a box, None where no structure has a box.
    choices : RotamerChoices or None
        Alternative states of the side chains.
    ramachandran_weight : Tensor, shape (L,), or None
        Weight from 0 to 1 of the energy that drives phi and psi into favoured regions; None means 1.
        Where it is below 1, peptides are restrained more strongly to the predicted rotation.
    concentration : Tensor, shape (L,), or None
        Concentration of a von Mises density of each peptide's rotation; None where it is not predicted.
    order : ChainOrder
        Which residue follows which.
    fixed_backbone : bool
        Whether only side chains move.
    beads : ObservedBeads or None
        Beads at centres of atoms, which restraints hold.
    movable : Tensor, shape (L,), or None
        Residues that may move; None means all. Overlaps of two others are left out.
    is_cut : Tensor, shape (L,), or None
        Residues that a peptide joins to one that is left out. They are not linked, and have no OXT.
    """

    atoms: Float[Tensor, "L 15 3"]
    internal: InternalCoordinates
    types: Int[Tensor, "L"]
    ca: Float[Tensor, "L 3"]
    linked: Bool[Tensor, "L"]
    sizes: list[int]
    cells: Float[Tensor, "B 3 3"] | None = None
    choices: RotamerChoices | None = None
    ramachandran_weight: Float[Tensor, "L"] | None = None
    concentration: Float[Tensor, "L"] | None = None
    order: ChainOrder = LINEAR
    fixed_backbone: bool = False
    beads: ObservedBeads | None = None
    movable: Bool[Tensor, "L"] | None = None
    is_cut: Bool[Tensor, "L"] | None = None

    def __len__(self) -> int:
        return len(self.types)

    @classmethod
    def concatenate(cls, parts: Sequence[TorsionStructures]) -> TorsionStructures:
        """Join several batches to one.

        Each optional attribute must be present in all ``parts`` or in none, and all must have a fixed
        backbone or none.
        """

        def optional(tensors: list[Tensor | None]) -> Tensor | None:
            present = [tensor for tensor in tensors if tensor is not None]
            return torch.cat(present) if present else None

        internals = [part.internal for part in parts]
        choices = [part.choices for part in parts if part.choices is not None]
        beads = [part.beads for part in parts if part.beads is not None]
        return cls(
            atoms=torch.cat([part.atoms for part in parts]),
            internal=InternalCoordinates(
                torch.cat([internal.torsions for internal in internals]),
                torch.cat([internal.twist for internal in internals]),
                torch.cat([internal.bends for internal in internals]),
            ),
            types=torch.cat([part.types for part in parts]),
            ca=torch.cat([part.ca for part in parts]),
            linked=torch.cat([part.linked for part in parts]),
            sizes=[size for part in parts for size in part.sizes],
            cells=optional([part.cells for part in parts]),
            choices=RotamerChoices(
                torch.cat([choice.log_prob for choice in choices]),
                torch.cat([choice.chi for choice in choices]),
            )
            if choices
            else None,
            ramachandran_weight=optional([part.ramachandran_weight for part in parts]),
            concentration=optional([part.concentration for part in parts]),
            order=ChainOrder.concatenate([part.order for part in parts]),
            fixed_backbone=parts[0].fixed_backbone,
            beads=ObservedBeads.concatenate(beads) if beads else None,
            movable=optional([part.movable for part in parts]),
            is_cut=optional([part.is_cut for part in parts]),
        )

    @property
    def has_oxt(self) -> Bool[Tensor, "L"]:
        """Whether each residue ends a chain."""
        return ~self.linked if self.is_cut is None else ~(self.linked | self.is_cut)

    @cached_property
    def atom_sites(self) -> AtomSites:
        """The atoms of the structures."""
        return AtomSites.from_residues(self.types, self.has_oxt, self.sizes)

    def residue_rows(self, indices: Sequence[int]) -> Int[Tensor, "N"]:
        """Return the rows of the residues of some structures."""
        rows = torch.split(torch.arange(len(self), device=self.types.device), self.sizes)
        return torch.cat([rows[index] for index in indices])

    def select(self, indices: Sequence[int]) -> TorsionStructures:
        """Return some of the structures."""
        sizes = [self.sizes[index] for index in indices]
        cells = None if self.cells is None else self.cells[list(indices)]
        rows = self.residue_rows(indices)
        order = self.order.select(rows)
        return replace(self.select_residues(rows), sizes=sizes, cells=cells, order=order)

    def select_residues(self, rows: Int[Tensor, "N"]) -> TorsionStructures:
        """Return some of the residues, with ``sizes``, ``cells`` and ``order`` unchanged."""

        def optional(values: Tensor | None) -> Tensor | None:
            return None if values is None else values[rows]

        return replace(
            self,
            atoms=self.atoms[rows],
            internal=self.internal.select(rows),
            types=self.types[rows],
            ca=self.ca[rows],
            linked=self.linked[rows],
            choices=None if self.choices is None else self.choices.select(rows),
            ramachandran_weight=optional(self.ramachandran_weight),
            concentration=optional(self.concentration),
            beads=None if self.beads is None else self.beads.select(rows),
            movable=optional(self.movable),
            is_cut=optional(self.is_cut),
        )

    def padded(self) -> TorsionStructures:
        """Append copies of the last residue, at least one, to a multiple of ``LANES`` residues.

        The copies belong to no structure: ``sizes`` is unchanged.
        """
        length = len(self)
        n_rows = (length // LANES + 1) * LANES
        copied = self.select_residues(torch.arange(n_rows, device=self.ca.device).clamp(max=length - 1))
        if self.order.steps is None:
            return copied
        linked = torch.nn.functional.pad(self.linked, (0, n_rows - length))
        return replace(copied, linked=linked, order=self.order.padded(n_rows))

    def replace_structures(self, indices: Sequence[int], part: TorsionStructures) -> TorsionStructures:
        """Replace atoms and internal coordinates of some structures by those of ``part``."""
        return self.replace_residues(self.residue_rows(indices), part)

    def replace_residues(self, rows: Int[Tensor, "N"], part: TorsionStructures) -> TorsionStructures:
        """Replace atoms and internal coordinates of some residues by those of ``part``."""
        old, new = self.internal, part.internal
        internal = InternalCoordinates(
            old.torsions.index_copy(0, rows, new.torsions),
            old.twist.index_copy(0, rows, new.twist),
            old.bends.index_copy(0, rows, new.bends),
        )
        return replace(self, atoms=self.atoms.index_copy(0, rows, part.atoms), internal=internal)
