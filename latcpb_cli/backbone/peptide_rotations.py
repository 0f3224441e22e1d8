"""Which way peptides turn, for best mode: encoders of their own read the trace again, with only this in mind.

The decoder's answer has to serve drawn latents as well, and is a median. Here
every rotation of a peptide about its Cα-Cα axis gets a probability, by
encoders that see the trace and how the decoder would turn all peptides around;
the mean direction has the least expected squared error. Several encoders know
few errors of each other's.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.codec import ROTATION, decode
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.cg_encoder import CGEncoder, ExtraFeatures, TraceEncoder
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph

__all__ = ["PeptideRotations", "sector_directions"]

_N_ENCODERS = 3
_SECTORS = 72  # of five degrees
_TRUST = 99.0  # weight of this answer beside the decoder's, which is heard where this one says nothing
_SUREST = 0.995  # length of a mean direction: a spread of 6 degrees
_N, _O = 0, 3  # slots of the two atoms that hydrogen bonds join
_RADIAL = 8
_NEAR, _FAR, _BROAD = 2.5, 7.5, 0.7  # Å
_REACH = 8.0  # Å: scale of positions
_N_PAIR_FEATURES = 2 * 3 + 3 * _RADIAL


class PeptideEncoder(nn.Module):
    """An encoder of trace and peptides, and its judgement."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.encoder = TraceEncoder(config, n_extra_pair_features=_N_PAIR_FEATURES)
        self.rotation_projection = nn.Linear(4, dim)
        last = nn.Linear(2 * dim, _SECTORS)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.logit_head = nn.Sequential(nn.Linear(2 * dim + 2, 2 * dim), nn.SiLU(), last)

    def init_from(self, encoder: CGEncoder) -> None:
        """Start from what the CG encoder has learned, which has never seen a hint."""
        known, own = encoder.state_dict(), self.encoder.state_dict()
        first = "pair.0.weight"
        blind = torch.zeros_like(own[first])
        blind[:, : known[first].shape[1]] = known[first]
        self.encoder.load_state_dict({key: known[key] for key in own} | {first: blind})
        for parameter in self.rotation_projection.parameters():
            nn.init.zeros_(parameter)

    def forward(self, turn: Tensor, seen: Tensor, graph: Graph) -> Float[Tensor, "L S"]:
        """Unnormalised log probabilities of sectors."""
        hint = ExtraFeatures(self.rotation_projection(torch.cat([turn, turn.roll(1, 0)], dim=-1)), seen)
        residues, _ = self.encoder.encode(graph, hint)
        return self.logit_head(torch.cat([residues, residues.roll(-1, 0), turn], dim=-1))


class PeptideRotations(nn.Module):
    """Probabilities of the rotation of each peptide, from the trace and the decoder's answer.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(PeptideEncoder(config) for _ in range(_N_ENCODERS))

    def init_from(self, encoder: CGEncoder) -> None:
        """Start from what the CG encoder has learned."""
        for reader in self.encoders:
            assert isinstance(reader, PeptideEncoder)  # which a ModuleList forgets
            reader.init_from(encoder)

    def forward(self, decoded: Decoded, graph: Graph) -> Float[Tensor, "R L S"]:
        """Log probability of each sector by each reader; those of a last residue mean nothing."""
        assert decoded.internal is not None  # or there are no peptides
        turn = decoded.internal.torsions[:, ROTATION] * graph.linked[:, None]  # nothing at breaks
        seen = _surroundings(decoded.atoms, graph)
        return torch.stack([reader(turn, seen, graph) for reader in self.encoders]).log_softmax(-1)

    def rotate_peptides(self, decoded: Decoded, graph: Graph, *, side_chains: bool) -> Decoded:
        """The decoder's answer with better rotations, with atoms as `decode` builds them.

        The mean direction is the shorter, the less sure the readers are, and nothing before
        training: the decoder's rotation decides there.
        """
        assert decoded.internal is not None
        own = decoded.internal.torsions[:, ROTATION]
        mean = self(decoded, graph).exp().mean(0) @ sector_directions(own)
        internal = decoded.internal.with_peptide_rotation(unit(_TRUST * mean + own))
        atoms = decode(internal, graph.ca, graph.types, graph.linked, side_chains=side_chains)
        # As for a narrow von Mises density, whose mean direction is 1 - 1 / (2 concentration) long.
        concentration = 0.5 / (1.0 - mean.norm(dim=-1).clamp(max=_SUREST))
        return Decoded(atoms, internal, decoded.rotamers, concentration)


def sector_directions(like: Tensor) -> Float[Tensor, "72 2"]:
    """(cos, sin) of the middle of each sector, of the type and on the device of ``like``."""
    middle = (torch.arange(_SECTORS, device=like.device, dtype=like.dtype) + 0.5) * (2 * math.pi / _SECTORS)
    return torch.stack([torch.cos(middle), torch.sin(middle)], dim=-1)


def _surroundings(atoms: Float[Tensor, "L 15 3"], graph: Graph) -> Float[Tensor, "L K H"]:
    """Where N and O of each neighbour are, and how far from a residue's own."""
    own = {slot: atoms[:, slot] for slot in (_N, _O)}
    theirs = {slot: graph.gather(atoms[:, slot]) for slot in (_N, _O)}
    places = [
        torch.einsum("lij,lkj->lki", graph.frames, theirs[slot] - graph.ca[:, None]) / _REACH
        for slot in (_O, _N)
    ]
    centers = torch.linspace(_NEAR, _FAR, _RADIAL, device=atoms.device)
    apart = [
        torch.exp(-((((own[a][:, None] - theirs[b]).norm(dim=-1)[..., None] - centers) / _BROAD) ** 2))
        for a, b in ((_O, _N), (_N, _O), (_O, _O))
    ]
    return torch.cat([*places, *apart], dim=-1) * graph.valid[..., None]
