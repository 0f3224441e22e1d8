"""Overlaps and bent backbones are relaxed in torsion space."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.geometry.codec import N_TORSIONS, PSI_END, ROTATION, InternalCoordinates
from latcpb_cli.relax.kinematics import ROTATE, TWIST, TorsionKinematics
from latcpb_cli.relax.overlaps import Contacts
from latcpb_cli.relax.reselect import reselect
from latcpb_cli.relax.strain import BackboneStrain
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["OverlapCounts", "relieve"]

# How far joints are held to the model's answer: Å² per 1 - cos(turn).
_STAY_CHI, _STAY_TWIST = 0.05, 4.0
_STAY_ROTATE, _STAY_DRAWN = 2.5, 0.5  # of peptides; between residues that are drawn to favoured regions
_STAY_SURE = 0.2  # of peptides that were judged, for each unit of concentration
_MOST_TWIST = math.radians(25.0)  # of a peptide; 30° is an outlier

_STEPS, _STEPS_AGAIN = 24, 14  # the second where most is relieved already; 12 leave more overlaps
_LISTED = 12  # steps between two searches for near atoms
_MARGIN = 1.0  # Å: how much nearer a pair may come in between
_RATE, _MOMENTUM = 0.6, 0.7  # rounding grows tenfold every few steps where the rate is 0.8
_SOFT = 5.0  # Å² per rad²: no joint is taken for softer than this
_LONGEST = 0.2  # rad in one step
_DEEP = 1.2  # Å of overlap at which a structure is not done; a bond through a ring is deeper
_AGAIN = 3  # more rounds for such structures, at most
_LANES = 64  # floats that every vector register divides


@dataclass
class OverlapCounts:
    """Residues with atoms more than 1.2 Å too near to others, bonds through rings among them.

    Attributes
    ----------
    built, relieved, reselected : int
        As the model built them, after the first descent, and after all rounds of reselection.
    """

    built: int = 0
    relieved: int = 0
    reselected: int = 0

    def add(self, other: OverlapCounts) -> None:
        """Count what another one has counted."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@torch.no_grad()
def relieve(draft: TorsionStructures, tally: OverlapCounts | None = None) -> TorsionStructures:
    """Turn peptides and side chains until atoms do not overlap and backbones are not bent.

    Descends on the squared overlaps of all heavy atoms, images across periodic
    boxes included, the bend of N-CA-C and the distance of phi and psi from
    their favoured regions, with each joint held near the model's answer: peptides
    the firmer, the surer their rotation is, and the less phi and psi beside them are drawn to those regions.
    In structures left with deep overlaps, the side chains that take part get another
    rotameric state, and the descent goes on, for a few rounds and as long as that helps.
    A ``tally`` is added to.

    Returns
    -------
    TorsionStructures
        Cα, and residues with nothing to relieve, unchanged to the bit; bond lengths,
        rings and handedness kept. A structure does not depend on the others.
    """
    relieved, built, deep = _descend(draft, _STEPS)
    first = deep
    left = [number for number, depth in enumerate(_totals(deep, draft.sizes)) if depth > 0]
    for _ in range(_AGAIN):
        if not left:
            break
        before = relieved.pick(left)
        trouble = deep[relieved.rows(left)]
        part, _, now = _descend(reselect(before, trouble > 0), _STEPS_AGAIN)
        depths = _totals(trouble, part.sizes), _totals(now, part.sizes)
        better = [number for number, (old, new) in enumerate(zip(*depths, strict=True)) if new < old]
        if not better:
            break
        chosen = [left[number] for number in better]
        relieved = relieved.put(chosen, part.pick(better))
        deep = deep.index_copy(0, relieved.rows(chosen), now[part.rows(better)])
        left = [left[number] for number in better if depths[1][number] > 0]
    if tally is not None:
        tally.built += int((built > 0).sum())
        tally.relieved += int((first > 0).sum())
        tally.reselected += int((deep > 0).sum())
    return relieved


def _totals(values: Float[Tensor, "L"], sizes: list[int]) -> list[float]:
    """Sum over each structure."""
    return [float(part.sum()) for part in values.cpu().split(sizes)]


def _descend(
    draft: TorsionStructures, steps: int
) -> tuple[TorsionStructures, Float[Tensor, "L"], Float[Tensor, "L"]]:
    """The draft after some steps, and how deep (Å) each residue's atoms overlapped with others, and still do.

    Each joint's step is its slope over its stiffness, with momentum.
    """
    length = len(draft)
    # As many residues as fill vector registers, one more at least: the last few would be computed one
    # by one, which rounds differently, and bytes would depend on a structure's place in the batch.
    rows = torch.arange((length // _LANES + 1) * _LANES, device=draft.ca.device).clamp(max=length - 1)
    padded = draft.residues(rows)
    linkage, strain = TorsionKinematics.of(padded), BackboneStrain.of(padded)
    stay = linkage.free * linkage.free.new_tensor([1.0, _STAY_TWIST, *4 * [_STAY_CHI]])[:, None]
    sure = padded.concentration
    firm = _STAY_ROTATE if sure is None else _STAY_SURE * sure
    stay[ROTATE] *= firm + (_STAY_DRAWN - firm) * _between(padded)
    turn = torch.zeros_like(stay)
    # A decoder may twist a peptide further; then it stays, but goes no further still.
    twist = padded.internal.twist
    room = (-_MOST_TWIST - twist).clamp(max=0.0), (_MOST_TWIST - twist).clamp(min=0.0)
    speed, built, first = turn, linkage.start, turn[0]
    for step in range(steps):
        if step % _LISTED == 0:
            contacts = Contacts.of(built, padded, _MARGIN)
            first = contacts.deep(built, _DEEP)[:length] if step == 0 else first
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
    deep = Contacts.of(built, padded, -_DEEP).deep(built, _DEEP)[:length]
    atoms = built[..., :length].permute(2, 1, 0).contiguous()
    relieved = replace(draft, atoms=atoms, internal=_turned(draft.internal, turn[:, :length]))
    return relieved, first, deep


def _between(draft: TorsionStructures) -> Float[Tensor, "L"]:
    """How much the residues of each peptide are drawn to favoured regions, the more drawn of the two."""
    drawn = draft.drawn if draft.drawn is not None else torch.ones_like(draft.ca[:, 0])
    return torch.maximum(drawn, drawn.roll(-1))


def _turned(internal: InternalCoordinates, turn: Float[Tensor, "6 L"]) -> InternalCoordinates:
    """Internal coordinates after their joints have turned."""
    torsions, joints = internal.torsions.clone(), [ROTATION, *range(PSI_END + 1, N_TORSIONS)]
    angles = turn[[ROTATE, 2, 3, 4, 5]].T
    cos, sin = torch.cos(angles), torch.sin(angles)
    x, y = torsions[:, joints].unbind(-1)
    torsions[:, joints] = torch.stack([x * cos - y * sin, y * cos + x * sin], dim=-1)
    return InternalCoordinates(torsions, internal.twist + turn[TWIST], internal.bends)
