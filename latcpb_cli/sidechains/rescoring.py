"""Rescoring: a network corrects the mean-field probabilities of candidates from their surroundings.

The mean field of the packing has energies of pairs only. The network takes, for every candidate, the types,
distances and bond directions of the atoms around it (hydrogen bonds have a direction), the condition of the
residue, its phi and psi, and its probabilities in the decoder and in the mean field. Residues exchange
messages with their neighbours. In later rounds, the atoms around a candidate count by their corrected
probabilities.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latcpb_cli.chem.atom_types import ATOM_TYPES
from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.masks import first_rows, true_indices
from latcpb_cli.geometry.vectors import torsion_vector
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.linear import single_output
from latcpb_cli.model.row_blocks import row_blocks
from latcpb_cli.sidechains.candidates import Candidates
from latcpb_cli.sidechains.contact_features import N_TERMS
from latcpb_cli.sidechains.contacts import N_KNOTS, CandidateContacts, table_sum
from latcpb_cli.sidechains.environment import MIN_SCORED, Environment

__all__ = ["N_ROUNDS", "Rescoring"]

N_ROUNDS = 2
"""Of rescoring; a third one changes side chains of held-out chains by less than 0.001 Å."""

_N_CONTACT_FEATURES, _HIDDEN = 16, 192
"""Widths of the embedding of a candidate's contacts, and of the network."""
_N_TORSION_FEATURES = 8
"""Cosine and sine of phi and psi, and the products of these."""
_CANDIDATES_PER_CPU_BLOCK = 1024
"""Candidates that the network embeds at once on a CPU."""
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

    def environment(
        self,
        candidates: Candidates,
        probability: Float[Tensor, "L M"],
        contacts: CandidateContacts,
        atoms: Float[Tensor, "L 15 3"],
        graph: Graph,
    ) -> Environment:
        """Embed the contacts of candidates, and use them up: their memory is free as soon as possible.

        Parameters
        ----------
        candidates, probability, atoms, graph
            As of `forward`.
        contacts
            Contacts of the candidates; its lists are empty afterwards.
        """
        table = nn.functional.pad(self.contact_embedding, (0, 0, 0, 1)).flatten(0, 1)
        weight = probability.flatten().index_select(0, candidates.index)
        return Environment.from_contacts(table, candidates, weight, contacts, atoms, graph)

    def forward(
        self,
        candidates: Candidates,
        probability: Float[Tensor, "L M"],
        environment: Environment,
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
        environment
            Their surroundings; see `environment`.
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
        rows = true_indices(weight >= MIN_SCORED)
        scored = candidates.select(rows)
        context = self.context(condition.residues) + self.torsion_projection(_torsion_features(atoms, graph))
        probabilities = torch.stack([scored.log_prob, log_prob.index_select(0, rows)], dim=1)
        own = torch.cat([torch.sin(scored.chi), torch.cos(scored.chi), probabilities], dim=-1)
        residue = scored.residue
        state = graph.types.index_select(0, residue) * N_ROTAMERS + scored.rotamer
        for _ in range(rounds):
            hidden = self._embed(environment.weighted(weight), rows, own, state, residue, context)
            messages = self._messages(hidden, residue, weight.index_select(0, rows), condition, graph)
            score = log_prob.index_add(0, rows, self._score(hidden, messages, residue))
            del hidden  # before the next round needs as much memory
            corrected = candidates.to_table(score, len(probability)).log_softmax(-1)
            weight = corrected.detach().flatten().index_select(0, candidates.index).exp()
        return corrected

    def _embed(
        self,
        surroundings: tuple[Float[Tensor, "N W"], Float[Tensor, "N W"]],
        rows: Int[Tensor, "scored"],
        own: Float[Tensor, "scored own"],
        state: Int[Tensor, "scored"],
        residue: Int[Tensor, "scored"],
        context: Float[Tensor, "L hidden"],
    ) -> Float[Tensor, "scored hidden"]:
        """Embed those candidates that are scored.

        Parameters
        ----------
        surroundings
            Of all N candidates; see `Environment.weighted`.
        rows
            Which of them are scored.
        own, state, residue
            Chi angles and probabilities of these, their rotamers and their residues.
        context
            Of all residues.
        """
        hidden = own.new_empty(len(rows), _HIDDEN)
        for block in row_blocks(len(rows), _CANDIDATES_PER_CPU_BLOCK, rows.device):
            around = (sums.index_select(0, rows[block]) for sums in surroundings)
            features = torch.cat([*around, own[block]], dim=-1)
            states = context.index_select(0, residue[block]) + self.state_embedding(state[block])
            hidden[block] = nn.functional.silu(self.candidate_projection(features) + states)
        dropped: Tensor = self.dropout(hidden)
        return dropped

    def _messages(
        self,
        hidden: Float[Tensor, "N hidden"],
        residue: Int[Tensor, "N"],
        weight: Float[Tensor, "N"],
        condition: Condition,
        graph: Graph,
    ) -> Float[Tensor, "L hidden"]:
        """Pass the mean of each residue's candidates to its neighbours; return what each residue receives."""
        rows = torch.arange(len(hidden), device=hidden.device)
        pooled = table_sum(hidden, rows[:, None], weight[:, None], first_rows(residue, len(graph.types)))
        residues = condition.residues + self.message_in(pooled)
        messages: Tensor = self.message_out(self.message_passing(residues, condition.pairs, graph))
        return messages

    def _score(
        self,
        hidden: Float[Tensor, "N hidden"],
        messages: Float[Tensor, "L hidden"],
        residue: Int[Tensor, "N"],
    ) -> Float[Tensor, "N"]:
        """Return the correction of each candidate's log probability."""
        score = hidden.new_empty(len(hidden))
        for block in row_blocks(len(hidden), _CANDIDATES_PER_CPU_BLOCK, hidden.device):
            updated = self.candidate_hidden(hidden[block]) + messages.index_select(0, residue[block])
            score[block] = single_output(self.score_head, nn.functional.silu(updated))
        return score


def _torsion_features(atoms: Float[Tensor, "L 15 3"], graph: Graph) -> Float[Tensor, "L 8"]:
    """Functions of phi and psi; zero where a chain ends."""
    n, ca, c = (atoms[:, slot] for slot in (N_SLOT, CA_SLOT, C_SLOT))
    has_next = graph.linked[:, None]
    has_previous = graph.order.linked_before(graph.linked)[:, None]
    phi = torsion_vector(graph.order.previous(c), n, ca, c) * has_previous
    psi = torsion_vector(n, ca, c, graph.order.next(n)) * has_next
    products = (phi[:, :, None] * psi[:, None, :]).flatten(1)
    return torch.cat([phi, psi, products], dim=-1)
