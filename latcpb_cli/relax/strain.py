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
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, NAMES, PRO, slot_of
from latcpb_cli.device import table_on
from latcpb_cli.geometry.links import ChainOrder
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.relax.angle_gradients import angle_gradient, torsion_gradient
from latcpb_cli.relax.structures import LANES, TorsionStructures

__all__ = ["BackboneStrain"]

# Chosen as those of `latcpb_cli.relax.relief`.
_FREE_BEND = math.radians(5.0)  # deviation of an angle at no energy
_STIFFNESS_RAMP = math.radians(2.0)  # deviation beyond it at which an angle reaches its full stiffness
_RAMACHANDRAN_STIFFNESS = 60.0  # of N and C; with much less, rounding errors grow

_ATOM_BEND_STIFFNESS = BEND_STIFFNESS / 2.2  # per Å² instead of rad², for an atom 1.5 Å from the apex
_CD_SLOT = slot_of("PRO", "CD")


@dataclass(frozen=True, eq=False)
class BackboneStrain:
    """Strain energy of L residues.

    Attributes
    ----------
    ideal_angle : Tensor, shape (L,)
        N-CA-C of each residue's type, rad.
    inner : Tensor, shape (L,)
        1 for residues with a peptide on either side, else 0.
    ramachandran_weight : Tensor, shape (L,)
        Weight of the Ramachandran energy of each residue, 0 to 1.
    prolines : Tensor, shape (M,)
        Rows of the prolines that follow another residue, padded to a multiple of ``LANES`` with the
        last of the L rows, which belongs to no structure.
    before_prolines : Tensor, shape (M,)
        Rows of the residues before them.
    ramachandran_class : Tensor, shape (L,)
        Index into the classes of `latcpb_cli.chem.ramachandran`.
    order : ChainOrder
    """

    ideal_angle: Float[Tensor, "L"]
    inner: Float[Tensor, "L"]
    ramachandran_weight: Float[Tensor, "L"]
    prolines: Int[Tensor, "M"]
    before_prolines: Int[Tensor, "M"]
    ramachandran_class: Int[Tensor, "L"]
    order: ChainOrder

    @classmethod
    def from_structures(cls, structures: TorsionStructures) -> BackboneStrain:
        """Set up the strain energy of padded structures (`TorsionStructures.padded`)."""
        types, linked, dtype = structures.types, structures.linked, structures.atoms.dtype
        device, order = types.device, structures.order
        linked_to_previous = order.linked_before(linked)
        ideal_angle = table_on(device, reference_angle)[:, N_SLOT, CA_SLOT, C_SLOT].to(dtype)
        is_proline = types == PRO
        before_proline = (order.next(is_proline) & linked).long()
        classes = table_on(device, _class_table)[before_proline, types]
        prolines = true_indices(is_proline & linked_to_previous)
        n_padding = -len(prolines) % LANES
        prolines = torch.nn.functional.pad(prolines, (0, n_padding), value=len(types) - 1)
        before_prolines = order.previous(torch.arange(len(types), device=device))[prolines]
        inner = (linked & linked_to_previous).to(dtype)
        weight = structures.ramachandran_weight
        weight = inner if weight is None else inner * weight
        return cls(ideal_angle[types], inner, weight, prolines, before_prolines, classes, order)

    def add_gradient(
        self,
        atoms: Float[Tensor, "3 15 L"],
        gradient: Float[Tensor, "3 15 L"],
        stiffness: Float[Tensor, "15 L"],
    ) -> None:
        """Add gradient (per Å) and stiffness (per Å²) of the strain energy (Å²) in place."""
        n, ca, c = atoms[:, N_SLOT], atoms[:, CA_SLOT], atoms[:, C_SLOT]
        angle, on_n, on_c = angle_gradient(n - ca, c - ca)
        slope = BEND_STIFFNESS * _beyond_free_bend(angle - self.ideal_angle) * self.inner
        gradient[:, N_SLOT] += slope * on_n
        gradient[:, C_SLOT] += slope * on_c
        self._add_ramachandran_gradient(atoms, gradient)
        backbone_stiffness = _bend_stiffness(slope) + _RAMACHANDRAN_STIFFNESS * self.inner
        stiffness[N_SLOT] += backbone_stiffness
        stiffness[C_SLOT] += backbone_stiffness
        self._add_proline_gradient(atoms, gradient, stiffness)

    def _add_ramachandran_gradient(
        self, atoms: Float[Tensor, "3 15 L"], gradient: Float[Tensor, "3 15 L"]
    ) -> None:
        """Add the gradient of the Ramachandran energy to N and C; CA do not move."""
        n, ca, c = atoms[:, N_SLOT], atoms[:, CA_SLOT], atoms[:, C_SLOT]
        # Phi and psi in one call: each of the four atoms is (3, 2, L).
        previous, next_ = self.order.previous, self.order.next
        pairs = (previous(c, -1), n), (n, ca), (ca, c), (c, next_(n, -1))
        angles, *on_atoms = torsion_gradient(*(torch.stack(pair, dim=1) for pair in pairs))
        slopes = ramachandran_gradient(self.ramachandran_class, angles[0], angles[1])
        first, second, third, fourth = (slopes * self.ramachandran_weight * on_atom for on_atom in on_atoms)
        gradient[:, C_SLOT] += next_(first[:, 0], -1) + fourth[:, 0] + third[:, 1]
        gradient[:, N_SLOT] += second[:, 0] + first[:, 1] + previous(fourth[:, 1], -1)

    def _add_proline_gradient(
        self,
        atoms: Float[Tensor, "3 15 L"],
        gradient: Float[Tensor, "3 15 L"],
        stiffness: Float[Tensor, "15 L"],
    ) -> None:
        """Add gradient and stiffness of the angle C-N-CD between a proline and the residue before it."""
        rows, previous = self.prolines, self.before_prolines
        n = atoms[:, N_SLOT, rows]
        angle, on_c, on_cd = angle_gradient(atoms[:, C_SLOT, previous] - n, atoms[:, _CD_SLOT, rows] - n)
        slope = BEND_STIFFNESS * _beyond_free_bend(angle - peptide_reference()["PRO C-N-CD"])
        gradient[:, C_SLOT, previous] += slope * on_c
        gradient[:, _CD_SLOT, rows] += slope * on_cd
        gradient[:, N_SLOT, rows] -= slope * (on_c + on_cd)
        stiffness[C_SLOT, previous] += _bend_stiffness(slope)


def _class_table() -> Int[np.ndarray, "2 20"]:
    """Ramachandran class of each residue type, not before and before a proline."""
    types = np.arange(len(NAMES))
    return np.stack([residue_classes(types, np.full(len(types), before)) for before in (False, True)])


def _beyond_free_bend(deviation: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    return deviation - deviation.clamp(-_FREE_BEND, _FREE_BEND)


def _bend_stiffness(slope: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Stiffness of the atoms at the ends of an angle, from the derivative of its energy (Å² per rad)."""
    return _ATOM_BEND_STIFFNESS * (slope.abs() / (BEND_STIFFNESS * _STIFFNESS_RAMP)).clamp(max=1.0)
