"""Packing: contact energies between candidates, and the mean field of all side chains of a batch.

The decoder predicts each side chain by itself. The packing gives all of them one energy, E = sum over
residues of (decoder weight x -log p) + contact energies of every two candidates, and of candidates with
backbones. Contact energies are functions of distance for every pair of atom types. They are trained on two
likelihoods of the true rotamers: that of each rotamer given the true ones of all others (pseudo-likelihood,
Besag 1975), and that of the mean field itself (Domke 2013).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latcpb_cli.chem.atom_types import ATOM_TYPES, atom_type_pairs
from latcpb_cli.chem.residues import OXT_SLOT
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.config import ModelConfig
from latcpb_cli.device import constant, table_on
from latcpb_cli.geometry.masks import starts, true_indices
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.atom_groups import (
    AtomGroups,
    Contacts,
    candidate_groups,
    groups_of_pairs,
    residue_groups,
)
from latcpb_cli.sidechains.candidates import Candidates
from latcpb_cli.sidechains.contacts import (
    N_KNOTS,
    CandidateContacts,
    find_fixed_contacts,
    interpolation_factors,
    knot_position,
    table_sum,
)

__all__ = ["NOISE_PER_RESIDUE", "Packing"]

NOISE_PER_RESIDUE = N_ROTAMERS + N_CHI
"""Random numbers of a sample per residue: one for each rotamer, and one for each chi angle.

The number of a rotamer does not depend on its rank, so that equal noise leads similar frames to equal
rotamers.
"""

_ROUNDS, _DAMPING = 10, 0.5
"""Iterations of the mean field, and the part of the old probabilities that each of them keeps."""
_CHI_SCALES = (0.45, 0.7, 0.9, 0.9)
_CHI_TAIL = 0.9
"""Width of the offsets of chi 1 to 4 in units of ``chi_std``, and the weight of their tails.

