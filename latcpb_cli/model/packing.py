"""Side chains chosen together: contact energies between candidates, and a mean field over them.

The decoder judges each side chain by itself. Here the candidates of all
residues see each other: E = sum of (trust x -log p) over residues plus the
contact energies of every two candidates and of candidates with backbones.
Energies between kinds of atoms are functions of distance, learned by
pseudo-likelihood (Besag 1975): each residue's state given the others' true ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from latcpb_cli.chem.atom_kinds import KINDS, kind_pairs, kind_table
from latcpb_cli.chem.internal import FIRST_SLOT, N_CHI
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.diffusion.noise import gumbel
from latcpb_cli.model.candidates import MOST, SIDE, Candidates, build_candidates, deviations
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph

__all__ = ["NOISE", "Packing"]

NOISE = MOST + N_CHI
"""Random numbers that a sample takes per residue."""

_NEAREST, _FURTHEST, _KNOTS = 2.5, 6.0, 14  # Å; energies are linear between knots and end at zero
_ROUNDS, _DAMPING = 10, 0.5
_COLDEST = 0.1  # the temperature at which a sample is read off
_BLOCK = 8192  # pairs of conformations looked at at once
_PEAK, _TAIL = 0.8, 0.9  # of chi angles about their rotamers; chosen on chains held out of training
_NEVER = -1e4
_BEYOND = 1e8


@dataclass(frozen=True, eq=False)
class _Shapes:
    """Groups of atoms, each group small enough to have a middle and a radius."""

    atoms: Float[Tensor, "G a 3"]
    there: Bool[Tensor, "G a"]
    kinds: Int[Tensor, "G a"]

    @cached_property
    def sizes(self) -> Float[Tensor, "G a"]:
        """Squared distance from the origin, Å²; beyond everything where there is no atom."""
        return torch.where(self.there, (self.atoms * self.atoms).sum(-1), _BEYOND)

    def spheres(self) -> tuple[Float[Tensor, "G 3"], Float[Tensor, "G"]]:
        """Middle and radius (Å) of each group."""
        weight = self.there.float()[..., None]
        middle = (self.atoms * weight).sum(1) / weight.sum(1).clamp(min=1.0)
        away = torch.where(self.there, (self.atoms - middle[:, None]).norm(dim=-1), 0.0)
        return middle, away.amax(-1)


class Packing(nn.Module):
    """Contact energies, how far the decoder's probabilities are trusted beside them, and how wide states are.

    ``log_spread`` is the logarithm of the standard deviation (rad) of each chi
    about the decoder's answer for the true state, by residue type.
    """

    def __init__(self) -> None:
        super().__init__()
        pairs = len(KINDS) * (len(KINDS) + 1) // 2
        self.energy = nn.Parameter(torch.zeros(pairs, _KNOTS))
        self.trust = nn.Parameter(torch.ones(20))
        self.log_spread = nn.Parameter(torch.full((20, N_CHI), math.log(0.2)))

    @torch.no_grad()
    def forward(self, decoded: Decoded, graph: Graph, noise: Tensor | None = None) -> Decoded:
        """Put every side chain into the candidate that `choose` picks.

        With ``noise`` (standard normal, `NOISE` numbers per residue) states
        and the chi angles within them are samples.
        """
        turn, shake = None, None
        if noise is not None:
            turn = _long_tailed(noise[:, MOST:]) * self.log_spread.exp()[graph.types]
            shake = gumbel(noise[:, :MOST])
        candidates = build_candidates(decoded, graph.types, turn)
        rank = self.choose(candidates, decoded.atoms, graph, shake)
        chosen = torch.arange(len(rank), device=rank.device) * MOST + rank
        row = torch.searchsorted(candidates.place, chosen)
        atoms = torch.cat(
            [decoded.atoms[:, :FIRST_SLOT], candidates.atoms[row], decoded.atoms[:, SIDE.stop :]], dim=1
        )
        assert decoded.internal is not None  # or there were no candidates
        return Decoded(atoms, decoded.internal.turned(candidates.chi[row]), decoded.rotamers)

    def conditional(
        self, candidates: Candidates, atoms: Float[Tensor, "L 15 3"], graph: Graph
    ) -> Float[Tensor, "L M"]:
        """Log probability of each candidate (not normalised), all other residues being as in ``atoms``."""
        others = _fixed(atoms, graph.types, slice(0, SIDE.stop))
        own = self._with_fixed(candidates, others, graph)
        return self._log_probability(candidates, graph) - own.view(-1, MOST)

    @torch.no_grad()
    def choose(
        self,
        candidates: Candidates,
        atoms: Float[Tensor, "L 15 3"],
        graph: Graph,
        noise: Float[Tensor, "L M"] | None = None,
    ) -> Int[Tensor, "L"]:
        """Rank of one candidate per residue.

        Parameters
        ----------
        atoms
            Backbones on which the candidates stand (Å).
        noise : optional
            Gumbel noise. It perturbs the probabilities, and the most probable candidate is a
            sample (Papandreou & Yuille 2011). Without it the candidate
            nearest to all others, weighted by their probability, is taken.
        """
        backbone = _fixed(atoms, graph.types, slice(0, FIRST_SLOT))
        alone = self._log_probability(candidates, graph)
        alone = alone - self._with_fixed(candidates, backbone, graph).view_as(alone)
        if noise is not None:
            alone = alone + noise
        share = self._mean_field(alone, candidates, graph, coldest=1.0 if noise is None else _COLDEST)
        if noise is not None:
            return share.argmax(-1)
        risk = (deviations(candidates, graph.types) * share[:, None]).sum(-1)
        return torch.where(alone > _NEVER / 2, risk, torch.inf).argmin(-1)

    def _log_probability(self, candidates: Candidates, graph: Graph) -> Float[Tensor, "L M"]:
        value = self.trust[graph.types[candidates.residue]] * candidates.log_probability
        flat = value.new_full((len(graph.types) * MOST,), _NEVER)
        return flat.index_copy(0, candidates.place, value).view(-1, MOST)

    def _mean_field(
        self, alone: Float[Tensor, "L M"], candidates: Candidates, graph: Graph, coldest: float
    ) -> Float[Tensor, "L M"]:
        """Probability of each candidate in the field of the others' probabilities.

        The temperature falls from one to ``coldest``; near zero every residue decides.
        """
        one, two, energy = self._between(candidates, graph)
        share = alone.softmax(-1)
        for step in range(1, _ROUNDS + 1):
            temperature = coldest ** (step / _ROUNDS)
            flat, field = share.flatten(), torch.zeros_like(share).flatten()
            field.index_add_(0, one, energy * flat[two])
            field.index_add_(0, two, energy * flat[one])
            renewed = ((alone - field.view_as(share)) / temperature).softmax(-1)
            share = _DAMPING * share + (1 - _DAMPING) * renewed
        return share

    def _with_fixed(self, candidates: Candidates, fixed: _Shapes, graph: Graph) -> Float[Tensor, "LM"]:
        """Energy of each candidate with atoms of other residues that stand still."""
        shapes = _moving(candidates, graph.types)
        valid = graph.valid[candidates.residue]
        row, neighbor = torch.nonzero(valid).unbind(1)
        other = graph.index[candidates.residue[row], neighbor]
        where, value = [], []
        for part, number in _near_groups(shapes, fixed, row, other):
            contact = self._contacts(shapes, fixed, part, number)
            where.append(candidates.place[part][contact[0]])
            value.append(contact[1])
        total = candidates.atoms.new_zeros(len(graph.types) * MOST)
        return total.index_add(0, torch.cat(where), torch.cat(value)) if where else total

    def _between(self, candidates: Candidates, graph: Graph) -> tuple[Tensor, Tensor, Tensor]:
        """Places of every two candidates that touch, and their energy."""
        shapes = _moving(candidates, graph.types)
        one, two = _candidate_pairs(candidates, graph)
        places, energies = [], []
        for first, second in _near_groups(shapes, shapes, one, two):
            pair, value = self._contacts(shapes, shapes, first, second)
            total = value.new_zeros(len(first)).index_add_(0, pair, value)
            touching = total != 0
            places.append(torch.stack([candidates.place[first], candidates.place[second]])[:, touching])
            energies.append(total[touching])
        if not places:
            nothing = candidates.place[:0]
            return nothing, nothing, candidates.log_probability[:0]
        return *torch.cat(places, dim=1), torch.cat(energies)

    def _contacts(
        self, shapes: _Shapes, others: _Shapes, one: Int[Tensor, "P"], two: Int[Tensor, "P"]
    ) -> tuple[Int[Tensor, "C"], Float[Tensor, "C"]]:
        """Atom pairs within reach: number of the pair of groups they belong to, and their energy."""
        a, b = shapes.atoms[one], others.atoms[two]
        sizes = shapes.sizes[one][:, :, None] + others.sizes[two][:, None]
        # Rounding of this shortcut matters at the far end only, where energies are zero.
        rough = torch.baddbmm(sizes, a, b.transpose(1, 2), alpha=-2.0)
        pair, u, v = torch.nonzero(rough < _FURTHEST**2).unbind(1)
        distance = (a[pair, u] - b[pair, v]).norm(dim=-1)
        table = torch.from_numpy(kind_pairs()).to(pair.device)
        kinds = table[shapes.kinds[one[pair], u], others.kinds[two[pair], v]]
        return pair, self._energy(kinds, distance)

    def _energy(self, kinds: Int[Tensor, "C"], distance: Float[Tensor, "C"]) -> Float[Tensor, "C"]:
        along = (distance - _NEAREST) * (_KNOTS / (_FURTHEST - _NEAREST))
        along = along.clamp(min=0.0, max=_KNOTS - 1e-4)
        knot = along.long()
        share = along - knot
        ended = torch.nn.functional.pad(self.energy, (0, 1)).flatten()
        start = kinds * (_KNOTS + 1) + knot
        return (1 - share) * ended[start] + share * ended[start + 1]


def _long_tailed(normal: Tensor) -> Tensor:
    """Deviates like those of chi angles about rotamers: more near zero than a Gaussian has, more far off."""
    return _PEAK * torch.sinh(_TAIL * normal) / _TAIL


def _moving(candidates: Candidates, types: Int[Tensor, "L"]) -> _Shapes:
    kinds = torch.from_numpy(kind_table())[:, SIDE].to(types.device)[types[candidates.residue]]
    return _Shapes(candidates.atoms, candidates.there, kinds)


def _fixed(atoms: Float[Tensor, "L 15 3"], types: Int[Tensor, "L"], slots: slice) -> _Shapes:
    kinds, there = (torch.from_numpy(x).to(types.device)[types, slots] for x in (kind_table(), slot_mask()))
    return _Shapes(atoms[:, slots], there, kinds)


def _candidate_pairs(candidates: Candidates, graph: Graph) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
    """Rows of every two candidates of residues that are neighbours, each pair once."""
    count = torch.bincount(candidates.residue, minlength=len(graph.types))
    first = count.cumsum(0) - count
    own = torch.arange(len(graph.types), device=count.device)[:, None].expand_as(graph.index)
    low, high = torch.minimum(own, graph.index)[graph.valid], torch.maximum(own, graph.index)[graph.valid]
    key = torch.unique(low * len(graph.types) + high)
    low, high = torch.div(key, len(graph.types), rounding_mode="floor"), key % len(graph.types)
    combos = count[low] * count[high]
    pair = torch.repeat_interleave(combos)
    number = torch.arange(len(pair), device=pair.device) - (combos.cumsum(0) - combos)[pair]
    width = count[high][pair]
    return first[low][pair] + torch.div(number, width, rounding_mode="floor"), first[high][
        pair
    ] + number % width


def _near_groups(shapes: _Shapes, others: _Shapes, one: Tensor, two: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Pairs of groups whose spheres come within reach, in blocks."""
    (middle, radius), (middle2, radius2) = shapes.spheres(), others.spheres()
    some = shapes.there.any(-1)[one] & others.there.any(-1)[two]
    apart = (middle[one] - middle2[two]).norm(dim=-1)
    near = some & (apart < radius[one] + radius2[two] + _FURTHEST)
    one, two = one[near], two[near]
    return list(zip(one.split(_BLOCK), two.split(_BLOCK), strict=True)) if len(one) else []
