"""A second look at side chains: candidates judged again, among what the mean field made of the others.

The mean field of `packing` sums energies of pairs. Here a small network sees,
for every candidate, which kinds of atoms stand how near and in which direction
of its bonds (hydrogen bonds have one), what the CG encoder says of the residue,
and both probabilities so far. Residues tell their neighbours what they see. The
answer corrects the probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.chem.atom_kinds import KINDS
from latcpb_cli.chem.ideal import side_chain_table
from latcpb_cli.chem.internal import FIRST_SLOT, N_CHI
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.found import found
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.candidates import Candidates
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.shapes import Contacts, Shapes
from latcpb_cli.model.surroundings import BACKBONE, KNOTS, Surroundings, along, read

__all__ = ["Rescoring"]

_WIDTH, _HIDDEN = 16, 192  # of what a candidate's surroundings become, and of the network
_TURNED, _FADE = 4.5, 0.5  # Å; up to where directions count, and over which length they cease to
_TERMS = 4  # of a contact: itself, and the directions of its two bonds, and of both
_JUDGED = 0.005  # the least probability worth a second look
_LIKELY = 0.1  # and worth being a part of others' surroundings
_LEAST = 1e-5
_TOUCHING = 0.5  # Å


class Rescoring(nn.Module):
    """Corrects the probabilities of candidates.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.contact = nn.Parameter(0.02 * torch.randn(_TERMS * len(KINDS) ** 2, KNOTS, _WIDTH))
        self.context = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, _HIDDEN))
        self.state = nn.Embedding(20 * N_ROTAMERS, _HIDDEN)
        self.sight = nn.Linear(2 * _WIDTH + 2 * N_CHI + 2, _HIDDEN)
        self.overlook = nn.Dropout(0.0)
        self.tell = nn.Linear(_HIDDEN, dim)
        self.messages = NeighborTransformer(config, 1)
        self.hear = nn.Linear(dim, _HIDDEN)
        self.weigh = nn.Linear(_HIDDEN, _HIDDEN)
        self.judge = nn.Linear(_HIDDEN, 1)
        nn.init.normal_(self.state.weight, std=0.3)
        for layer in (self.hear, self.judge):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        candidates: Candidates,
        share: Float[Tensor, "L M"],
        around: Surroundings,
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
        rows = found(weight >= _JUDGED)
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
        known = known + self.state(kinds * N_ROTAMERS + judged.state)
        view = self.overlook(nn.functional.silu(known + self.sight(seen)))
        held = view.new_zeros(len(atoms), _HIDDEN)
        held = held.index_add(0, judged.residue, view * weight.index_select(0, rows)[:, None])
        told = self.messages(condition.residues + self.tell(held), condition.pairs, graph)
        view = nn.functional.silu(self.weigh(view) + self.hear(told).index_select(0, judged.residue))
        score = so_far.index_add(0, rows, self.judge(view).squeeze(-1))
        return candidates.grid(score, len(share)).log_softmax(-1)

    def _seen(
        self,
        candidates: Candidates,
        weight: Float[Tensor, "R"],
        around: Surroundings,
        atoms: Float[Tensor, "L 15 3"],
        graph: Graph,
    ) -> Float[Tensor, "R 2W"]:
        """Sums over the atoms about each candidate: of backbones, and of candidates by their probability."""
        judged, likely = weight >= _JUDGED, weight >= _LIKELY
        own = _Scene(around.candidates, _candidate_bonds(candidates, atoms, graph))
        still = _Scene(around.backbones, _backbone_bonds(atoms, graph))
        table = nn.functional.pad(self.contact, (0, 0, 0, 1)).flatten(0, 1)
        nothing = table.new_zeros(len(weight), table.shape[1])
        met = around.still.of(judged[around.still.one])
        (seen,) = _looks(table, own, still, met, ways=1)
        backbones = nothing.index_add(0, met.one, seen)
        one, two = around.between.one, around.between.two
        met = around.between.of((judged[one] & likely[two]) | (judged[two] & likely[one]))
        others = nothing
        looks = _looks(table, own, own, met, ways=2)
        for (here, there), seen in zip(((met.one, met.two), (met.two, met.one)), looks, strict=True):
            presence = torch.where(likely, weight, 0.0).index_select(0, there)
            others = others.index_add(0, here, seen * presence[:, None])
        return torch.cat([backbones, others], dim=-1)


