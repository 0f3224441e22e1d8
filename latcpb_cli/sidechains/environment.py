"""The surroundings of candidates: their embedded contacts with backbones and with each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.geometry.masks import first_rows, true_indices
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.atom_groups import Contacts, groups_of_pairs
from latcpb_cli.sidechains.candidates import Candidates
from latcpb_cli.sidechains.contact_features import (
    ContactFeatures,
    OrientedAtoms,
    backbone_bonds,
    candidate_bonds,
    two_way_table,
)
from latcpb_cli.sidechains.contacts import CandidateContacts, table_sum

__all__ = ["MIN_SCORED", "Environment"]

MIN_SCORED = 0.005
"""Less probable candidates keep their mean-field probability, and need no surroundings."""
_MIN_ENVIRONMENT = 0.04
"""Less probable candidates are left out of the surroundings of others."""


@dataclass(frozen=True, eq=False)
class _PairSums:
    """Embedded contacts of P pairs of a candidate at the center with another one.

    Attributes
    ----------
    embedded : Tensor, shape (P, W)
        Sums over the contacts of each pair.
    pair : Tensor of int64, shape (P,)
        Rows of ``embedded``, sorted by their centers.
    center, other : Tensor of int64, shape (P,)
        Candidates of these rows; centers ascend.
    """

    embedded: Float[Tensor, "P W"]
    pair: Int[Tensor, "P"]
    center: Int[Tensor, "P"]
    other: Int[Tensor, "P"]

    @classmethod
    def by_center(
        cls, center: Int[Tensor, "P"], other: Int[Tensor, "P"], embedded: Float[Tensor, "P W"]
    ) -> _PairSums:
        """Sort pairs by the candidate at the center."""
        ascending, pair = center.sort(stable=True)
        return cls(embedded, pair, ascending, other.index_select(0, pair))

    def weighted(self, presence: Float[Tensor, "N"]) -> Float[Tensor, "N W"]:
        """Return the sums of each candidate as the center, the others by their presence."""
        factors = presence.index_select(0, self.other)
        first = first_rows(self.center, len(presence))
        return table_sum(self.embedded, self.pair[:, None], factors[:, None], first)


@dataclass(frozen=True, eq=False)
class Environment:
    """Embedded contacts of N candidates.

    Attributes
    ----------
    of_backbones : Tensor, shape (N, W)
        Sums over the contacts of each candidate with backbones.
    probable : Tensor of bool, shape (N,)
        Candidates that count in the surroundings of others.
    of_others : _PairSums
        Contacts with other candidates; each of a pair is the center once.
    """

    of_backbones: Float[Tensor, "N W"]
    probable: Bool[Tensor, "N"]
    of_others: _PairSums

    @classmethod
    def from_contacts(
        cls,
        table: Float[Tensor, "rows W"],
        candidates: Candidates,
        weight: Float[Tensor, "N"],
        contacts: CandidateContacts,
        atoms: Float[Tensor, "L 15 3"],
        graph: Graph,
    ) -> Environment:
        """Embed the contacts of candidates.

        Parameters
        ----------
        table
            Embeddings; see `ContactFeatures.sum_by_pair`.
        candidates
            N candidates.
        weight
            Their probability in the mean field.
        contacts
            Their contacts; its lists are empty afterwards.
        atoms
            Their backbones, Å.
        graph
            Neighbourhoods.
        """
        scored, probable = weight >= MIN_SCORED, weight >= _MIN_ENVIRONMENT
        side_chains = OrientedAtoms(contacts.candidates, candidate_bonds(candidates, atoms, graph))
        backbones = OrientedAtoms(contacts.backbones, backbone_bonds(atoms, graph))
        of_backbones = table.new_zeros(len(weight), table.shape[1])
        for block in _use_up(contacts.fixed):
            near = block.select(scored.index_select(0, block.first_group))
            ContactFeatures.from_contacts(side_chains, backbones, near).add_by_center(table, of_backbones)
        first, second = groups_of_pairs(contacts.mutual)
        as_first, as_second = (
            scored.index_select(0, center) & probable.index_select(0, other)
            for center, other in ((first, second), (second, first))
        )
        # First all pairs in their order, then all with the second one as the center, wherever a block ends.
        stops = [0, int(as_first.sum())]
        center, other = first.new_empty(2, stops[1] + int(as_second.sum()))
        embedded, both_ways = table.new_empty(len(center), table.shape[1]), two_way_table(table)
        kept = torch.split(as_first | as_second, [len(block.first_group) for block in contacts.mutual])
        for block in map(Contacts.select, _use_up(contacts.mutual), kept):
            features = ContactFeatures.from_contacts(side_chains, side_chains, block)
            groups = block.first_group, block.second_group
            for part, sums in enumerate(features.sum_by_pair(both_ways).chunk(2, dim=1)):
                centers, others = groups[part], groups[1 - part]
                needed = true_indices(scored.index_select(0, centers) & probable.index_select(0, others))
                rows = slice(stops[part], stops[part] + len(needed))
                center[rows], other[rows] = centers.index_select(0, needed), others.index_select(0, needed)
                embedded[rows], stops[part] = sums.index_select(0, needed), rows.stop
        return cls(of_backbones, probable, _PairSums.by_center(center, other, embedded))

    def weighted(self, weight: Float[Tensor, "N"]) -> tuple[Float[Tensor, "N W"], Float[Tensor, "N W"]]:
        """Return the sums of each candidate: with backbones, and with others by their probability."""
        return self.of_backbones, self.of_others.weighted(torch.where(self.probable, weight, 0.0))


def _use_up(blocks: list[Contacts]) -> Iterator[Contacts]:
    """Yield the blocks of a list, which loses each, so that its memory is free when it is not needed."""
    blocks.reverse()
    while blocks:
        yield blocks.pop()
