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

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latcpb_cli.chem.atom_types import ATOM_TYPES, atom_type_pairs
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.masks import true_indices
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.atom_groups import AtomGroups, Contacts, candidate_groups, residue_groups
from latcpb_cli.sidechains.candidates import SIDE, Candidates
from latcpb_cli.sidechains.contacts import KNOTS, CandidateContacts, contacts_with, knot_position, read

__all__ = ["NOISE", "Packing"]

NOISE = N_ROTAMERS + N_CHI
"""Random numbers that a sample takes per residue: one for each state, and one for each chi.

States have theirs whatever their rank: the same numbers lead frames that are alike to the same state.
"""

_ROUNDS, _DAMPING = 10, 0.5
_PEAK, _TAIL = (0.45, 0.7, 0.9, 0.9), 0.9  # of chi 1 to 4 about their rotamers; chosen on held-out chains
_WHOLE = slice(0, SIDE.stop)


class Packing(nn.Module):
    """Contact energies, how far the decoder's probabilities are trusted beside them, and how wide states are.

    ``log_std`` is the logarithm of the standard deviation (rad) of each chi
    about the decoder's answer for the true state, by residue type; ``wider``
    adds what the surroundings make of it: side chains are loose on a surface.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        pairs = len(ATOM_TYPES) * (len(ATOM_TYPES) + 1) // 2
        self.contact_energy = nn.Parameter(torch.zeros(pairs, KNOTS))
        self.decoder_weight = nn.Parameter(torch.ones(20))
        self.log_std = nn.Parameter(torch.full((20, N_CHI), math.log(0.2)))
        self.log_std_correction = nn.Linear(config.dim, N_CHI)
        nn.init.zeros_(self.log_std_correction.weight)
        nn.init.zeros_(self.log_std_correction.bias)

    def width(self, condition: Condition, types: Int[Tensor, "L"]) -> Float[Tensor, "L 4"]:
        """Standard deviation (rad) of each chi within its state."""
        return (self.log_std[types] + self.log_std_correction(condition.residues)).exp()

    def stray(self, normal: Float[Tensor, "L 4"], width: Float[Tensor, "L 4"]) -> Float[Tensor, "L 4"]:
        """Turns of chi angles (rad) as wide as states are, from standard normal deviates.

        Like those of chi angles about rotamers, more of them are near zero than
        a Gaussian has, and more far off. Relief will turn first chi angles
        further, as whole side chains hang on them.
        """
        far = (_TAIL * normal).exp()
        # The hyperbolic sine; torch.sinh's last bit depends on where in memory a number lies.
        return normal.new_tensor(_PEAK) * (far - 1 / far) / (2 * _TAIL) * width

    def conditional(
        self, candidates: Candidates, atoms: Float[Tensor, "L 15 3"], graph: Graph
    ) -> Float[Tensor, "L M"]:
        """Log probability of each candidate (not normalised), all other residues being as in ``atoms``."""
        own, others = candidate_groups(candidates, graph.types), residue_groups(atoms, graph.types, _WHOLE)
        met = contacts_with(candidates, own, others, graph)
        known = self._log_probability(candidates, graph)
        energy = self._energy(own, others, met)
        return known.flatten().index_add(0, candidates.place[met.one], -energy).view_as(known)

    def marginals(
        self, candidates: Candidates, around: CandidateContacts, graph: Graph
    ) -> Float[Tensor, "L M"]:
        """Probability of each candidate in the field of the others' probabilities."""
        alone = self._log_probability(candidates, graph)
        energy = self._energy(around.candidates, around.backbones, around.still)
        alone = alone.flatten().index_add(0, candidates.place[around.still.one], -energy).view_as(alone)
        energy = self._energy(around.candidates, around.candidates, around.between)
        touching = true_indices(energy != 0)
        one, two = (
            candidates.place.index_select(0, x.index_select(0, touching))
            for x in (around.between.one, around.between.two)
        )
        energy = energy.index_select(0, touching)
        share = alone.softmax(-1)
        for _ in range(_ROUNDS):
            flat, field = share.flatten(), torch.zeros_like(share).flatten()
            field.index_add_(0, one, energy * flat.index_select(0, two))
            field.index_add_(0, two, energy * flat.index_select(0, one))
            renewed = (alone - field.view_as(share)).softmax(-1)
            share = _DAMPING * share + (1 - _DAMPING) * renewed
        return share

    def _log_probability(self, candidates: Candidates, graph: Graph) -> Float[Tensor, "L M"]:
        value = self.decoder_weight[graph.types[candidates.residue]] * candidates.log_probability
        return candidates.grid(value, len(graph.types))

    def _energy(self, shapes: AtomGroups, others: AtomGroups, met: Contacts) -> Float[Tensor, "P"]:
        """Energy of each pair of groups."""
        kinds = torch.from_numpy(atom_type_pairs()).to(met.pair)
        own, other = shapes.kinds.index_select(0, met.own), others.kinds.index_select(0, met.other)
        knot, ahead = knot_position(met.distance)
        entry = kinds.flatten().index_select(0, own * len(kinds) + other) * (KNOTS + 1) + knot
        table = torch.nn.functional.pad(self.contact_energy, (0, 1)).view(-1, 1)
        entries, values = torch.stack([entry, entry + 1], dim=1), torch.stack([1 - ahead, ahead], dim=1)
        return read(table, entries, values, met.pair, len(met.one)).squeeze(1)
