"""Side chains chosen together: contact energies between candidates, and a mean field over them.

The decoder judges each side chain by itself. Here the candidates of all
residues see each other: E = sum of (trust x -log p) over residues plus the
contact energies of every two candidates and of candidates with backbones.
Energies between kinds of atoms are functions of distance. They learn from two
likelihoods of the true states: each given the others' true ones (Besag 1975),
and as the mean field itself has them (Domke 2013).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from latcpb_cli.chem.atom_kinds import KINDS, kind_pairs, kind_table
from latcpb_cli.chem.internal import FIRST_SLOT, N_CHI
from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.diffusion.noise import gumbel
from latcpb_cli.geometry.found import found
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


@dataclass(frozen=True, eq=False)
class _Shapes:
    """G groups of A atoms in all, each group small enough to have a middle and a radius.

    Attributes
    ----------
    points : Å, (3, A)
    kinds : (A,)
    first, count : where each group's atoms begin, and how many they are, (G,)
    middle, radius : of each group, Å, (3, G) and (G,); a group without atoms reaches nothing
    """

    points: Float[Tensor, "3 A"]
    kinds: Int[Tensor, "A"]
    first: Int[Tensor, "G"]
    count: Int[Tensor, "G"]
    middle: Float[Tensor, "3 G"]
    radius: Float[Tensor, "G"]

    @classmethod
    def of(
        cls, atoms: Float[Tensor, "G a 3"], there: Bool[Tensor, "G a"], kinds: Int[Tensor, "G a"]
    ) -> _Shapes:
        """Leave out the atoms that are not there."""
        count = there.sum(1)
        middle = (atoms * there[..., None]).sum(1) / count.clamp(min=1)[:, None]
        away = torch.where(there, (atoms - middle[:, None]).norm(dim=-1), -torch.inf)
        atom = found(there.flatten())
        points = atoms.flatten(0, 1).index_select(0, atom).T.contiguous()
        kind = kinds.flatten().index_select(0, atom)
        return cls(points, kind, count.cumsum(0) - count, count, middle.T.contiguous(), away.amax(-1))


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

    def marginals(
        self,
        candidates: Candidates,
        atoms: Float[Tensor, "L 15 3"],
        graph: Graph,
        noise: Float[Tensor, "L M"] | None = None,
    ) -> Float[Tensor, "L M"]:
        """Probability of each candidate beside those of all others.

        Parameters
        ----------
        atoms
            Backbones on which the candidates stand (Å).
        noise : optional
            Gumbel noise. It perturbs the probabilities, and every residue decides.
        """
        backbone = _fixed(atoms, graph.types, slice(0, FIRST_SLOT))
        alone = self._log_probability(candidates, graph)
        alone = alone - self._with_fixed(candidates, backbone, graph).view_as(alone)
        if noise is not None:
            alone = alone + noise
        return self._mean_field(alone, candidates, graph, coldest=1.0 if noise is None else _COLDEST)

    @torch.no_grad()
    def choose(
        self,
        candidates: Candidates,
        atoms: Float[Tensor, "L 15 3"],
        graph: Graph,
        noise: Float[Tensor, "L M"] | None = None,
    ) -> Int[Tensor, "L"]:
        """Rank of one candidate per residue.

        With ``noise`` the most probable one, which is a sample (Papandreou &
        Yuille 2011). Without it the one nearest to all others, weighted by
        their probability.
        """
        share = self.marginals(candidates, atoms, graph, noise)
        if noise is not None:
            return share.argmax(-1)
        risk = (deviations(candidates, graph.types) * share[:, None]).sum(-1)
        exists = torch.zeros_like(share, dtype=torch.bool).flatten()
        exists[candidates.place] = True
        return torch.where(exists.view_as(risk), risk, torch.inf).argmin(-1)

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
            field.index_add_(0, one, energy * flat.index_select(0, two))
            field.index_add_(0, two, energy * flat.index_select(0, one))
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
        pair, u = _members(shapes, one)
        group = two.index_select(0, pair)
        near = _within(
            shapes.points, u, others.middle, group, others.radius.index_select(0, group) + _FURTHEST
        )[0]
        row, v = _members(others, group.index_select(0, near))
        row = near.index_select(0, row)
        u = u.index_select(0, row)
        near, distance = _within(shapes.points, u, others.points, v, _FURTHEST)
        own, other = (
            x.kinds.index_select(0, rows.index_select(0, near)) for x, rows in ((shapes, u), (others, v))
        )
        table = torch.from_numpy(kind_pairs()).to(u.device)
        kinds = table.flatten().index_select(0, own * len(table) + other)
        return pair.index_select(0, row.index_select(0, near)), self._energy(kinds, distance)

    def _energy(self, kinds: Int[Tensor, "C"], distance: Float[Tensor, "C"]) -> Float[Tensor, "C"]:
        along = (distance - _NEAREST) * (_KNOTS / (_FURTHEST - _NEAREST))
        along = along.clamp(min=0.0, max=_KNOTS - 1e-4)
        knot = along.long()
        share = along - knot
        ended = torch.nn.functional.pad(self.energy, (0, 1)).flatten()
        start = kinds * (_KNOTS + 1) + knot
        return (1 - share) * ended.index_select(0, start) + share * ended.index_select(0, start + 1)


def _long_tailed(normal: Tensor) -> Tensor:
    """Deviates like those of chi angles about rotamers: more near zero than a Gaussian has, more far off."""
    return _PEAK * torch.sinh(_TAIL * normal) / _TAIL


def _moving(candidates: Candidates, types: Int[Tensor, "L"]) -> _Shapes:
    kinds = torch.from_numpy(kind_table())[:, SIDE].to(types.device)[types[candidates.residue]]
    return _Shapes.of(candidates.atoms, candidates.there, kinds)


def _fixed(atoms: Float[Tensor, "L 15 3"], types: Int[Tensor, "L"], slots: slice) -> _Shapes:
    kinds, there = (torch.from_numpy(x).to(types.device)[types, slots] for x in (kind_table(), slot_mask()))
    return _Shapes.of(atoms[:, slots], there, kinds)


def _candidate_pairs(candidates: Candidates, graph: Graph) -> tuple[Int[Tensor, "P"], Int[Tensor, "P"]]:
    """Rows of every two candidates of residues that are neighbours, each pair once."""
    count = torch.bincount(candidates.residue, minlength=len(graph.types))
    first = count.cumsum(0) - count
    own = torch.arange(len(graph.types), device=count.device)[:, None].expand_as(graph.index)
    low, high = torch.minimum(own, graph.index)[graph.valid], torch.maximum(own, graph.index)[graph.valid]
    key = torch.unique(low * len(graph.types) + high)
    low, high = torch.div(key, len(graph.types), rounding_mode="floor"), key % len(graph.types)
    pair, one = _ranges(first[low], count[low])
    high = high.index_select(0, pair)
    row, two = _ranges(first.index_select(0, high), count.index_select(0, high))
    return one.index_select(0, row), two


def _near_groups(shapes: _Shapes, others: _Shapes, one: Tensor, two: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Pairs of groups whose spheres come within reach, in blocks."""
    reach = shapes.radius.index_select(0, one) + others.radius.index_select(0, two) + _FURTHEST
    near = _within(shapes.middle, one, others.middle, two, reach)[0]
    blocks = zip(one[near].split(_BLOCK), two[near].split(_BLOCK), strict=True)
    return list(blocks) if len(near) else []


