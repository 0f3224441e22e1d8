"""Rescoring: a network corrects the mean-field probabilities of candidates from their surroundings.

The mean field of the packing has energies of pairs only. The network takes, for every candidate, the types,
distances and bond directions of the atoms around it (hydrogen bonds have a direction), the condition of the
residue, its phi and psi, and its probabilities in the decoder and in the mean field. Residues exchange
messages with their neighbours. In later rounds, the atoms around a candidate count by their corrected
probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from latcpb_cli.chem.atom_types import ATOM_TYPES
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.geometry.vectors import torsion_vector
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.linear import single_output
from latcpb_cli.sidechains.candidates import Candidates
from latcpb_cli.sidechains.contact_features import (
    N_TERMS,
    ContactFeatures,
    OrientedAtoms,
    backbone_bonds,
    candidate_bonds,
)
from latcpb_cli.sidechains.contacts import N_KNOTS, CandidateContacts, table_sum

__all__ = ["N_ROUNDS", "Rescoring"]

N_ROUNDS = 2
"""Of rescoring; a third one changes side chains of held-out chains by less than 0.001 Å."""

_N_CONTACT_FEATURES, _HIDDEN = 16, 192
"""Widths of the embedding of a candidate's contacts, and of the network."""
_N_TORSION_FEATURES = 8
"""Cosine and sine of phi and psi, and the products of these."""
_MIN_SCORED = 0.005
"""Less probable candidates keep their mean-field probability."""
_MIN_ENVIRONMENT = 0.04
"""Less probable candidates are left out of the surroundings of others."""
_MIN_PROBABILITY = 1e-5
"""Before a logarithm is taken."""


