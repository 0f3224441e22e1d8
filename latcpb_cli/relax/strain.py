"""Strain of backbones: bent N-CA-C, bent C-N-CD of proline, phi and psi outside favoured regions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.backbone.ramachandran_energy import BEND_STIFFNESS, ramachandran_gradient
from latcpb_cli.chem.ramachandran import residue_classes
from latcpb_cli.chem.reference import peptide_reference, reference_angle
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_AND_C, N_SLOT, N_SLOTS, NAMES, PRO, slot_of
from latcpb_cli.device import table_on
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.vectors import LANES
from latcpb_cli.relax.angle_gradients import angle_gradient, torsion_gradient
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["BackboneStrain"]

# Chosen as those of `latcpb_cli.relax.relief`.
_FREE_BEND = math.radians(5.0)  # deviation of an angle at no energy
_STIFFNESS_RAMP = math.radians(2.0)  # deviation beyond it at which an angle reaches its full stiffness
_RAMACHANDRAN_STIFFNESS = 60.0  # of N and C; with much less, rounding errors grow

_ATOM_BEND_STIFFNESS = BEND_STIFFNESS / 2.2  # per Å² instead of rad², for an atom 1.5 Å from the apex
_CD_SLOT = slot_of("PRO", "CD")


@dataclass(frozen=True, eq=False)
class BackboneStrain:
    """Strain energy of L residues, M of them prolines that follow another residue.

    Attributes
    ----------
    ideal_angle : Tensor, shape (L + M,)
        N-CA-C of each residue's type, then C-N-CD of each proline, rad.
    stiffness : Tensor, shape (L + M,)
        Of the angles of residues with a peptide on either side, and of prolines (Å² per rad²); 0 for others
        and for the padding.
    ramachandran_stiffness : Tensor, shape (L,)
        That adds to N and C of these residues.
    ramachandran_weight : Tensor, shape (L,)
        Weight of the Ramachandran energy of each residue, 0 to 1.
    proline_atoms : Tensor, shape (3, 3 M)
        Indices into (3, 15, L), flattened, by coordinate: C before each proline, CD, and N. M is padded to a
        multiple of ``LANES`` with atoms of the last rows.
    ramachandran_class : Tensor, shape (L,)
        Index into the classes of `latcpb_cli.chem.ramachandran`.
    order : ChainOrder
    """

    ideal_angle: Float[Tensor, "L+M"]
    stiffness: Float[Tensor, "L+M"]
    ramachandran_stiffness: Float[Tensor, "L"]
    ramachandran_weight: Float[Tensor, "L"]
    proline_atoms: Int[Tensor, "3 3*M"]
    ramachandran_class: Int[Tensor, "L"]
    order: ChainOrder

    @classmethod
    def from_structures(cls, structures: TorsionStructures) -> BackboneStrain:
        """Set up the strain energy of padded structures (`TorsionStructures.padded`)."""
        types, linked, dtype = structures.types, structures.linked, structures.atoms.dtype
        device, order, length = types.device, structures.order, len(structures.types)
        linked_to_previous = order.linked_before(linked)
        n_ca_c = table_on(device, reference_angle)[types, N_SLOT, CA_SLOT, C_SLOT].to(dtype)
        is_proline = types == PRO
        before_proline = (order.next(is_proline) & linked).long()
        classes = table_on(device, _class_table)[before_proline, types]
        prolines = true_indices(is_proline & linked_to_previous)
        n_prolines = len(prolines)
        prolines = torch.nn.functional.pad(prolines, (0, -n_prolines % LANES), value=length - 1)
        before_prolines = order.previous(torch.arange(length, device=device))[prolines]
        residues_of_slots = (C_SLOT, before_prolines), (_CD_SLOT, prolines), (N_SLOT, prolines)
        proline_atoms = torch.cat([slot * length + residues for slot, residues in residues_of_slots])
        coordinates = N_SLOTS * length * torch.arange(3, device=device)
        c_n_cd = n_ca_c.new_full((len(prolines),), peptide_reference()["PRO C-N-CD"])
        exists = (torch.arange(len(prolines), device=device) < n_prolines).to(dtype)
        inner = (linked & linked_to_previous).to(dtype)
        weight = structures.ramachandran_weight
        return cls(
            ideal_angle=torch.cat([n_ca_c, c_n_cd]),
            stiffness=BEND_STIFFNESS * torch.cat([inner, exists]),
            ramachandran_stiffness=_RAMACHANDRAN_STIFFNESS * inner,
            ramachandran_weight=inner if weight is None else inner * weight,
            proline_atoms=coordinates[:, None] + proline_atoms,
            ramachandran_class=classes,
            order=order,
        )

    def add_gradient(
        self,
        atoms: Float[Tensor, "3 15 L"],
        gradient: Float[Tensor, "3 15 L"],
        stiffness: Float[Tensor, "15 L"],
    ) -> None:
        """Add gradient (per Å) and stiffness (per Å²) of the strain energy (Å²) in place."""
        bonds = atoms[:, N_AND_C] - atoms[:, CA_SLOT, None]
        self._add_bend_gradient(atoms, bonds, gradient, stiffness)
        self._add_ramachandran_gradient(atoms, bonds, gradient)

    def _add_bend_gradient(
        self,
        atoms: Float[Tensor, "3 15 L"],
        bonds: Float[Tensor, "3 2 L"],
        gradient: Float[Tensor, "3 15 L"],
        stiffness: Float[Tensor, "15 L"],
    ) -> None:
        """Add gradient and stiffness of N-CA-C, and of C-N-CD between a proline and the residue before it.

        ``bonds`` are the vectors from CA to N and C, Å.
        """
        length = atoms.shape[-1]
        of_prolines = atoms.flatten().index_select(0, self.proline_atoms.flatten()).view(3, 3, -1)
        c_before_and_cd, n = of_prolines[:, :2], of_prolines[:, 2]
        angle, on_ends = angle_gradient(torch.cat([bonds, c_before_and_cd - n[:, None]], dim=2))
        slope = _beyond_free_bend(angle - self.ideal_angle) * self.stiffness
        on_ends = on_ends * slope
        bend_stiffness = _bend_stiffness(slope)
        gradient[:, N_AND_C].add_(on_ends[..., :length])
        stiffness[N_AND_C].add_(bend_stiffness[:length] + self.ramachandran_stiffness)
        on_prolines = on_ends[..., length:]
        on_prolines = torch.cat([on_prolines, -on_prolines.sum(1, keepdim=True)], dim=1)
        gradient.view(-1).index_add_(0, self.proline_atoms.flatten(), on_prolines.flatten())
        c_before = self.proline_atoms[0, : len(slope) - length]
        stiffness.view(-1).index_add_(0, c_before, bend_stiffness[length:])

    def _add_ramachandran_gradient(
        self,
        atoms: Float[Tensor, "3 15 L"],
        bonds: Float[Tensor, "3 2 L"],
        gradient: Float[Tensor, "3 15 L"],
    ) -> None:
        """Add the gradient of the Ramachandran energy to N and C; CA do not move.

        ``bonds`` are the vectors from CA to N and C, Å.
        """
        previous, next_, (to_n, to_c) = self.order.previous, self.order.next, bonds.unbind(1)
        peptide = next_(atoms[:, N_SLOT], -1) - atoms[:, C_SLOT]
        # Phi as C-N-CA-C, psi from its end as N-C-CA-N: the third atom is CA in both, and the bonds are axes.
        ends = torch.stack([-previous(peptide, -1), peptide, to_c, to_n], dim=1).view(3, 2, 2, -1)
        angles, on_ends, on_n_and_c = torsion_gradient(ends, bonds)
        slopes = ramachandran_gradient(self.ramachandran_class, angles[0], angles[1])
        slopes = slopes * self.ramachandran_weight
        on_previous_c, on_next_n, on_c, on_n = (slopes * on_ends).flatten(1, 2).unbind(1)
        gradient[:, N_AND_C].add_(slopes * on_n_and_c)
        gradient[:, C_SLOT].add_(on_c + next_(on_previous_c, -1))
        gradient[:, N_SLOT].add_(on_n + previous(on_next_n, -1))


def _class_table() -> Int[np.ndarray, "2 20"]:
    """Ramachandran class of each residue type, not before and before a proline."""
    types = np.arange(len(NAMES))
    return np.stack([residue_classes(types, np.full(len(types), before)) for before in (False, True)])


def _beyond_free_bend(deviation: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    return deviation - deviation.clamp(-_FREE_BEND, _FREE_BEND)


def _bend_stiffness(slope: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Stiffness of the atoms at the ends of an angle, from the derivative of its energy (Å² per rad)."""
    ramp = _ATOM_BEND_STIFFNESS / (BEND_STIFFNESS * _STIFFNESS_RAMP)
    return (ramp * slope.abs()).clamp(max=_ATOM_BEND_STIFFNESS)