def _within(
    points: Float[Tensor, "3 A"],
    one: Int[Tensor, "P"],
    others: Float[Tensor, "3 B"],
    two: Int[Tensor, "P"],
    reach: Tensor | float,
) -> tuple[Int[Tensor, "Q"], Float[Tensor, "Q"]]:
    """Which pairs of points are nearer to each other than ``reach`` (Å), and their distance (Å)."""
    x, y, z = points.index_select(1, one) - others.index_select(1, two)
    distance = torch.sqrt(x * x + y * y + z * z)
    near = found(distance < reach)
    return near, distance.index_select(0, near)


def _members(shapes: _Shapes, groups: Int[Tensor, "P"]) -> tuple[Int[Tensor, "Q"], Int[Tensor, "Q"]]:
    """All atoms of some groups: which of ``groups`` each belongs to, and its number."""
    return _ranges(shapes.first.index_select(0, groups), shapes.count.index_select(0, groups))


def _ranges(first: Int[Tensor, "P"], count: Int[Tensor, "P"]) -> tuple[Int[Tensor, "Q"], Int[Tensor, "Q"]]:
    """Count on from each of ``first``: which of them each number comes from, and the number."""
    row = torch.repeat_interleave(count)
    ahead = first - (count.cumsum(0) - count)
    return row, torch.arange(len(row), device=row.device) + ahead.index_select(0, row)
