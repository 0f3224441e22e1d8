"""What a chain of Cα wants of the peptides between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.backbone.ramachandran_energy import BEND_STIFFNESS, region_energy
from latcpb_cli.chem.ramachandran import residue_classes
from latcpb_cli.chem.reference import reference_angle
from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.geometry.peptide import axis_frame, is_cis, peptide_atoms

__all__ = ["Backbone"]

_N, _CA, _C = 0, 1, 2
_PRO = LETTERS.index("P")
_SLACK = math.radians(4.0)  # what angles may be off at no cost; relief adds errors of its own


@dataclass(frozen=True, eq=False)
class Backbone:
    """PeptideRotations of L residues on Cα that are given, planar and of ideal shape.

    Attributes
    ----------
    linked : a peptide joins i to i+1, (L,)
    cis : that peptide is cis, (L,)
    both : both peptides of the residue are there, (L,)
    region : class of the residue in the Ramachandran maps, (L,)
    ideal : its N-CA-C, rad, (L,)
    """

    linked: Bool[Tensor, "L"]
    cis: Bool[Tensor, "L"]
    both: Bool[Tensor, "L"]
    region: Int[Tensor, "L"]
    ideal: Float[Tensor, "L"]

    @classmethod
    def of(cls, ca: Float[Tensor, "L 3"], types: np.ndarray, linked: np.ndarray) -> Backbone:
        """Look up what each residue wants; which peptides are cis is read from ``ca`` (Å)."""
        kinds, links = torch.from_numpy(types), torch.from_numpy(linked)
        distance = (ca.roll(-1, 0) - ca).norm(dim=-1)
        region = residue_classes(types, (np.roll(types, -1) == _PRO) & linked)
        return cls(
            links,
            is_cis(distance, kinds.roll(-1, 0)),
            links & linked_before(links),
            torch.from_numpy(region),
            torch.from_numpy(reference_angle()[types, _N, _CA, _C]).to(ca),
        )

    def peptides(
        self, ca: Float[Tensor, "L 3"], rotation: Float[Tensor, "L"]
    ) -> tuple[Float[Tensor, "L 3"], Float[Tensor, "L 3"]]:
        """C of each residue and N of the next (Å), when the peptide between them is turned so (rad)."""
        pair = torch.stack([torch.cos(rotation), torch.sin(rotation)], dim=-1)
        frame = axis_frame(ca, self.linked)
        c, _, n_ahead = peptide_atoms(ca, frame, self.cis, pair, torch.zeros_like(rotation))
        return c, n_ahead

    def energy(
        self, bend: Float[Tensor, "L *n"], phi: Float[Tensor, "L *n"], psi: Float[Tensor, "L *n"]
    ) -> Float[Tensor, "L *n"]:
        """Energy (Å²) of cosines of N-CA-C, and of phi and psi (rad); 0 where a peptide is missing."""
        ideal, region, both = (
            x.view(-1, *[1] * (bend.ndim - 1)) for x in (self.ideal, self.region, self.both)
        )
        off = torch.acos(bend.clamp(-0.999, 0.999)) - ideal
        off = off - off.clamp(-_SLACK, _SLACK)
        return torch.where(both, 0.5 * BEND_STIFFNESS * off * off + region_energy(region, phi, psi), 0.0)