@dataclass(frozen=True, eq=False)
class _Scene:
    """Groups of atoms, and the direction of each atom's bond to the residue's inside, (3, A)."""

    shapes: Shapes
    bonds: Float[Tensor, "3 A"]


def _looks(
    table: Float[Tensor, "N W"], own: _Scene, others: _Scene, met: Contacts, ways: int
) -> list[Float[Tensor, "P W"]]:
    """What each pair's second group is to the first, by distance and direction; two ways: and the reverse."""
    knot, ahead = along(met.distance)
    by_distance = torch.stack([1 - ahead, ahead], dim=1)
    near = found(met.distance < _TURNED)
    ahead, distance = ahead.index_select(0, near), met.distance.index_select(0, near)
    u, v = met.own.index_select(0, near), met.other.index_select(0, near)
    way = others.shapes.points.index_select(1, v) - own.shapes.points.index_select(1, u)
    way = way / distance.clamp(min=_TOUCHING)
    fade = ((_TURNED - distance) / _FADE).clamp(max=1.0)[:, None]
    out = (way * own.bonds.index_select(1, u)).sum(0)
    back = -(way * others.bonds.index_select(1, v)).sum(0)
    size = len(KINDS) ** 2 * (KNOTS + 1)
    terms = size * torch.arange(1, _TERMS, device=knot.device)
    kinds = own.shapes.kinds.index_select(0, met.own), others.shapes.kinds.index_select(0, met.other)
    pair = met.pair.index_select(0, near)
    looks = []
    for first, second, there, here in ((*kinds, out, back), (*kinds[::-1], back, out))[:ways]:
        entry = (first * len(KINDS) + second) * (KNOTS + 1) + knot
        look = read(table, torch.stack([entry, entry + 1], dim=1), by_distance, met.pair, len(met.one))
        entries = entry.index_select(0, near)[:, None] + terms
        turned = torch.stack([there, here, there * here], dim=1) * fade
        entries = torch.cat([entries, entries + 1], dim=1)
        values = torch.cat([(1 - ahead)[:, None] * turned, ahead[:, None] * turned], dim=1)
        looks.append(look + read(table, entries, values, pair, len(met.one)))
    return looks


def _candidate_bonds(
    candidates: Candidates, atoms: Float[Tensor, "L 15 3"], graph: Graph
) -> Float[Tensor, "3 A"]:
    """Directions from the atom that each candidate's atom is bonded to."""
    kinds = graph.types.index_select(0, candidates.residue)
    whole = torch.cat([atoms[:, :FIRST_SLOT].index_select(0, candidates.residue), candidates.atoms], dim=1)
    before = torch.as_tensor(side_chain_table().parents, device=atoms.device)[kinds, :, 2]
    bonds = unit(candidates.atoms - whole.gather(1, before[..., None].expand_as(candidates.atoms)))
    return bonds.flatten(0, 1).index_select(0, found(candidates.there.flatten())).T.contiguous()


def _backbone_bonds(atoms: Float[Tensor, "L 15 3"], graph: Graph) -> Float[Tensor, "3 A"]:
    """Of N along its hydrogen, of CA along its own, of O and CB from the atom before; C has none."""
    n, ca, c, o, cb = atoms[:, :FIRST_SLOT].unbind(1)
    before = torch.where(linked_before(graph.linked)[:, None], c.roll(1, 0), ca)
    ways = torch.stack([n - (before + ca) / 2, ca - (n + c) / 2, torch.zeros_like(c), o - c, cb - ca], dim=1)
    there = torch.from_numpy(slot_mask()).to(atoms.device)[graph.types, BACKBONE]
    return unit(ways).flatten(0, 1).index_select(0, found(there.flatten())).T.contiguous()