Chosen by the KL divergence of chi on held-out chains (``benchmarks/choose_sampling.py``). The first chi
angles are narrower, because the relief of overlaps turns them furthest: whole side chains depend on them.
"""
_HEAVY_SLOTS = slice(0, OXT_SLOT)
_INITIAL_STD = 0.2
"""rad."""


class Packing(nn.Module):
    """Contact energies, the weight of the decoder's probabilities, and the standard deviation of chi angles.

    ``log_std`` is the logarithm of the standard deviation (rad) of each chi angle about the decoder's value
    in the true rotamer, by residue type. ``log_std_correction`` predicts its deviation from the condition:
    side chains on a surface vary more.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        n_pairs = len(ATOM_TYPES) * (len(ATOM_TYPES) + 1) // 2
        self.contact_energy = nn.Parameter(torch.zeros(n_pairs, N_KNOTS))
        self.decoder_weight = nn.Parameter(torch.ones(20))
        self.log_std = nn.Parameter(torch.full((20, N_CHI), math.log(_INITIAL_STD)))
        self.log_std_correction = nn.Linear(config.dim, N_CHI)
        nn.init.zeros_(self.log_std_correction.weight)
        nn.init.zeros_(self.log_std_correction.bias)

    def chi_std(self, condition: Condition, types: Int[Tensor, "L"]) -> Float[Tensor, "L 4"]:
        """Return the standard deviation (rad) of each chi angle within its rotamer."""
        log_std: Tensor = self.log_std[types] + self.log_std_correction(condition.residues)
        return log_std.exp()

    def sample_chi_offset(
        self, noise: Float[Tensor, "L 4"], chi_std: Float[Tensor, "L 4"]
    ) -> Float[Tensor, "L 4"]:
        """Turn standard normal numbers into deviations (rad) of chi angles from their rotamers.

        As in proteins, more of the deviations are near zero than in a Gaussian, and more are large.
        """
        exponential = (_CHI_TAIL * noise).exp()
        # The hyperbolic sine; the last bit of torch.sinh depends on the alignment of a number in memory.
        sinh = (exponential - 1 / exponential) / 2
        return constant(_CHI_SCALES, noise.dtype, noise.device) * sinh / _CHI_TAIL * chi_std

    def conditional_logits(
        self, candidates: Candidates, atoms: Float[Tensor, "L 15 3"], graph: Graph
    ) -> Float[Tensor, "L M"]:
        """Return unnormalised log probabilities of candidates, given all other residues (``atoms``, Å)."""
        groups = candidate_groups(candidates, graph.types)
        residues = residue_groups(atoms, graph.types, _HEAVY_SLOTS)
        contacts = find_fixed_contacts(candidates, groups, residues, graph)
        energy = self._contact_energy(groups, residues, contacts)
        return self._add_energy(self._decoder_logits(candidates, graph), candidates, contacts, energy)

    def marginals(
        self, candidates: Candidates, contacts: CandidateContacts, graph: Graph
    ) -> Float[Tensor, "L M"]:
        """Return the probability of each candidate in the mean field."""
        groups, fixed, mutual = contacts.candidates, contacts.fixed, contacts.mutual
        energy = self._contact_energy(groups, contacts.backbones, fixed)
        logits = self._add_energy(self._decoder_logits(candidates, graph), candidates, fixed, energy)
        energy = self._contact_energy(groups, groups, mutual)
        nonzero = true_indices(energy != 0)
        first, second = (
            candidates.index.index_select(0, group.index_select(0, nonzero))
            for group in groups_of_pairs(mutual)
        )
        energy = energy.index_select(0, nonzero)
        probability = logits.softmax(-1)
        for _ in range(_ROUNDS):
            flat, field = probability.flatten(), torch.zeros_like(probability).flatten()
            field.index_add_(0, first, energy * flat.index_select(0, second))
            field.index_add_(0, second, energy * flat.index_select(0, first))
            updated = (logits - field.view_as(probability)).softmax(-1)
            probability = _DAMPING * probability + (1 - _DAMPING) * updated
        return probability

    def _decoder_logits(self, candidates: Candidates, graph: Graph) -> Float[Tensor, "L M"]:
        """Weighted log probabilities of the decoder."""
        logits = self.decoder_weight[graph.types[candidates.residue]] * candidates.log_prob
        return candidates.to_table(logits, len(graph.types))

    def _add_energy(
        self,
        logits: Float[Tensor, "L M"],
        candidates: Candidates,
        contacts: Sequence[Contacts],
        energy: Float[Tensor, "P"],
    ) -> Float[Tensor, "L M"]:
        """Subtract the energies of pairs of groups from the logits of their candidates."""
        index = candidates.index[groups_of_pairs(contacts)[0]]
        return logits.flatten().index_add(0, index, -energy).view_as(logits)

    def _contact_energy(
        self, groups: AtomGroups, others: AtomGroups, contacts: Sequence[Contacts]
    ) -> Float[Tensor, "P"]:
        """Energy of each pair of groups."""
        table = torch.nn.functional.pad(self.contact_energy, (0, 1)).view(-1, 1)
        return torch.cat([_sum_table(table, groups, others, block) for block in contacts])


def _sum_table(
    table: Float[Tensor, "rows 1"], groups: AtomGroups, others: AtomGroups, contacts: Contacts
) -> Float[Tensor, "P"]:
    """Interpolate a table of each pair of types at knots; sum over the contacts of each pair of groups."""
    type_pairs = table_on(contacts.count.device, atom_type_pairs).to(groups.atom_types.dtype)
    first = groups.atom_types.index_select(0, contacts.first_atom)
    second = others.atom_types.index_select(0, contacts.second_atom)
    type_pair = type_pairs.flatten().index_select(0, first * len(type_pairs) + second)
    knot, fraction = knot_position(contacts.distance)
    entry = type_pair * (N_KNOTS + 1) + knot
    entries = torch.stack([entry, entry + 1], dim=1)
    factors = interpolation_factors(fraction)
    return table_sum(table, entries, factors, starts(contacts.count)).squeeze(1)
