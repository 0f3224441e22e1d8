"""Peptides of ideal shape on a Cα trace, and the energy of the residues between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.backbone.ramachandran_energy import BEND_STIFFNESS, ramachandran_energy
from latcpb_cli.chem.ramachandran import residue_classes
from latcpb_cli.chem.reference import reference_angle
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, PRO
from latcpb_cli.geometry.links import LINEAR, ChainOrder
from latcpb_cli.geometry.peptide import axis_frame, is_cis_distance, peptide_atoms

__all__ = ["PeptideChain"]

_FREE_BEND = math.radians(4.0)
"""Deviation of N-CA-C at no energy: a degree less than in relaxation, which adds deviations of its own."""


@dataclass(frozen=True, eq=False)
class PeptideChain:
    """Peptides of ideal shape between the Cα of L residues.

    Attributes
    ----------
    linked : Tensor, shape (L,)
        Whether a peptide joins each residue to the next.
    is_cis : Tensor, shape (L,)
        Whether that peptide is cis.
    inner : Tensor, shape (L,)
        Whether the residue has a peptide on either side.
    ramachandran_class : Tensor, shape (L,)
        Index into the residue classes of `latcpb_cli.chem.ramachandran`.
    ideal_angle : Tensor, shape (L,)
        N-CA-C of the residue's type, rad.
    order : ChainOrder
    score_weight : float
        See `ramachandran_energy`.
    """

    linked: Bool[Tensor, "L"]
    is_cis: Bool[Tensor, "L"]
    inner: Bool[Tensor, "L"]
    ramachandran_class: Int[Tensor, "L"]
    ideal_angle: Float[Tensor, "L"]
    order: ChainOrder = LINEAR
    score_weight: float = 0.0

    @classmethod
    def from_trace(
        cls,
        ca: Float[Tensor, "L 3"],
        types: Int[np.ndarray, "L"],
        linked: Bool[np.ndarray, "L"],
        order: ChainOrder = LINEAR,
    ) -> PeptideChain:
        """Set up the peptides of a trace; the Cα-Cα distances of ``ca`` (Å) determine which are cis."""
        residue_types, links = torch.from_numpy(types), torch.from_numpy(linked)
        distance = (order.next(ca) - ca).norm(dim=-1)
        before_proline = (order.next(residue_types).numpy() == PRO) & linked
        return cls(
            linked=links,
            is_cis=is_cis_distance(distance, order.next(residue_types)),
            inner=links & order.linked_before(links),
            ramachandran_class=torch.from_numpy(residue_classes(types, before_proline)),
            ideal_angle=torch.from_numpy(reference_angle()[types, N_SLOT, CA_SLOT, C_SLOT]).to(ca),
            order=order,
        )

    def peptide_atoms(
        self, ca: Float[Tensor, "L 3"], rotation: Float[Tensor, "L"], twist: Float[Tensor, "L"]
    ) -> tuple[Float[Tensor, "L 3"], Float[Tensor, "L 3"]]:
        """Return C of each residue and N of the next (Å) at rotations and twists (rad) of the peptides."""
        pair = torch.stack([torch.cos(rotation), torch.sin(rotation)], dim=-1)
        frame = axis_frame(ca, self.linked, self.order)
        c, _, n_next = peptide_atoms(ca, frame, self.is_cis, pair, twist, self.order)
        return c, n_next

    def energy(
        self, cos_angle: Float[Tensor, "L *n"], phi: Float[Tensor, "L *n"], psi: Float[Tensor, "L *n"]
    ) -> Float[Tensor, "L *n"]:
        """Return the energy (Å²) of each residue, 0 where it lacks a peptide.

        Parameters
        ----------
        cos_angle : Tensor, shape (L, ...)
            Cosine of N-CA-C.
        phi, psi : Tensor, shape (L, ...)
            Torsions, rad.
        """
        shape = (-1, *[1] * (cos_angle.ndim - 1))
        bend = torch.acos(cos_angle.clamp(-0.999, 0.999)) - self.ideal_angle.view(shape)
        bend = bend - bend.clamp(-_FREE_BEND, _FREE_BEND)
        classes = self.ramachandran_class.view(shape)
        ramachandran = ramachandran_energy(classes, phi, psi, self.score_weight)
        energy = 0.5 * BEND_STIFFNESS * bend * bend + ramachandran
        return torch.where(self.inner.view(shape), energy, 0.0)
