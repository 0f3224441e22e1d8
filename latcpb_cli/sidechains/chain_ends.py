"""Torsions of the residues at chain ends, by the beads of their side chains.

No Cα holds N of a first residue and C of a last one: they turn about a bond of the residue. Where the bead of
its side chain is known, the torsion is taken that explains it best.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CB_SLOT, GAMMA_SLOT, N_SLOT, O_SLOT, OXT_SLOT
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.geometry.residue_atoms import place_cb
from latcpb_cli.geometry.vectors import cross, unit
from latcpb_cli.model.decoder import Decoded, Rotamers
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.bead_evidence import condition_on_beads

__all__ = ["turn_chain_ends"]

_N_TURNS = 24
_PRIOR_CONCENTRATION = 1.0
"""Of a von Mises density about the torsion of the decoder, which knows little of chain ends."""


def turn_chain_ends(
    decoded: Decoded, graph: Graph, beads: ObservedBeads, chi_std: Float[Tensor, "L 4"]
) -> Decoded:
    """Return structures with the ends of their chains turned to the beads; other residues stay to the bit.

    Parameters
    ----------
    decoded
        Backbones and rotamers.
    graph
        Neighbourhoods.
    beads
        Beads of the residues.
    chi_std
        Standard deviation (rad) of each chi angle within its rotamer.
    """
    before, after = graph.order.linked_before(graph.linked), graph.linked
    of_side_chain = (beads.weights.sum(-1) > 0) & ~(beads.weights[:, :CB_SLOT] > 0).any(-1)
    known = ~beads.positions.isnan().any(-1) & of_side_chain
    rows = torch.nonzero((before ^ after) & known).squeeze(1)
    if len(rows) == 0:
        return decoded
    turns = torch.arange(_N_TURNS, device=rows.device, dtype=chi_std.dtype) * (2 * math.pi / _N_TURNS)
    copies, turn = rows.repeat_interleave(_N_TURNS), turns.repeat(len(rows))
    turned = _turn(decoded.atoms[copies], turn, graph.types[copies], after[copies])
    trial = _select(decoded, copies, turned)
    conditioned = condition_on_beads(trial, graph.types[copies], beads.select(copies), chi_std[copies])
    prior = _PRIOR_CONCENTRATION * torch.cos(turn)
    evidence = (conditioned.logits.logsumexp(-1) + prior).view(len(rows), _N_TURNS)
    best = evidence.argmax(-1)
    atoms = decoded.atoms.clone()
    atoms[rows] = turned.view(len(rows), _N_TURNS, *turned.shape[1:])[torch.arange(len(rows)), best]
    return replace(decoded, atoms=atoms)


def _select(decoded: Decoded, rows: Int[Tensor, "N"], atoms: Float[Tensor, "N 15 3"]) -> Decoded:
    """Some residues of structures, with other atoms."""
    assert decoded.internal is not None and decoded.rotamers is not None  # packing has made sure of them
    rotamers = Rotamers(decoded.rotamers.logits[rows], decoded.rotamers.chi[rows])
    return Decoded(atoms, decoded.internal.select(rows), rotamers)


def _turn(
    atoms: Float[Tensor, "N 15 3"], turn: Float[Tensor, "N"], types: Int[Tensor, "N"], is_first: Tensor
) -> Float[Tensor, "N 15 3"]:
    """Turn N about CA-C in first residues, C, O and OXT about N-CA in last ones; CB follows."""
    n, ca, c = atoms[:, N_SLOT], atoms[:, CA_SLOT], atoms[:, C_SLOT]
    axis = unit(torch.where(is_first[:, None], c - ca, ca - n))[:, None]
    arms = atoms - ca[:, None]
    cos, sin = torch.cos(turn)[:, None, None], torch.sin(turn)[:, None, None]
    along = axis * (axis * arms).sum(-1, keepdim=True)
    turned = along + (arms - along) * cos + cross(axis.expand_as(arms), arms) * sin + ca[:, None]
    moves = torch.zeros(atoms.shape[:2], dtype=torch.bool, device=atoms.device)
    moves[:, N_SLOT] = is_first
    moves[:, [C_SLOT, O_SLOT, OXT_SLOT]] = ~is_first[:, None]
    atoms = torch.where(moves[..., None], turned, atoms)
    cb = place_cb(atoms[:, N_SLOT], ca, atoms[:, C_SLOT], types)
    return torch.cat([atoms[:, :CB_SLOT], cb[:, None], atoms[:, GAMMA_SLOT:]], dim=1)
