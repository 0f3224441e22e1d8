"""Contacts as one group of atoms sees another: kinds of atoms, how far, in which direction of bonds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.atom_types import ATOM_TYPES
from latcpb_cli.chem.ideal import side_chain_table
from latcpb_cli.chem.residues import GAMMA_SLOT, slot_mask
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.atom_groups import AtomGroups, Contacts
from latcpb_cli.sidechains.candidates import Candidates
from latcpb_cli.sidechains.contacts import BACKBONE, KNOTS, knot_position, read

__all__ = ["TERMS", "OrientedAtoms", "ContactFeatures", "backbone_bonds", "candidate_bonds"]

TERMS = 4
"""What is read of a contact: itself, the directions of its two bonds, and of both."""
_TURNED, _FADE = 4.5, 0.5  # Å; up to where directions count, and over which length they cease to
_TOUCHING = 0.5  # Å


@dataclass(frozen=True, eq=False)
class OrientedAtoms:
    """Groups of atoms, and the direction of each atom's bond to the residue's inside, (3, A)."""

    shapes: AtomGroups
    bonds: Float[Tensor, "3 A"]


@dataclass(frozen=True, eq=False)
class ContactFeatures:
    """Contacts, as the first group of each pair sees the second.

    Attributes
    ----------
    own, other : kinds of its atom and of the other's, (C,)
    knot, ahead : the distance, as in `along`, (C,)
    near : contacts so near that directions count, (N,)
    here, there : cosines between the line of the contact and the bond of its atom, of the other's, (N,)
    fade : how much these count, (N,)
    """

    met: Contacts
    own: Int[Tensor, "C"]
    other: Int[Tensor, "C"]
    knot: Int[Tensor, "C"]
    ahead: Float[Tensor, "C"]
    near: Int[Tensor, "N"]
    here: Float[Tensor, "N"]
    there: Float[Tensor, "N"]
    fade: Float[Tensor, "N"]

    @classmethod
    def of(cls, own: OrientedAtoms, others: OrientedAtoms, met: Contacts) -> ContactFeatures:
        """Measure contacts of groups of ``own`` with groups of ``others``."""
        kinds = own.shapes.kinds.index_select(0, met.own), others.shapes.kinds.index_select(0, met.other)
        near = true_indices(met.distance < _TURNED)
        distance = met.distance.index_select(0, near)
        u, v = met.own.index_select(0, near), met.other.index_select(0, near)
        way = others.shapes.points.index_select(1, v) - own.shapes.points.index_select(1, u)
        way = way / distance.clamp(min=_TOUCHING)
        here = (way * own.bonds.index_select(1, u)).sum(0)
        there = -(way * others.bonds.index_select(1, v)).sum(0)
        fade = ((_TURNED - distance) / _FADE).clamp(max=1.0)
        return cls(met, *kinds, *knot_position(met.distance), near, here, there, fade)

    def back(self) -> ContactFeatures:
        """As the second group sees the first."""
        return replace(self, own=self.other, other=self.own, here=self.there, there=self.here)

    def add_up(self, table: Float[Tensor, "N W"]) -> Float[Tensor, "P W"]:
        """What each pair of groups amounts to: entries by distance, and by distance and direction."""
        entry = (self.own * len(ATOM_TYPES) + self.other) * (KNOTS + 1) + self.knot
        entries = torch.stack([entry, entry + 1], dim=1)
        values = torch.stack([1 - self.ahead, self.ahead], dim=1)
        count = len(self.met.one)
        look = read(table, entries, values, self.met.pair, count)
        size = len(ATOM_TYPES) ** 2 * (KNOTS + 1)
        entry = entry.index_select(0, self.near)[:, None]
        entry = entry + size * torch.arange(1, TERMS, dtype=entry.dtype, device=entry.device)
        ahead = self.ahead.index_select(0, self.near)[:, None]
        turned = torch.stack([self.here, self.there, self.here * self.there], dim=1) * self.fade[:, None]
        entries = torch.cat([entry, entry + 1], dim=1)
        values = torch.cat([(1 - ahead) * turned, ahead * turned], dim=1)
        return look + read(table, entries, values, self.met.pair.index_select(0, self.near), count)


def candidate_bonds(
    candidates: Candidates, atoms: Float[Tensor, "L 15 3"], graph: Graph
) -> Float[Tensor, "3 A"]:
    """Directions from the atom that each candidate's atom is bonded to."""
    kinds = graph.types.index_select(0, candidates.residue)
    whole = torch.cat([atoms[:, :GAMMA_SLOT].index_select(0, candidates.residue), candidates.atoms], dim=1)
    before = torch.as_tensor(side_chain_table().parents, device=atoms.device)[kinds, :, 2]
    bonds = unit(candidates.atoms - whole.gather(1, before[..., None].expand_as(candidates.atoms)))
    return bonds.flatten(0, 1).index_select(0, true_indices(candidates.there.flatten())).T.contiguous()


def backbone_bonds(atoms: Float[Tensor, "L 15 3"], graph: Graph) -> Float[Tensor, "3 A"]:
    """Of N along its hydrogen, of CA along its own, of O and CB from the atom before; C has none."""
    n, ca, c, o, cb = atoms[:, :GAMMA_SLOT].unbind(1)
    before = torch.where(linked_before(graph.linked)[:, None], c.roll(1, 0), ca)
    ways = torch.stack([n - (before + ca) / 2, ca - (n + c) / 2, torch.zeros_like(c), o - c, cb - ca], dim=1)
    there = torch.from_numpy(slot_mask()).to(atoms.device)[graph.types, BACKBONE]
    return unit(ways).flatten(0, 1).index_select(0, true_indices(there.flatten())).T.contiguous()
