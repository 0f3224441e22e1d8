"""Overlaps and bent backbones are relaxed in torsion space (layer 4)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.geometry.codec import Internal
from latcpb_cli.model.graph import Graph
from latcpb_cli.refine.contacts import Contacts
from latcpb_cli.refine.linkage import CHI, ROTATE, TWIST, Linkage
from latcpb_cli.refine.strain import Strain

__all__ = ["relieve"]

_STAY_CHI = 0.05
_STAY_ROTATE = 0.5
_STAY_TWIST = 3.0
_MOST_TWIST = math.radians(22.0)
_WALL = 20.0
_DAMP = 2.0
_STEPS = 24
_RATE = 0.6
_MOMENTUM = 0.6
_MARGIN = 1.0
_LONGEST = 0.2


@torch.no_grad()
def relieve(atoms: Float[Tensor, "L 15 3"], internal: Internal, graph: Graph, sizes: list[int]) -> Float[Tensor, "L 15 3"]:
    linkage = Linkage.of(atoms, internal, graph)
    strain = Strain.of(graph, atoms.dtype)
    turn = torch.zeros_like(linkage.free)
    speed = torch.zeros_like(turn)
    built = linkage.start
    stay = torch.full_like(turn, _STAY_CHI)
    stay[ROTATE], stay[TWIST] = _STAY_ROTATE, _STAY_TWIST
    for step in range(_STEPS):
        if step % 12 == 0:
            contacts = Contacts.of(built, graph, sizes, _MARGIN)
        slopes, stiff = contacts.push(built)
        strain.push(built, slopes, stiff)
        slope, hold = linkage.pull(built, slopes, stiff, turn)
        slope += stay * torch.sin(turn)
        twist = internal.twist + turn[TWIST]
        slope[TWIST] += _WALL * (twist - twist.clamp(-_MOST_TWIST, _MOST_TWIST)) * linkage.free[TWIST]
        speed = _MOMENTUM * speed - _RATE * slope / (hold + stay + _DAMP)
        speed = speed.clamp(-_LONGEST, _LONGEST)
        turn = turn + speed
        built = linkage.build(turn)
    return built.permute(2, 1, 0)
