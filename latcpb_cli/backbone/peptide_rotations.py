"""Rotations of peptides about their Cα-Cα axes, predicted for best mode.

The decoder has to serve sampled latents as well, and its rotations are medians. This head predicts a
probability for every sector of the rotation of a peptide, from the trace and from the rotations of all
peptides in the decoder. The mean direction has the least expected squared error. No side chains are needed to
train it: backbones without them serve as well. `peptide_encoders` has the two encoders to choose from.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.backbone.peptide_encoders import OwnEncoder, SharedEncoder
from latcpb_cli.chem.residues import N_SLOT, O_SLOT
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.codec import PEPTIDE_ROTATION, InternalCoordinates, decode
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.cg_encoder import CGEncoder, Condition, ExtraFeatures
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.radial import GaussianBasis

__all__ = ["PeptideRotations", "sector_directions"]

_N_SECTORS = 72
"""Of five degrees."""
_ENCODER_WEIGHT = 99.0
"""Weight of the mean direction beside the decoder's, which decides only where the mean is nearly zero."""
_MAX_RESULTANT = 0.995
"""Largest length of a mean direction, that of a standard deviation of 6 degrees: bounds the concentration."""
_BASIS = GaussianBasis(first=2.5, last=7.5, width=0.7, count=8)
"""Of distances between N and O."""
_POSITION_SCALE = 8.0
"""Unit of positions, Å."""
_N_PAIR_FEATURES = 2 * 3 + 3 * _BASIS.count


class PeptideRotations(nn.Module):
    """Probabilities of the rotation of each peptide, from the trace and the decoder's peptides.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.encoder = (SharedEncoder if config.shared_encoder else OwnEncoder)(config, _N_PAIR_FEATURES)
        self.rotation_projection = nn.Linear(4, dim)
        last = nn.Linear(2 * dim, _N_SECTORS)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.logit_head = nn.Sequential(nn.Linear(2 * dim + 2, 2 * dim), nn.SiLU(), last)

    def init_from(self, encoder: CGEncoder) -> None:
        """Start from a trained CG encoder; inputs that it lacks do not count at first."""
        self.encoder.init_from(encoder)
        for parameter in self.rotation_projection.parameters():
            nn.init.zeros_(parameter)

    def forward(self, decoded: Decoded, condition: Condition, graph: Graph) -> Float[Tensor, "L 72"]:
        """Return the log probability of each sector; meaningless where no peptide follows."""
        rotations = _internal(decoded).torsions[:, PEPTIDE_ROTATION] * graph.linked[:, None]
        both_peptides = torch.cat([rotations, graph.order.previous(rotations)], dim=-1)
        pairs = partial(_pair_features, decoded.atoms, graph)
        extra = ExtraFeatures(self.rotation_projection(both_peptides), pairs)
        residues = self.encoder(condition, graph, extra)
        logits: Tensor = self.logit_head(torch.cat([residues, graph.order.next(residues), rotations], dim=-1))
        return logits.log_softmax(-1)

    def rotate_peptides(
        self, decoded: Decoded, condition: Condition, graph: Graph, *, side_chains: bool
    ) -> Decoded:
        """Return structures with predicted rotations of their peptides, and the concentrations of these.

        The length of a mean direction falls with the uncertainty of the rotation. It is zero before training,
        and the rotation that of the decoder.

        Parameters
        ----------
        decoded
            Output of the decoder.
        condition, graph
            Z^C, and the neighbourhoods.
        side_chains
            Whether atoms beyond CB are built; see `decode`.
        """
        internal = _internal(decoded)
        decoder_rotations = internal.torsions[:, PEPTIDE_ROTATION]
        mean = self(decoded, condition, graph).exp() @ sector_directions(decoder_rotations)
        internal = internal.with_peptide_rotation(unit(_ENCODER_WEIGHT * mean + decoder_rotations))
        atoms = decode(internal, graph.ca, graph.types, graph.linked, graph.order, side_chains=side_chains)
        # The mean direction of a narrow von Mises density has the length 1 - 1 / (2 concentration).
        concentration = 0.5 / (1.0 - mean.norm(dim=-1).clamp(max=_MAX_RESULTANT))
        return Decoded(atoms, internal, decoded.rotamers, concentration)


def sector_directions(like: Tensor) -> Float[Tensor, "72 2"]:
    """Return (cos, sin) of the middle of each sector, with the dtype and on the device of ``like``."""
    sectors = torch.arange(_N_SECTORS, device=like.device, dtype=like.dtype)
    angle = (sectors + 0.5) * (2 * math.pi / _N_SECTORS)
    return torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)


def _internal(decoded: Decoded) -> InternalCoordinates:
    """Internal coordinates of decoded structures.

    Raises
    ------
    ValueError
        The decoder predicted positions, and has no peptides to rotate.
    """
    if decoded.internal is None:
        raise ValueError("a decoder of positions has no internal coordinates")
    return decoded.internal


def _pair_features(
    atoms: Float[Tensor, "L 15 3"], graph: Graph, rows: slice
) -> Float[Tensor, "rows K extra"]:
    """Positions of each neighbour's O and N in the local frame, and distances from the residue's own."""
    own = {slot: atoms[rows, slot] for slot in (N_SLOT, O_SLOT)}
    neighbors = {slot: graph.gather(atoms[:, slot], rows) for slot in (N_SLOT, O_SLOT)}
    frames, ca = graph.frames[rows], graph.ca[rows, None]
    positions = [
        torch.einsum("lij,lkj->lki", frames, neighbors[slot] - ca) / _POSITION_SCALE
        for slot in (O_SLOT, N_SLOT)
    ]
    distances = [
        (own[slot][:, None] - neighbors[other]).norm(dim=-1)
        for slot, other in ((O_SLOT, N_SLOT), (N_SLOT, O_SLOT), (O_SLOT, O_SLOT))
    ]
    return torch.cat([*positions, *map(_BASIS, distances)], dim=-1).mul_(graph.mask[rows, :, None])
