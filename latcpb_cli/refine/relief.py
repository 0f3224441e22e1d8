"""Overlaps and bent backbones are relaxed in torsion space (layer 4)."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.geometry.codec import Internal
from latcpb_cli.model.graph import Graph
from latcpb_cli.refine.contacts import Contacts
from latcpb_cli.refine.linkage import TWIST, Linkage
from latcpb_cli.refine.strain import Strain

__all__ = ["relieve"]

# How far joints are held to the model's answer: Å² per 1 - cos(turn).
_STAY_CHI, _STAY_ROTATE, _STAY_TWIST = 0.05, 0.5, 4.0
_MOST_TWIST = math.radians(25.0)  # of a peptide; 30° is an outlier

_STEPS = 28
_LISTED = 14  # steps between two searches for near atoms
_MARGIN = 1.0  # Å: how much nearer a pair may come in between
_RATE, _MOMENTUM = 0.5, 0.7  # rounding grows tenfold every few steps where the rate is 0.8
_SOFT = 5.0  # Å² per rad²: no joint is taken for softer than this
_LONGEST = 0.2  # rad in one step
_LANES = 64  # floats that every vector register divides


@torch.no_grad()
def relieve(
    atoms: Float[Tensor, "L 15 3"], internal: Internal, graph: Graph, sizes: list[int]
) -> Float[Tensor, "L 15 3"]:
    """Turn peptides and side chains until atoms do not overlap and backbones are not bent.

    Descends on the squared overlaps of all heavy atoms, the bend of N-CA-C and
    the distance of phi and psi from their favoured regions, with each joint
    held near where the model put it. Each joint's step is its slope over its
    stiffness, with momentum.

    Parameters
    ----------
    atoms
        What the decoder built (Å).
    internal
        The internal coordinates it was built from.
    graph
        Cα, types and links of the same residues.
    sizes
        Residues of each structure; structures do not see each other.

    Returns
    -------
    Tensor, shape (L, 15, 3)
        Cα unchanged to the bit, and so are residues with nothing to relieve;
        bond lengths, rings and handedness unchanged. The result of a structure
        does not depend on the others.
    """
    atoms, internal, graph = _padded(atoms, internal, graph)
    linkage = Linkage.of(atoms, internal, graph)
    strain = Strain.of(graph, atoms.dtype)
    stay = linkage.free * atoms.new_tensor([_STAY_ROTATE, _STAY_TWIST, *4 * [_STAY_CHI]])[:, None]
    turn = torch.zeros_like(stay)
    # A decoder may twist a peptide further; then it stays, but goes no further still.
    room = (-_MOST_TWIST - internal.twist).clamp(max=0.0), (_MOST_TWIST - internal.twist).clamp(min=0.0)
    speed, built = turn, linkage.start
    for step in range(_STEPS):
        if step % _LISTED == 0:
            contacts = Contacts.of(built, graph, sizes, _MARGIN)
        slopes, stiff = contacts.push(built)
        strain.push(built, slopes, stiff)
        slope, hold = linkage.pull(built, slopes, stiff, turn)
        slope = slope + stay * torch.sin(turn)
        speed = _MOMENTUM * speed - _RATE * slope / (hold + stay + _SOFT)
        speed = speed.clamp(-_LONGEST, _LONGEST)
        turn = turn + speed
        turn[TWIST] = turn[TWIST].clamp(*room)
        built = linkage.build(turn)
    relieved = torch.where(linkage.moved(turn), built, linkage.start)
    return relieved[..., : sum(sizes)].permute(2, 1, 0).contiguous()


def _padded(atoms: Tensor, internal: Internal, graph: Graph) -> tuple[Tensor, Internal, Graph]:
    """Add residues at the end, one at least, so that their number is a multiple of a vector register's.

    Otherwise the last few would be computed one by one, which rounds
    differently, and a structure's bytes would depend on its place in the batch.
    """
    length = len(atoms)
    rows = torch.arange((length // _LANES + 1) * _LANES, device=atoms.device).clamp(max=length - 1)
    internal = Internal(internal.torsions[rows], internal.twist[rows], internal.bends[rows])
    # The last residue joins no other, and neither do its copies.
    names = ("types", "ca", "linked")
    return atoms[rows], internal, replace(graph, **{name: getattr(graph, name)[rows] for name in names})
