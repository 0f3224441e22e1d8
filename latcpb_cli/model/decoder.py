"""D: latent and condition become internal coordinates, or positions for CGVAE-like models."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.chem.rotamers import N_ROTAMERS, rotamer_table
from latcpb_cli.config import ModelConfig
from latcpb_cli.geometry.codec import PSI_END, InternalCoordinates, decode
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.graph import Graph

__all__ = ["Decoded", "Decoder", "Rotamers"]

_MAX_TWIST = math.radians(15.0)
_MAX_BEND = math.radians(8.0)
_MAX_SHIFT = math.radians(60.0)
_REACH = 8.0  # Å: scale of atom positions around their Cα (Cartesian decoder)
_BACKBONE = PSI_END + 1
_NEVER = -1e4


@dataclass(frozen=True, eq=False)
class Rotamers:
    """What the decoder holds possible for L side chains.

    Attributes
    ----------
    logits : (L, 81)
        Unnormalised log probability of each rotameric state; -1e4 where the type has none.
    chi : (L, 81, 4)
        Chi angles (rad) of the residue in each state.
    """

    logits: Float[Tensor, "L R"]
    chi: Float[Tensor, "L R 4"]

    def chosen(self, states: Int[Tensor, "L"]) -> Float[Tensor, "L 4"]:
        """Chi angles of one state per residue."""
        return self.chi[torch.arange(len(states), device=states.device), states]


@dataclass(frozen=True, eq=False)
class Decoded:
    """Atoms (Å), and what they were built from (None where positions are decoded directly).

    ``concentration`` says how sure the rotation of each peptide is, as that of a
    von Mises density does, (L,); None where nobody has judged it.
    """

    atoms: Float[Tensor, "L 15 3"]
    internal: InternalCoordinates | None
    rotamers: Rotamers | None
    concentration: Float[Tensor, "L"] | None = None


class Decoder(nn.Module):
    """Message passing over neighbours, pooling, and a multilayer perceptron per residue.

    Backbone torsions are regressed. A side chain gets a probability for every
    rotameric state and the chi angles it would have there: between two
    rotamers lies nothing that a regression could answer.
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
        self.backbone_head = nn.Linear(2 * dim, 2 * _BACKBONE + 1 + N_CHI)
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
        states: Int[Tensor, "L"] | None = None,
        *,
        side_chains: bool = True,
    ) -> Decoded:
        """Build atoms with each side chain in one of its ``states``, by default the most probable.

        Without ``side_chains`` only N, CA, C, O, CB and OXT are built, for `choose_side_chains`.
        """
        x = self.latent_projection(2.0 * latent - 1.0) + self.condition_projection(condition.residues)
        hidden = self.hidden(self.message_passing(x, condition.pairs, graph))
        if self.cartesian:
            return Decoded(self._positions(hidden, graph), None, None)
        rotamers = self._rotamers(hidden, graph.types)
        chi = rotamers.chosen(rotamers.logits.argmax(-1) if states is None else states)
        out = self.backbone_head(hidden)
        pairs = out[:, : 2 * _BACKBONE].view(-1, _BACKBONE, 2)
        turns = pairs * torch.rsqrt((pairs * pairs).sum(-1, keepdim=True) + 1e-6)
        small = torch.tanh(out[:, 2 * _BACKBONE :])
        internal = InternalCoordinates(turns, _MAX_TWIST * small[:, 0], _MAX_BEND * small[:, 1:]).with_chi(chi)
        atoms = decode(internal, graph.ca, graph.types, graph.linked, side_chains=side_chains)
        return Decoded(atoms, internal, rotamers)

    def _rotamers(self, hidden: Tensor, types: Int[Tensor, "L"]) -> Rotamers:
        table = rotamer_table()
        center, share, exists = (
            torch.as_tensor(values, device=hidden.device)[types]
            for values in (table.chi, table.probability, table.exists)
        )
        # What is common for the type is known beforehand; the network tells what is special here.
        logits = self.rotamer_head(hidden) + share.clamp(min=1e-9).log().to(hidden.dtype)
        shift = _MAX_SHIFT * torch.tanh(self.chi_head(hidden)).view(-1, N_ROTAMERS, N_CHI)
        return Rotamers(torch.where(exists, logits, _NEVER), center.to(hidden.dtype) + shift)

    def _positions(self, hidden: Tensor, graph: Graph) -> Float[Tensor, "L 15 3"]:
        out = self.cartesian_head(hidden)
        local = _REACH * torch.tanh(out.view(-1, N_SLOTS, 3) / _REACH)
        atoms = graph.ca[:, None] + torch.einsum("lsi,lij->lsj", local, graph.frames)
        return torch.cat([atoms[:, :1], graph.ca[:, None], atoms[:, 2:]], dim=1)
