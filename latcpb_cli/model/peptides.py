"""Which way peptides turn, for best mode: the trace is read again, with only this in mind.

The decoder's answer has to serve drawn latents as well, and is a median. Here
an encoder of its own gives every rotation of a peptide about its Cα-Cα axis a
probability; the mean direction has the least expected squared error.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.codec import ROTATION, decode
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.cg_encoder import CGEncoder, TraceEncoder
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph

__all__ = ["Peptides", "directions"]

_SECTORS = 72  # of five degrees
_TRUST = 0.7  # share of this answer beside the decoder's, chosen on held-out chains


class Peptides(nn.Module):
    """Probabilities of the rotation of each peptide, from the trace alone.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.encoder = TraceEncoder(config)
        last = nn.Linear(2 * dim, _SECTORS)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.judge = nn.Sequential(nn.Linear(2 * dim, 2 * dim), nn.SiLU(), last)

    def begin(self, encoder: CGEncoder) -> None:
        """Start from what the CG encoder has learned."""
        known = encoder.state_dict()
        self.encoder.load_state_dict({key: known[key] for key in self.encoder.state_dict()})

    def forward(self, graph: Graph) -> Float[Tensor, "L 72"]:
        """Unnormalised log probability of each sector; that of a last residue means nothing."""
        residues, _ = self.encoder.read(graph)
        return self.judge(torch.cat([residues, residues.roll(-1, 0)], dim=-1))

    def turned(self, decoded: Decoded, graph: Graph, *, side_chains: bool) -> Decoded:
        """The decoder's answer with better rotations, with atoms as `decode` builds them.

        The mean direction is the shorter, the less sure it is, and nothing before training: the
        decoder's rotation decides there.
        """
        assert decoded.internal is not None  # or there are no peptides
        own = decoded.internal.torsions[:, ROTATION]
        mean = self(graph).softmax(-1) @ directions(own)
        internal = decoded.internal.rotated(unit(_TRUST * mean + (1.0 - _TRUST) * own))
        atoms = decode(internal, graph.ca, graph.types, graph.linked, side_chains=side_chains)
        return Decoded(atoms, internal, decoded.rotamers)


def directions(like: Tensor) -> Float[Tensor, "72 2"]:
    """(cos, sin) of the middle of each sector, of the type and on the device of ``like``."""
    middle = (torch.arange(_SECTORS, device=like.device, dtype=like.dtype) + 0.5) * (2 * math.pi / _SECTORS)
    return torch.stack([torch.cos(middle), torch.sin(middle)], dim=-1)
