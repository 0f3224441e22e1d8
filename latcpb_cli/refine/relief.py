"""Overlaps and bent backbones are relaxed in torsion space (layer 4)."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.geometry.codec import N_TORSIONS, PSI_END, ROTATION, Internal
from latcpb_cli.model.graph import Graph
from latcpb_cli.refine.contacts import Contacts
from latcpb_cli.refine.linkage import ROTATE, TWIST, Linkage
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
_DEEP = 1.2  # Å of overlap at which a structure is not done
_AGAIN = 2  # more rounds for such structures, at most
_LANES = 64  # floats that every vector register divides


@torch.no_grad()
def relieve(
    atoms: Float[Tensor, "L 15 3"], internal: Internal, graph: Graph, sizes: list[int]
) -> Float[Tensor, "L 15 3"]:
    """Turn peptides and side chains until atoms do not overlap and backbones are not bent.

    Descends on the squared overlaps of all heavy atoms, the bend of N-CA-C and
    the distance of phi and psi from their favoured regions, with each joint
    held near the model's answer. Structures left with deep overlaps go on.

    Parameters
    ----------
    atoms, internal
        What the decoder built (Å), and from which internal coordinates.
    graph
        Cα, types and links of the same residues.
    sizes
        Residues of each structure; structures do not see each other.

    Returns
    -------
    Tensor, shape (L, 15, 3)
        Cα, and residues with nothing to relieve, unchanged to the bit; bond lengths,
        rings and handedness kept. A structure does not depend on the others.
    """
    relieved, turned, deep = _descend(atoms, internal, graph, sizes)
    for _ in range(_AGAIN):
        left = [number for number, is_deep in enumerate(deep) if is_deep]
        if not left:
            break
        everyone = torch.arange(len(atoms), device=atoms.device).split(sizes)
        rows = torch.cat([everyone[number] for number in left])
        part = _descend(relieved[rows], *_rows(turned, graph, rows), [sizes[number] for number in left])
        relieved = relieved.index_copy(0, rows, part[0])
        both = zip(vars(turned).values(), vars(part[1]).values(), strict=True)
        turned = Internal(*(old.index_copy(0, rows, new) for old, new in both))
        still = {number for number, is_deep in zip(left, part[2], strict=True) if is_deep}
        deep = [number in still for number in range(len(sizes))]
    return relieved


def _descend(
    atoms: Tensor, internal: Internal, graph: Graph, sizes: list[int]
) -> tuple[Tensor, Internal, list[bool]]:
    """Atoms and internal coordinates after some steps, and which structures are left with deep overlaps.

    Each joint's step is its slope over its stiffness, with momentum.
    """
    length = len(atoms)
    # As many residues as fill vector registers, one more at least: the last few would be computed one
    # by one, which rounds differently, and bytes would depend on a structure's place in the batch.
    rows = torch.arange((length // _LANES + 1) * _LANES, device=atoms.device).clamp(max=length - 1)
    atoms, (internal, graph) = atoms[rows], _rows(internal, graph, rows)
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
    built = torch.where(linkage.moved(turn), built, linkage.start)
    deep = [bool(part.any()) for part in contacts.deep(built, _DEEP)[:length].split(sizes)]
    whole = slice(length)
    return built[..., whole].permute(2, 1, 0).contiguous(), _turned(internal, turn, whole), deep


def _turned(internal: Internal, turn: Float[Tensor, "6 L"], rows: slice) -> Internal:
    """Internal coordinates of some residues after their joints have turned."""
    torsions, joints = internal.torsions[rows].clone(), [ROTATION, *range(PSI_END + 1, N_TORSIONS)]
    angles = turn[[ROTATE, 2, 3, 4, 5]].T[rows]
    cos, sin = torch.cos(angles), torch.sin(angles)
    x, y = torsions[:, joints].unbind(-1)
    torsions[:, joints] = torch.stack([x * cos - y * sin, y * cos + x * sin], dim=-1)
    return Internal(torsions, internal.twist[rows] + turn[TWIST, rows], internal.bends[rows])


def _rows(internal: Internal, graph: Graph, rows: Int[Tensor, "N"]) -> tuple[Internal, Graph]:
    """Some residues; what relief does not read of the graph stays as it is."""
    names = ("types", "ca", "linked")
    graph = replace(graph, **{name: getattr(graph, name)[rows] for name in names})
    return internal.of(rows), graph
