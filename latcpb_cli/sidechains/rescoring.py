"""A second look at side chains: candidates judged again, among what the mean field made of the others.

The mean field of `packing` sums energies of pairs. Here a small network sees,
for every candidate, which kinds of atoms stand how near and in which direction
of its bonds (hydrogen bonds have one), what the CG encoder says of the residue,
and both probabilities so far. Residues tell their neighbours what they see. The
answer corrects the probabilities.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.chem.atom_types import ATOM_TYPES
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.candidates import Candidates
from latcpb_cli.sidechains.contact_features import (
    TERMS,
    ContactFeatures,
    OrientedAtoms,
    backbone_bonds,
    candidate_bonds,
)
from latcpb_cli.sidechains.contacts import KNOTS, CandidateContacts

__all__ = ["Rescoring"]

_WIDTH, _HIDDEN = 16, 192  # of what a candidate's surroundings become, and of the network
_JUDGED = 0.005  # the least probability worth a second look
_LIKELY = 0.1  # and worth being a part of others' surroundings
_LEAST = 1e-5


class Rescoring(nn.Module):
    """Corrects the probabilities of candidates.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.contact_embedding = nn.Parameter(0.02 * torch.randn(TERMS * len(ATOM_TYPES) ** 2, KNOTS, _WIDTH))
        self.context = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, _HIDDEN))
        self.state_embedding = nn.Embedding(20 * N_ROTAMERS, _HIDDEN)
        self.candidate_projection = nn.Linear(2 * _WIDTH + 2 * N_CHI + 2, _HIDDEN)
        self.dropout = nn.Dropout(0.0)
        self.message_in = nn.Linear(_HIDDEN, dim)
        self.message_passing = NeighborTransformer(config, 1)
        self.message_out = nn.Linear(dim, _HIDDEN)
        self.candidate_hidden = nn.Linear(_HIDDEN, _HIDDEN)
        self.score_head = nn.Linear(_HIDDEN, 1)
        nn.init.normal_(self.state_embedding.weight, std=0.3)
        for layer in (self.message_out, self.score_head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        candidates: Candidates,
        share: Float[Tensor, "L M"],
        around: CandidateContacts,
        atoms: Float[Tensor, "L 15 3"],
        condition: Condition,
        graph: Graph,
    ) -> Float[Tensor, "L M"]:
        """Log probabilities of all candidates.

        Parameters
        ----------
        share
            Probability of each candidate in the mean field.
        atoms
            Backbones on which the candidates stand (Å).
        """
        weight = share.flatten().index_select(0, candidates.place)
        so_far = weight.clamp(min=_LEAST).log()
        rows = true_indices(weight >= _JUDGED)
        judged = candidates.of(rows)
        kinds = graph.types.index_select(0, judged.residue)
        seen = torch.cat(
            [
                self._seen(candidates, weight, around, atoms, graph).index_select(0, rows),
                torch.sin(judged.chi),
                torch.cos(judged.chi),
                judged.log_probability[:, None],
                so_far.index_select(0, rows)[:, None],
            ],
            dim=-1,
        )
        known = self.context(condition.residues).index_select(0, judged.residue)
        known = known + self.state_embedding(kinds * N_ROTAMERS + judged.state)
        view = self.dropout(nn.functional.silu(known + self.candidate_projection(seen)))
        held = view.new_zeros(len(atoms), _HIDDEN)
        held = held.index_add(0, judged.residue, view * weight.index_select(0, rows)[:, None])
        told = self.message_passing(condition.residues + self.message_in(held), condition.pairs, graph)
        view = nn.functional.silu(self.candidate_hidden(view) + self.message_out(told).index_select(0, judged.residue))
        score = so_far.index_add(0, rows, self.score_head(view).squeeze(-1))
        return candidates.grid(score, len(share)).log_softmax(-1)

    def _seen(
        self,
        candidates: Candidates,
        weight: Float[Tensor, "R"],
        around: CandidateContacts,
        atoms: Float[Tensor, "L 15 3"],
        graph: Graph,
    ) -> Float[Tensor, "R 2W"]:
        """Sums over the atoms about each candidate: of backbones, and of candidates by their probability."""
        judged, likely = weight >= _JUDGED, weight >= _LIKELY
        own = OrientedAtoms(around.candidates, candidate_bonds(candidates, atoms, graph))
        still = OrientedAtoms(around.backbones, backbone_bonds(atoms, graph))
        table = nn.functional.pad(self.contact_embedding, (0, 0, 0, 1)).flatten(0, 1)
        nothing = table.new_zeros(len(weight), table.shape[1])
        met = around.still.of(judged[around.still.one])
        backbones = nothing.index_add(0, met.one, ContactFeatures.of(own, still, met).add_up(table))
        one, two = around.between.one, around.between.two
        met = around.between.of((judged[one] & likely[two]) | (judged[two] & likely[one]))
        others, view = nothing, ContactFeatures.of(own, own, met)
        for here, there, seen in ((met.one, met.two, view), (met.two, met.one, view.back())):
            presence = torch.where(likely, weight, 0.0).index_select(0, there)
            others = others.index_add(0, here, seen.add_up(table) * presence[:, None])
        return torch.cat([backbones, others], dim=-1)
