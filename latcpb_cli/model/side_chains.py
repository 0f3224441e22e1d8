"""Side chains of a frame: from what the decoder holds possible to one conformation for each residue."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.internal import FIRST_SLOT
from latcpb_cli.diffusion.noise import gumbel
from latcpb_cli.model.candidates import MOST, SIDE, Candidates, build_candidates, deviations
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.packing import Packing
from latcpb_cli.model.rescoring import Rescoring
from latcpb_cli.model.surroundings import look_around

__all__ = ["choose_side_chains", "least_risk"]


@torch.no_grad()
def choose_side_chains(
    decoded: Decoded,
    condition: Condition,
    graph: Graph,
    packing: Packing,
    rescoring: Rescoring,
    noise: Float[Tensor, "L N"] | None = None,
) -> Decoded:
    """Put every side chain into one of its candidates, after the mean field and a second look.

    The answer of least expected error; or a sample, where ``noise`` (standard
    normal, `NOISE` numbers per residue) picks states and the angles within them.
    """
    turn = None if noise is None else packing.spread(noise[:, MOST:], graph.types)
    candidates = build_candidates(decoded, graph.types, turn)
    around = look_around(candidates, decoded.atoms, graph)
    share = packing.marginals(candidates, around, graph)
    score = rescoring(candidates, share, around, decoded.atoms, condition, graph)
    if noise is None:
        rank = least_risk(candidates, score.exp(), graph.types)
    else:
        rank = (score + gumbel(noise[:, :MOST])).argmax(-1)
    row = torch.searchsorted(candidates.place, torch.arange(len(rank), device=rank.device) * MOST + rank)
    atoms = torch.cat(
        [decoded.atoms[:, :FIRST_SLOT], candidates.atoms[row], decoded.atoms[:, SIDE.stop :]], dim=1
    )
    assert decoded.internal is not None  # or there were no candidates
    return Decoded(atoms, decoded.internal.turned(candidates.chi[row]), decoded.rotamers)


def least_risk(
    candidates: Candidates, share: Float[Tensor, "L M"], types: Int[Tensor, "L"]
) -> Int[Tensor, "L"]:
    """Rank of the candidate of each residue that is nearest to all others, weighted by their probability."""
    risk = (deviations(candidates, types) * share[:, None]).sum(-1)
    exists = torch.zeros_like(share, dtype=torch.bool).flatten()
    exists[candidates.place] = True
    return torch.where(exists.view_as(risk), risk, torch.inf).argmin(-1)
