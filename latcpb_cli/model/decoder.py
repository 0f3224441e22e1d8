"""The decoder D: latent and condition to internal coordinates, or to positions for CGVAE-like models."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latcpb_cli.chem.residues import CA_SLOT, N_SLOTS
from latcpb_cli.chem.rotamers import N_ROTAMERS, rotamer_table
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.config import ModelConfig
from latcpb_cli.device import table_on
from latcpb_cli.geometry.codec import FIRST_CHI, InternalCoordinates, decode
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.linear import joint_outputs

__all__ = ["Decoded", "Decoder", "Rotamers"]

_MAX_TWIST = math.radians(15.0)
_MAX_BEND = math.radians(8.0)
_MAX_CHI_SHIFT = math.radians(60.0)
"""Largest deviations from planar peptides, ideal angles and mean chi angles that the decoder can predict."""
_POSITION_SCALE = 8.0
"""Å; largest component of a position relative to its Cα in the Cartesian decoder."""
_N_BACKBONE_TORSIONS = FIRST_CHI
_IMPOSSIBLE_LOGIT = -1e4
_MIN_FREQUENCY = 1e-9


@dataclass(frozen=True, eq=False)
class Rotamers:
    """Rotamer probabilities of L side chains, and the chi angles of every rotamer.

    Attributes
    ----------
    logits : Tensor, shape (L, 81)
        Unnormalised log probability of each rotamer; -1e4 where the residue type has no such rotamer.
    chi : Tensor, shape (L, 81, 4)
        Chi angles (rad) of the residue in each rotamer.
    """

    logits: Float[Tensor, "L R"]
    chi: Float[Tensor, "L R 4"]

    def select_chi(self, rotamer: Int[Tensor, "L"]) -> Float[Tensor, "L 4"]:
        """Return the chi angles (rad) of one rotamer per residue."""
        return self.chi[torch.arange(len(rotamer), device=rotamer.device), rotamer]


@dataclass(frozen=True, eq=False)
class Decoded:
    """Atoms of L residues, and the internal coordinates and rotamers from which they are built.

    Attributes
    ----------
    atoms : Tensor, shape (L, 15, 3)
        Positions, Å.
    internal : InternalCoordinates or None
        None where the decoder predicts positions.
    rotamers : Rotamers or None
        None where the decoder predicts positions.
    concentration : Tensor, shape (L,), or None
        Concentration of a von Mises density of the rotation of each peptide; None without `PeptideRotations`.
    """

    atoms: Float[Tensor, "L 15 3"]
    internal: InternalCoordinates | None
    rotamers: Rotamers | None
    concentration: Float[Tensor, "L"] | None = None


class Decoder(nn.Module):
    """Message passing over neighbours, pooling, and a multilayer perceptron per residue.

    Backbone torsions are regressed. Side chains are classified: the decoder predicts a probability for
    every rotamer and the chi angles of the residue in it, because the mean of two rotamers, which a
    regression of chi would predict, is no conformation of a side chain.

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.dim
        self.latent_projection = nn.Linear(config.latent, dim)
        self.condition_projection = nn.Linear(dim, dim)
        self.message_passing = NeighborTransformer(config, 1)
        self.hidden = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.SiLU())
        self.cartesian = config.cartesian
        if config.cartesian:
            self.cartesian_head = nn.Linear(2 * dim, N_SLOTS * 3)
            return
        self.backbone_head = nn.Linear(2 * dim, 2 * _N_BACKBONE_TORSIONS + 1 + N_CHI)
        self.rotamer_head = nn.Linear(2 * dim, N_ROTAMERS)
        self.chi_head = nn.Linear(2 * dim, N_ROTAMERS * N_CHI)
        for layer in (self.rotamer_head, self.chi_head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        latent: Float[Tensor, "L D"],
        condition: Condition,
        graph: Graph,
        rotamer: Int[Tensor, "L"] | None = None,
        *,
        side_chains: bool = True,
    ) -> Decoded:
        """Build the atoms.

        Parameters
        ----------
        latent
            Latents in (0, 1).
        condition, graph
            Z^C, and the neighbourhoods.
        rotamer
            Index of the rotamer of each side chain; by default the most probable.
        side_chains
            Whether atoms beyond CB are built. `choose_side_chains` does not need them.
        """
        x = self.latent_projection(2.0 * latent - 1.0) + self.condition_projection(condition.residues)
        hidden = self.hidden(self.message_passing(x, condition.pairs, graph))
        if self.cartesian:
            return Decoded(self._positions(hidden, graph), None, None)
        backbone, logits, shifts = joint_outputs(
            (self.backbone_head, self.rotamer_head, self.chi_head), hidden
        )
        rotamers = _rotamers(logits, shifts, graph.types)
        chi = rotamers.select_chi(rotamers.logits.argmax(-1) if rotamer is None else rotamer)
        internal = _internal(backbone, chi)
        atoms = decode(internal, graph.ca, graph.types, graph.linked, graph.order, side_chains=side_chains)
        return Decoded(atoms, internal, rotamers)

    def _positions(self, hidden: Float[Tensor, "L hidden"], graph: Graph) -> Float[Tensor, "L 15 3"]:
        """Positions in local frames; the Cα are those of the graph."""
        out = self.cartesian_head(hidden)
        local = _POSITION_SCALE * torch.tanh(out.view(-1, N_SLOTS, 3) / _POSITION_SCALE)
        atoms = graph.ca[:, None] + torch.einsum("lsi,lij->lsj", local, graph.frames)
        return torch.cat([atoms[:, :CA_SLOT], graph.ca[:, None], atoms[:, CA_SLOT + 1 :]], dim=1)


def _internal(out: Float[Tensor, "L outputs"], chi: Float[Tensor, "L 4"]) -> InternalCoordinates:
    """Internal coordinates from the outputs for the backbone, and given chi angles."""
    vectors = out[:, : 2 * _N_BACKBONE_TORSIONS].view(-1, _N_BACKBONE_TORSIONS, 2)
    backbone = vectors * torch.rsqrt((vectors * vectors).sum(-1, keepdim=True) + 1e-6)
    deviations = torch.tanh(out[:, 2 * _N_BACKBONE_TORSIONS :])
    torsions = torch.cat([backbone, torch.stack([torch.cos(chi), torch.sin(chi)], dim=-1)], dim=1)
    return InternalCoordinates(torsions, _MAX_TWIST * deviations[:, 0], _MAX_BEND * deviations[:, 1:])


def _rotamers(
    logits: Float[Tensor, "L 81"], shifts: Float[Tensor, "L 324"], types: Int[Tensor, "L"]
) -> Rotamers:
    """Logits and chi angles of all rotamers, from the outputs for both."""
    mean_chi, frequency, exists = (
        table_on(logits.device, rotamer_table, column) for column in ("chi", "probability", "exists")
    )
    # The network predicts the deviation from the frequencies of the residue type.
    prior = frequency.clamp(min=_MIN_FREQUENCY).log().to(logits.dtype)
    logits = torch.where(exists[types], logits + prior[types], _IMPOSSIBLE_LOGIT)
    shift = _MAX_CHI_SHIFT * torch.tanh(shifts).view(-1, N_ROTAMERS, N_CHI)
    return Rotamers(logits, mean_chi.to(logits.dtype)[types] + shift)