class Rescoring(nn.Module):
    """Corrects the probabilities of candidates.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        n_type_pairs = len(ATOM_TYPES) ** 2
        self.contact_embedding = nn.Parameter(
            0.02 * torch.randn(N_TERMS * n_type_pairs, N_KNOTS, _N_CONTACT_FEATURES)
        )
        self.context = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, _HIDDEN))
        self.torsion_projection = nn.Linear(_N_TORSION_FEATURES, _HIDDEN, bias=False)
        self.state_embedding = nn.Embedding(20 * N_ROTAMERS, _HIDDEN)
        self.candidate_projection = nn.Linear(2 * _N_CONTACT_FEATURES + 2 * N_CHI + 2, _HIDDEN)
        self.dropout = nn.Dropout(0.0)
        self.message_in = nn.Linear(_HIDDEN, dim)
        self.message_passing = NeighborTransformer(config, 1)
        self.message_out = nn.Linear(dim, _HIDDEN)
        self.candidate_hidden = nn.Linear(_HIDDEN, _HIDDEN)
        self.score_head = nn.Linear(_HIDDEN, 1)
        nn.init.normal_(self.state_embedding.weight, std=0.3)
        nn.init.zeros_(self.torsion_projection.weight)
        for layer in (self.message_out, self.score_head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        candidates: Candidates,
        probability: Float[Tensor, "L M"],
        contacts: CandidateContacts,
        atoms: Float[Tensor, "L 15 3"],
        condition: Condition,
        graph: Graph,
        rounds: int = N_ROUNDS,
    ) -> Float[Tensor, "L M"]:
        """Return corrected log probabilities of all candidates, by residue and rank.

        Parameters
        ----------
        candidates
            N candidates.
        probability
            Probability of each candidate in the mean field.
        contacts
            Contacts of the candidates.
        atoms
            Backbones of the candidates, Å.
        condition, graph
            Z^C, and the neighbourhoods.
        rounds
            In the first round, the surroundings have the probabilities of the mean field, in each later one
            those of the round before. Gradients are those of the last round.
        """
        weight = probability.flatten().index_select(0, candidates.index)
        log_prob = weight.clamp(min=_MIN_PROBABILITY).log()
        rows = true_indices(weight >= _MIN_SCORED)
        scored = candidates.select(rows)
        environment = self._environment(candidates, weight, contacts, atoms, graph)
        context = self.context(condition.residues) + self.torsion_projection(_torsion_features(atoms, graph))
        probabilities = torch.stack([scored.log_prob, log_prob.index_select(0, rows)], dim=1)
        own = [torch.sin(scored.chi), torch.cos(scored.chi), probabilities]
        states = self._embed_states(scored, context, graph)
        for _ in range(rounds):
            features = torch.cat([environment.weighted(weight).index_select(0, rows), *own], dim=-1)
            hidden = self.candidate_projection(features)
            hidden += states
            hidden = self.dropout(nn.functional.silu(hidden))
            hidden = self._exchange_messages(hidden, scored, weight.index_select(0, rows), condition, graph)
            score = log_prob.index_add(0, rows, single_output(self.score_head, hidden))
            corrected = candidates.to_table(score, len(probability)).log_softmax(-1)
            weight = corrected.detach().flatten().index_select(0, candidates.index).exp()
        return corrected

    def _embed_states(
        self, scored: Candidates, context: Float[Tensor, "L hidden"], graph: Graph
    ) -> Float[Tensor, "N hidden"]:
        """Embed the rotamers of candidates with the context of their residues."""
        types = graph.types.index_select(0, scored.residue)
        states: Tensor = self.state_embedding(types * N_ROTAMERS + scored.rotamer)
        return context.index_select(0, scored.residue) + states

    def _exchange_messages(
        self,
        hidden: Float[Tensor, "N hidden"],
        scored: Candidates,
        weight: Float[Tensor, "N"],
        condition: Condition,
        graph: Graph,
    ) -> Float[Tensor, "N hidden"]:
        """Pass the mean of a residue's candidates to its neighbours, and their messages to its candidates."""
        rows = torch.arange(len(hidden), device=hidden.device)
        pooled = table_sum(hidden, rows[:, None], weight[:, None], scored.residue, len(graph.types))
        residues = condition.residues + self.message_in(pooled)
        messages = self.message_out(self.message_passing(residues, condition.pairs, graph))
        updated: Tensor = self.candidate_hidden(hidden)
        updated += messages.index_select(0, scored.residue)
        return nn.functional.silu(updated)

    def _environment(
        self,
        candidates: Candidates,
        weight: Float[Tensor, "N"],
        contacts: CandidateContacts,
        atoms: Float[Tensor, "L 15 3"],
        graph: Graph,
    ) -> _Environment:
        """Embed the contacts of scored candidates, by their probability ``weight`` in the mean field."""
        scored, probable = weight >= _MIN_SCORED, weight >= _MIN_ENVIRONMENT
        side_chains = OrientedAtoms(contacts.candidates, candidate_bonds(candidates, atoms, graph))
        backbones = OrientedAtoms(contacts.backbones, backbone_bonds(atoms, graph))
        table = nn.functional.pad(self.contact_embedding, (0, 0, 0, 1)).flatten(0, 1)
        fixed_sums = [
            (
                block.first_group,
                ContactFeatures.from_contacts(side_chains, backbones, block).sum_by_pair(table),
            )
            for block in contacts.fixed.blocks(scored[contacts.fixed.first_group])
        ]
        owner, embedded = (torch.cat(parts) for parts in zip(*fixed_sums, strict=True))
        of_backbones = _sum_by_owner(embedded, owner, len(weight))
        first, second = contacts.mutual.first_group, contacts.mutual.second_group
        relevant = (scored[first] & probable[second]) | (scored[second] & probable[first])
        mutual_sums = []
        for block in contacts.mutual.blocks(relevant):
            features = ContactFeatures.from_contacts(side_chains, side_chains, block)
            sums = features.sum_by_pair(table), features.swapped().sum_by_pair(table)
            mutual_sums.append((block.first_group, block.second_group, *sums))
        firsts, seconds, of_firsts, of_seconds = zip(*mutual_sums, strict=True)
        centers, others = torch.cat(firsts + seconds), torch.cat(seconds + firsts)
        of_others = _PairSums.by_center(centers, others, torch.cat(of_firsts + of_seconds))
        return _Environment(of_backbones, probable, of_others)


def _sum_by_owner(
    values: Float[Tensor, "P W"], owner: Int[Tensor, "P"], n_owners: int
) -> Float[Tensor, "owners W"]:
    """Sum the rows of each owner, which ascend."""
    rows = torch.arange(len(values), device=values.device)
    return table_sum(values, rows[:, None], values.new_ones(len(rows), 1), owner, n_owners)


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
        return table_sum(self.embedded, self.pair[:, None], factors[:, None], self.center, len(presence))


@dataclass(frozen=True, eq=False)
class _Environment:
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

    def weighted(self, weight: Float[Tensor, "N"]) -> Float[Tensor, "N 2*W"]:
        """Return the sums of each candidate: with backbones, and with others by their probability."""
        presence = torch.where(self.probable, weight, 0.0)
        return torch.cat([self.of_backbones, self.of_others.weighted(presence)], dim=-1)


def _torsion_features(atoms: Float[Tensor, "L 15 3"], graph: Graph) -> Float[Tensor, "L 8"]:
    """Functions of phi and psi; zero where a chain ends."""
    n, ca, c = (atoms[:, slot] for slot in (N_SLOT, CA_SLOT, C_SLOT))
    has_next = graph.linked[:, None]
    has_previous = graph.order.linked_before(graph.linked)[:, None]
    phi = torsion_vector(graph.order.previous(c), n, ca, c) * has_previous
    psi = torsion_vector(n, ca, c, graph.order.next(n)) * has_next
    products = (phi[:, :, None] * psi[:, None, :]).flatten(1)
    return torch.cat([phi, psi, products], dim=-1)
