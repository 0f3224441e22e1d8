"""Features of contacts: the types of the two atoms, their distance, and the directions of their bonds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.atom_types import ATOM_TYPES
from latcpb_cli.chem.ideal import side_chain_table
from latcpb_cli.chem.residues import GAMMA_SLOT, slot_mask
from latcpb_cli.device import table_on
from latcpb_cli.geometry.masks import first_rows, starts, true_indices
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.atom_groups import AtomGroups, Contacts
from latcpb_cli.sidechains.candidates import Candidates
from latcpb_cli.sidechains.contacts import (
    FIXED_SLOTS,
    N_KNOTS,
    interpolation_factors,
    knot_position,
    table_sum,
)

__all__ = [
    "N_TERMS",
    "ContactFeatures",
    "OrientedAtoms",
    "backbone_bonds",
    "candidate_bonds",
    "two_way_table",
]

N_TERMS = 4
"""Terms of a contact: a constant, the cosines of its two bonds, and the product of these."""
_ORIENTED_CUTOFF, _ENVELOPE_WIDTH = 4.5, 0.5
"""Å; directions count within the first, and fade out linearly over the second."""
_MIN_DISTANCE = 0.5
"""Å; two atoms that nearly coincide have no direction."""


@dataclass(frozen=True, eq=False)
class OrientedAtoms:
    """Groups of atoms with a direction for each atom.

    Attributes
    ----------
    groups : AtomGroups
    bonds : Tensor, shape (3, A)
        Unit vector of each atom's bond, from the atom to which it is bonded; zero for an atom without
        direction.
    """

    groups: AtomGroups
    bonds: Float[Tensor, "3 A"]


@dataclass(frozen=True, eq=False)
class ContactFeatures:
    """Features of X contacts; the first group of each pair is the center, the second its environment.

    Attributes
    ----------
    contacts : Contacts
    first_type, second_type : Tensor of int32, shape (X,)
        Atom types of the two atoms.
    knot, fraction : Tensor, shape (X,)
        The distance; see `knot_position`.
    oriented : Tensor of int64, shape (Y,)
        Contacts so near that directions count.
    n_oriented : Tensor of int32, shape (X + 1,)
        Number of such contacts before each contact, and of all.
    first_cosine, second_cosine : Tensor, shape (Y,)
        Cosine of the angle between each atom's bond and the line to the other atom.
    envelope : Tensor, shape (Y,)
        Factor of the directions, 0 to 1.
    """

    contacts: Contacts
    first_type: Int[Tensor, "X"]
    second_type: Int[Tensor, "X"]
    knot: Int[Tensor, "X"]
    fraction: Float[Tensor, "X"]
    oriented: Int[Tensor, "Y"]
    n_oriented: Int[Tensor, "X+1"]
    first_cosine: Float[Tensor, "Y"]
    second_cosine: Float[Tensor, "Y"]
    envelope: Float[Tensor, "Y"]

    @classmethod
    def from_contacts(
        cls, atoms: OrientedAtoms, others: OrientedAtoms, contacts: Contacts
    ) -> ContactFeatures:
        """Measure the contacts of groups of ``atoms`` with groups of ``others``."""
        first_type = atoms.groups.atom_types.index_select(0, contacts.first_atom)
        second_type = others.groups.atom_types.index_select(0, contacts.second_atom)
        is_near = contacts.distance < _ORIENTED_CUTOFF
        oriented = true_indices(is_near)
        n_oriented = torch.nn.functional.pad(is_near.cumsum(0, dtype=torch.int32), (1, 0))
        distance = contacts.distance.index_select(0, oriented)
        first = contacts.first_atom.index_select(0, oriented)
        second = contacts.second_atom.index_select(0, oriented)
        start = atoms.groups.positions.index_select(1, first)
        end = others.groups.positions.index_select(1, second)
        direction = (end - start) / distance.clamp(min=_MIN_DISTANCE)
        first_cosine = (direction * atoms.bonds.index_select(1, first)).sum(0)
        second_cosine = -(direction * others.bonds.index_select(1, second)).sum(0)
        envelope = ((_ORIENTED_CUTOFF - distance) / _ENVELOPE_WIDTH).clamp(max=1.0)
        knot, fraction = knot_position(contacts.distance)
        return cls(
            contacts, first_type, second_type, knot, fraction, oriented, n_oriented, first_cosine,
            second_cosine, envelope,
        )  # fmt: skip

    def sum_by_pair(self, table: Float[Tensor, "rows W"]) -> Float[Tensor, "P W"]:
        """Sum table rows over the contacts of each pair of groups.

        ``table`` has a row for each term, ordered pair of atom types and knot, in this order, and a row of
        zeros after the knots of each pair of types.
        """
        return self._sum(table, starts(self.contacts.count))

    def add_by_center(self, table: Float[Tensor, "rows W"], sums: Float[Tensor, "G W"]) -> None:
        """Add table rows over the contacts of each center to its row of ``sums``; centers ascend."""
        center, first, stop = self.contacts.first_group, 0, len(sums)
        if sums.device.type == "cpu" and len(center) > 0:  # blocks are parts of the whole
            first, stop = int(center[0]), int(center[-1]) + 1
        first_pair = first_rows(center - first, stop - first)
        first_contact = torch.nn.functional.pad(self.contacts.count.cumsum(0), (1, 0))
        sums[first:stop] += self._sum(table, first_contact.index_select(0, first_pair))

    def _sum(self, table: Float[Tensor, "rows W"], first: Int[Tensor, "owners"]) -> Float[Tensor, "owners W"]:
        """Sum table rows over the contacts of each owner, which start at ``first``."""
        entry = (self.first_type * len(ATOM_TYPES) + self.second_type) * (N_KNOTS + 1) + self.knot
        entries = torch.stack([entry, entry + 1], dim=1)
        factors = interpolation_factors(self.fraction)
        constant = table_sum(table, entries, factors, first)
        rows_per_term = len(ATOM_TYPES) ** 2 * (N_KNOTS + 1)
        entry = entry.index_select(0, self.oriented)[:, None]
        entry = entry + rows_per_term * torch.arange(1, N_TERMS, dtype=entry.dtype, device=entry.device)
        fraction = self.fraction.index_select(0, self.oriented)[:, None]
        cosines = [self.first_cosine, self.second_cosine, self.first_cosine * self.second_cosine]
        directions = torch.stack(cosines, dim=1) * self.envelope[:, None]
        entries = torch.cat([entry, entry + 1], dim=1)
        factors = torch.cat([(1 - fraction) * directions, fraction * directions], dim=1)
        return constant + table_sum(table, entries, factors, self.n_oriented.index_select(0, first))


def two_way_table(table: Float[Tensor, "rows W"]) -> Float[Tensor, "rows 2*W"]:
    """Append to each row what the same contact adds with its second group as the center."""
    n_types = len(ATOM_TYPES)
    terms = table.view(N_TERMS, n_types, n_types, N_KNOTS + 1, -1)
    both_ways = table.new_empty(*terms.shape[:4], 2, terms.shape[4])
    both_ways[..., 0, :] = terms
    # The terms are a constant, those of the first and of the second bond, and that of both.
    for term, mirrored in enumerate((0, 2, 1, 3)):
        both_ways[term, ..., 1, :] = terms[mirrored].transpose(0, 1)
    return both_ways.view(-1, 2 * terms.shape[4])


def candidate_bonds(
    candidates: Candidates, atoms: Float[Tensor, "L 15 3"], graph: Graph
) -> Float[Tensor, "3 A"]:
    """Return unit vectors to each candidate's atoms from the atoms to which they are bonded."""
    types = graph.types.index_select(0, candidates.residue)
    backbones = atoms[:, :GAMMA_SLOT].index_select(0, candidates.residue)
    residues = torch.cat([backbones, candidates.atoms], dim=1)
    bonded_slot = table_on(atoms.device, side_chain_table, "parents")[types, :, 2]
    bonded = residues.gather(1, bonded_slot[..., None].expand_as(candidates.atoms))
    bonds = unit(candidates.atoms - bonded)
    return bonds.flatten(0, 1).index_select(0, true_indices(candidates.mask.flatten())).T.contiguous()


def backbone_bonds(atoms: Float[Tensor, "L 15 3"], graph: Graph) -> Float[Tensor, "3 A"]:
    """Return unit vectors of the bonds of N, CA, C, O and CB.

    Those of N and CA point along the bond to their hydrogen, those of O and CB from the atom to which they
    are bonded; C has none.
    """
    n, ca, c, o, cb = atoms[:, FIXED_SLOTS].unbind(1)
    previous = torch.where(graph.order.linked_before(graph.linked)[:, None], graph.order.previous(c), ca)
    toward_hydrogen = n - (previous + ca) / 2, ca - (n + c) / 2
    bonds = torch.stack([*toward_hydrogen, torch.zeros_like(c), o - c, cb - ca], dim=1)
    mask = table_on(atoms.device, slot_mask)[graph.types, FIXED_SLOTS]
    return unit(bonds).flatten(0, 1).index_select(0, true_indices(mask.flatten())).T.contiguous()
