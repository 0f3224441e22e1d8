"""Structures on their way through refinement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.geometry.codec import InternalCoordinates

__all__ = ["RotamerChoices", "TorsionStructures"]

_TOLD = ("drawn", "concentration")  # of each residue, where they are known


@dataclass(frozen=True, eq=False)
class RotamerChoices:
    """Rotameric states that L side chains could be in, the most probable M of each.

    Attributes
    ----------
    odds : log probability, (L, M)
    chi : chi angles, rad, (L, M, 4)
    """

    odds: Float[Tensor, "L M"]
    chi: Float[Tensor, "L M 4"]


@dataclass(frozen=True, eq=False)
class TorsionStructures:
    """Some structures, one after another on one axis of L residues.

    Attributes
    ----------
    atoms : Å, (L, 15, 3)
    internal : what the atoms were built from
    types, ca, linked : residue types (L,), Cα in Å (L, 3), a peptide joins i to i+1 (L,)
    sizes : residues of each structure; structures do not see each other
    cells : lattice vectors of each structure's periodic box as rows, Å, (len(sizes), 3, 3), on the CPU
        in 64 bits; zeros for a structure without a box, None where none has one
    choices : other states of the side chains, None where there are none
    drawn : how much phi and psi are drawn to favoured regions, 0 to 1, (L,); None where all of them are.
        PeptideRotations are held the firmer where they are not
    concentration : how sure the rotation of each peptide is, as that of a von Mises density, (L,); None
        where nobody has judged them
    """

    atoms: Float[Tensor, "L 15 3"]
    internal: InternalCoordinates
    types: Int[Tensor, "L"]
    ca: Float[Tensor, "L 3"]
    linked: Bool[Tensor, "L"]
    sizes: list[int]
    cells: Float[Tensor, "n 3 3"] | None = None
    choices: RotamerChoices | None = None
    drawn: Float[Tensor, "L"] | None = None
    concentration: Float[Tensor, "L"] | None = None

    def __len__(self) -> int:
        return len(self.types)

    @classmethod
    def join(cls, drafts: Sequence[TorsionStructures]) -> TorsionStructures:
        """Put several in a row; for each of what may be None, all have it or none has."""

        def column(name: str) -> Tensor | None:
            parts = [part for draft in drafts if (part := getattr(draft, name)) is not None]
            return torch.cat(parts) if parts else None

        names = ("torsions", "twist", "bends")
        columns = (torch.cat([getattr(draft.internal, name) for draft in drafts]) for name in names)
        known = [draft.choices for draft in drafts if draft.choices is not None]
        choices = (torch.cat([getattr(part, name) for part in known]) for name in ("odds", "chi") if known)
        atoms, types, ca, linked = (
            torch.cat([getattr(draft, name) for draft in drafts])
            for name in ("atoms", "types", "ca", "linked")
        )
        return cls(
            atoms,
            InternalCoordinates(*columns),
            types,
            ca,
            linked,
            [size for draft in drafts for size in draft.sizes],
            choices=RotamerChoices(*choices) if known else None,
            **{name: column(name) for name in ("cells", *_TOLD)},
        )

    def rows(self, numbers: Sequence[int]) -> Int[Tensor, "N"]:
        """Rows of the residues of some structures."""
        everyone = torch.arange(len(self), device=self.types.device).split(self.sizes)
        return torch.cat([everyone[number] for number in numbers])

    def pick(self, numbers: Sequence[int]) -> TorsionStructures:
        """Some structures by themselves."""
        sizes = [self.sizes[number] for number in numbers]
        cells = None if self.cells is None else self.cells[list(numbers)]
        return replace(self.residues(self.rows(numbers)), sizes=sizes, cells=cells)

    def residues(self, rows: Int[Tensor, "N"]) -> TorsionStructures:
        """Some residues, under the same sizes and cells."""
        names = ("atoms", "types", "ca", "linked")
        picked = {name: getattr(self, name)[rows] for name in names}
        told = {name: value[rows] for name in _TOLD if (value := getattr(self, name)) is not None}
        choices = self.choices and RotamerChoices(self.choices.odds[rows], self.choices.chi[rows])
        return replace(self, internal=self.internal.of(rows), choices=choices, **picked, **told)

    def put(self, numbers: Sequence[int], part: TorsionStructures) -> TorsionStructures:
        """The same with atoms and internal coordinates of some structures replaced by those of ``part``."""
        rows = self.rows(numbers)
        both = zip(vars(self.internal).values(), vars(part.internal).values(), strict=True)
        internal = InternalCoordinates(*(old.index_copy(0, rows, new) for old, new in both))
        return replace(self, atoms=self.atoms.index_copy(0, rows, part.atoms), internal=internal)
