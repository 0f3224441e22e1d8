"""Side chains of a frame: from what the decoder holds possible to one conformation for each residue."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.chem.internal import FIRST_SLOT
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.diffusion.noise import gumbel
from latcpb_cli.geometry.codec import place_side_chains
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.candidates import MOST, Candidates, build_candidates
from latcpb_cli.sidechains.contacts import find_candidate_contacts
from latcpb_cli.sidechains.expected_error import min_expected_error
from latcpb_cli.sidechains.packing import Packing
from latcpb_cli.sidechains.rescoring import Rescoring

__all__ = ["choose_side_chains", "rotamer_probabilities"]


@torch.no_grad()
def choose_side_chains(
    decoded: Decoded,
    condition: Condition,
    graph: Graph,
    packing: Packing,
    rescoring: Rescoring,
    noise: Float[Tensor, "L N"] | None = None,
    votes: Float[Tensor, "L R"] | None = None,
) -> Decoded:
    """Put every side chain into one of its candidates, after the mean field and a second look.

    The answer of least expected error; or a sample, where ``noise`` (standard
    normal, `NOISE` numbers per residue) picks states and the angles within them.
    ``votes`` are what other frames add to the probability of each rotameric state.
    """
    width = packing.width(condition, graph.types)
    turn = None if noise is None else packing.stray(noise[:, N_ROTAMERS:], width)
    candidates, score = _judged(decoded, condition, graph, packing, rescoring, turn)
    if votes is not None:
        share = score.flatten()[candidates.place].exp() + votes[candidates.residue, candidates.state]
        score = candidates.grid(share.log(), len(score)).log_softmax(-1)
    if noise is None:
        row, turn = min_expected_error(candidates, score.exp(), decoded.atoms, graph.types, width)
        chi = candidates.chi[row] + turn
    else:
        drawn = candidates.grid(gumbel(noise[candidates.residue, candidates.state]), len(score))
        rank = (score + drawn).argmax(-1)
        first = torch.arange(len(rank), device=rank.device) * MOST
        chi = candidates.chi[torch.searchsorted(candidates.place, first + rank)]
    assert decoded.internal is not None  # or there were no candidates
    internal = decoded.internal.turned(chi)
    atoms = place_side_chains(list(decoded.atoms[:, :FIRST_SLOT].unbind(1)), internal, graph.types)
    return replace(decoded, atoms=torch.stack([*atoms, decoded.atoms[:, -1]], dim=1), internal=internal)


@torch.no_grad()
def rotamer_probabilities(
    decoded: Decoded, condition: Condition, graph: Graph, packing: Packing, rescoring: Rescoring
) -> Float[Tensor, "L R"]:
    """Probability of every rotameric state, as `choose_side_chains` judges it."""
    candidates, score = _judged(decoded, condition, graph, packing, rescoring)
    shares = score.new_zeros(len(score), N_ROTAMERS)
    shares[candidates.residue, candidates.state] = score.flatten()[candidates.place].exp()
    return shares


def _judged(
    decoded: Decoded,
    condition: Condition,
    graph: Graph,
    packing: Packing,
    rescoring: Rescoring,
    turn: Float[Tensor, "L 4"] | None = None,
) -> tuple[Candidates, Float[Tensor, "L M"]]:
    """Candidates, and their log probabilities among each other."""
    candidates = build_candidates(decoded, graph.types, turn)
    around = find_candidate_contacts(candidates, decoded.atoms, graph)
    share = packing.marginals(candidates, around, graph)
    return candidates, rescoring(candidates, share, around, decoded.atoms, condition, graph)
