"""How atoms follow the joints of a chain, and joints the slopes on its atoms.

A chain on fixed Cα has three kinds of joint: each peptide turns about its
Cα-Cα axis and may twist a little, and each chi turns what lies beyond it. A
side chain rides on N and C of its residue. Everything else is rigid, so bond
lengths, rings and handedness cannot change. Slopes are carried back to the
joints by torques, which costs less than automatic differentiation.

Arrays here are (3, slots, L): coordinates first and residues last, where
arithmetic on many small vectors is several times faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.chem.bonds import FAR, bond_steps
from latcpb_cli.chem.internal import chi_mask, chi_slots
from latcpb_cli.chem.residues import LETTERS, N_SLOTS
from latcpb_cli.geometry.codec import ROTATION
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.geometry.peptide import axis_frame, is_cis, peptide_atoms
from latcpb_cli.geometry.vectors_first import cross, dot, spin, unit
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["ROTATE", "TWIST", "TorsionKinematics"]

ROTATE, TWIST, CHI = 0, 1, slice(2, 6)
"""Joints: rotation and twist of the peptide to the next residue, chi 1-4; radians from the start."""
_N, _CA, _C, _O, _SIDE, _OXT = 0, 1, 2, 3, slice(4, 14), 14
_MOVED = (slice(5, 14), slice(6, 14), slice(7, 11), slice(8, 11))
"""Slots that chi 1-4 can turn in any residue type."""
_PRO = LETTERS.index("P")
_NODES = (-0.6, -0.3, 0.0, 0.3, 0.6)
_RIDE = 0.1
"""Square of how far a side chain turns when its peptide turns by 1 rad, about."""


@dataclass(frozen=True, eq=False)
class TorsionKinematics:
    """The joints of L residues and what hangs on them.

    Attributes
    ----------
    start : atoms before anything moves, Å, (3, 15, L)
    linked, before : a peptide joins i to i+1, i-1 to i, (L,)
    proline : (L,)
    frame : axis, across and side of each peptide at the start, each (3, L)
    shape : C, O and N of each peptide in that frame as a polynomial of its twist, (5, 3, 3, L)
    rate : its derivative, (4, 3, 3, L)
    side : side-chain atoms as their residue sees them, Å, (3, 10, L)
    axes : rows of (15, L) flattened, of the two atoms about which each chi turns, (8 L,)
    beyond, weight : what each chi turns, and the same as 0 and 1, (4, 15, L)
    free : joints that are there, (6, L)
    """

    start: Float[Tensor, "3 15 L"]
    linked: Bool[Tensor, "L"]
    before: Bool[Tensor, "L"]
    proline: Bool[Tensor, "L"]
    frame: tuple[Float[Tensor, "3 L"], Float[Tensor, "3 L"], Float[Tensor, "3 L"]]
    shape: Float[Tensor, "5 3 3 L"]
    rate: Float[Tensor, "4 3 3 L"]
    side: Float[Tensor, "3 10 L"]
    axes: Int[Tensor, "M"]
    beyond: Bool[Tensor, "4 15 L"]
    weight: Float[Tensor, "4 15 L"]
    free: Float[Tensor, "6 L"]

    @classmethod
    def of(cls, draft: TorsionStructures) -> TorsionKinematics:
        """Take the joints of atoms that were decoded from internal coordinates."""
        atoms = draft.atoms
        start = atoms.permute(2, 1, 0).contiguous()
        axes, beyond, chis = (table[draft.types] for table in _chi_tables(atoms.device))
        linked, before = draft.linked, linked_before(draft.linked)
        proline = draft.types == _PRO
        cos, sin = draft.internal.torsions[:, ROTATION].T
        axis, reference, third = axis_frame(draft.ca, draft.linked).permute(1, 2, 0).contiguous()
        frame = (axis, cos * reference + sin * third, cos * third - sin * reference)
        arms = start - start[:, _CA, None]
        ride = _ride(arms[:, _N], arms[:, _C], proline)
        side = torch.stack([(row[:, None] * arms[:, _SIDE]).sum(0) for row in ride])
        free = torch.cat([torch.stack([linked, linked]), chis.T]).to(atoms.dtype)
        rows = axes.permute(2, 1, 0) * len(atoms) + torch.arange(len(atoms), device=atoms.device)
        shape = _shapes(draft)
        rate = shape[1:] * torch.arange(1, len(shape)).to(shape)[:, None, None, None]
        beyond = beyond.permute(1, 2, 0).contiguous()
        hung = side, rows.flatten(), beyond, beyond.to(start)
        return cls(start, linked, before, proline, frame, shape, rate, *hung, free)

    def build(self, turn: Float[Tensor, "6 L"]) -> Float[Tensor, "3 15 L"]:
        """Atoms (Å) after each joint has turned (rad)."""
        cos, sin = torch.cos(turn), torch.sin(turn)
        ca, arms = self.start[:, _CA], self.start - self.start[:, _CA, None]
        axis, across, side = self._turned_frame(cos[ROTATE], sin[ROTATE])
        local = _polynomial(self.shape, turn[TWIST])
        plane = axis[:, None] * local[0] + across[:, None] * local[1] + side[:, None] * local[2]
        # Chain ends hang on the only peptide they have.
        head = torch.where(self.linked, spin(arms[:, _N], axis, cos[ROTATE], sin[ROTATE]), arms[:, _N])
        last = [x.roll(1, -1) for x in (axis, cos[ROTATE], sin[ROTATE])]
        tail = arms[:, [_C, _O, _OXT]]
        tail = torch.where(self.before, spin(tail, last[0][:, None], *last[1:]), tail)
        n_ahead = (plane[:, 2] + ca).roll(1, -1) - ca
        n = torch.where(self.before, n_ahead, head)
        c_o = torch.where(self.linked, plane[:, :2], tail[:, :2])
        oxt = torch.where(self.linked, 0.0, tail[:, 2])
        ride = _ride(n, c_o[:, 0], self.proline)
        chain = self._turned_chain(cos[CHI], sin[CHI])
        chain = ride[0][:, None] * chain[0] + ride[1][:, None] * chain[1] + ride[2][:, None] * chain[2]
        parts = [n[:, None], torch.zeros_like(n)[:, None], c_o, chain, oxt[:, None]]
        return torch.cat(parts, dim=1) + ca[:, None]

    def _turned_frame(self, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        axis, across, side = self.frame
        return axis, cos * across + sin * side, cos * side - sin * across

    def _turned_chain(self, cos: Float[Tensor, "4 L"], sin: Float[Tensor, "4 L"]) -> Float[Tensor, "3 10 L"]:
        """Side chains after their chi turned, the outermost first, so that axes are those of the start."""
        chain = torch.cat([torch.zeros_like(self.side[:, :4]), self.side], dim=1)
        low, high = self._axis_ends(chain)
        axis = unit(high - low)
        for chi in (3, 2, 1, 0):
            moved = _MOVED[chi]
            pivot = low[:, chi, None]
            turned = pivot + spin(chain[:, moved] - pivot, axis[:, chi, None], cos[chi], sin[chi])
            chain[:, moved] = torch.where(self.beyond[chi, moved], turned, chain[:, moved])
        return chain[:, 4:]

    def moved(self, turn: Float[Tensor, "6 L"]) -> Bool[Tensor, "L"]:
        """Residues of which some atom has moved."""
        peptide = (turn[:2] != 0).any(0)
        return (turn[CHI] != 0).any(0) | peptide | peptide.roll(1, -1)

    def pull(
        self,
        atoms: Float[Tensor, "3 15 L"],
        slopes: Float[Tensor, "3 15 L"],
        stiff: Float[Tensor, "15 L"],
        turn: Float[Tensor, "6 L"],
    ) -> tuple[Float[Tensor, "6 L"], Float[Tensor, "6 L"]]:
        """Slope of each joint (per rad), and about how stiff it is (per rad²).

        ``slopes`` (per Å) and ``stiff`` (per Å²) are those of an energy on the
        atoms where they stand after ``turn``.
        """
        arms = atoms - atoms[:, _CA, None]
        torques = cross(arms, slopes)
        slope_n, slope_c = self._pull_ride(arms[:, _N], arms[:, _C], torques[:, _SIDE].sum(1))
        slope_n, slope_c = slope_n + slopes[:, _N], slope_c + slopes[:, _C]
        head = cross(arms[:, _N], slope_n)
        tail = cross(arms[:, _C], slope_c) + torques[:, _O] + torques[:, _OXT]
        own = tail + torch.where(self.before, 0.0, head)
        next_ = (head + torch.where(self.linked, 0.0, tail)).roll(-1, -1)
        rotate = dot(self.frame[0], own + next_)
        planes = torch.stack([slope_c, slopes[:, _O], slope_n.roll(-1, -1)], dim=1)
        twist = self._pull_twist(planes, turn)
        ease = self._ease(arms, stiff)
        chis, hold = self._pull_chis(arms, slopes, stiff)
        slope = torch.cat([torch.stack([rotate, twist]), chis])
        return slope * self.free, torch.cat([torch.stack([ease, ease]), hold])

    def _pull_chis(self, arms: Tensor, slopes: Tensor, stiff: Tensor) -> tuple[Tensor, Tensor]:
        low, high = self._axis_ends(arms)
        axis = unit(high - low)
        slope, hold = [], []
        for chi, moved in enumerate(_MOVED):
            lever = cross(axis[:, chi, None], arms[:, moved] - low[:, chi, None])
            beyond = self.weight[chi, moved]
            slope.append((dot(lever, slopes[:, moved]) * beyond).sum(0))
            hold.append((dot(lever, lever) * stiff[moved] * beyond).sum(0))
        return torch.stack(slope), torch.stack(hold)

    def _axis_ends(self, arms: Float[Tensor, "3 s L"]) -> tuple[Tensor, ...]:
        """The two atoms about which each chi turns: (3, 4, L) each."""
        return arms.flatten(1).index_select(1, self.axes).view(3, 2, 4, -1).unbind(1)

    def _pull_ride(self, n: Tensor, c: Tensor, torque: Tensor) -> tuple[Tensor, Tensor]:
        """Slopes on N and C (arms from Cα) that a torque on the side chain comes to."""
        long_n, long_c = (torch.sqrt(dot(x, x) + 1e-8) for x in (n, c))
        u, v = n / long_n, c / long_c
        middle, normal = unit(u + v), unit(cross(u, v))
        across = cross(normal, middle)
        lean = dot(torque, across) / (2 * dot(u, middle).clamp(min=0.1))
        roll = dot(torque, middle) / (2 * dot(v, across).clamp(min=0.1))
        swing = dot(torque, normal)
        for_n = torch.where(self.proline, swing, swing / 2)
        slope_n = (for_n * cross(normal, u) - (lean + roll) * normal) / long_n
        slope_c = ((swing - for_n) * cross(normal, v) + (roll - lean) * normal) / long_c
        return slope_n, slope_c

    def _pull_twist(self, planes: Float[Tensor, "3 3 L"], turn: Tensor) -> Float[Tensor, "L"]:
        frame = self._turned_frame(torch.cos(turn[ROTATE]), torch.sin(turn[ROTATE]))
        rate = _polynomial(self.rate, turn[TWIST])
        return sum((dot(planes, row[:, None]) * part).sum(0) for row, part in zip(frame, rate, strict=True))

    def _ease(self, arms: Tensor, stiff: Tensor) -> Float[Tensor, "L"]:
        """About how stiff the rotation of each peptide is; that of its twist is much the same."""
        axis = self.frame[0]
        squares = dot(arms, arms) * stiff
        riding = _RIDE * squares[_SIDE].sum(0)
        along = dot(arms[:, :4], axis[:, None])
        own = (squares[:4] - along * along * stiff[:4])[[_C, _O]].sum(0)
        ahead = arms[:, _N].roll(-1, -1)
        along_ahead = dot(ahead, axis)
        next_ = (dot(ahead, ahead) - along_ahead * along_ahead) * stiff[_N].roll(-1, -1)
        return own + next_ + riding + riding.roll(-1, -1)


def _ride(n: Tensor, c: Tensor, proline: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of the frame that a side chain rides on; n and c are arms from Cα.

    The codec hangs CB on the bisector of N-CA-C; proline's ring holds on to N.
    """
    u, v = unit(n), unit(c)
    normal = unit(cross(u, v))
    first = torch.where(proline, u, unit(u + v))
    return first, normal, cross(first, normal)


def _shapes(draft: TorsionStructures) -> Float[Tensor, "5 3 3 L"]:
    """C, O and N of each peptide in its own frame, as a polynomial of what is added to its twist."""
    ca, twist = draft.ca, draft.internal.twist
    count, length = len(_NODES), len(twist)
    nodes = twist.new_tensor(_NODES)
    many = ca.repeat(count, 1)
    distance = (ca.roll(-1, 0) - ca).norm(dim=-1)
    cis = is_cis(distance, draft.types.roll(-1, 0)).repeat(count)
    still = torch.eye(3, dtype=many.dtype, device=many.device).expand(len(many), 3, 3)
    onward = many.new_tensor([1.0, 0.0]).expand(len(many), 2)
    atoms = peptide_atoms(many, still, cis, onward, (twist + nodes[:, None]).flatten())
    local = torch.stack([(atom - many).view(count, length, 3) for atom in atoms], dim=1)
    powers = torch.from_numpy(np.linalg.inv(np.vander(_NODES, increasing=True))).to(local)
    return (powers[:, :, None, None, None] * local).sum(1).permute(0, 3, 1, 2).contiguous()


def _polynomial(powers: Float[Tensor, "k 3 3 L"], x: Float[Tensor, "L"]) -> Float[Tensor, "3 3 L"]:
    *lower, value = powers.unbind(0)
    for power in reversed(lower):
        value = value * x + power
    return value


@cache
def _chi_tables(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Slots of the axis of each chi by residue type, what it turns, and whether it is there.

    The two chi of proline are not: its ring is closed.
    """
    slots, steps = chi_slots(), bond_steps()
    turns = chi_mask()
    turns[_PRO] = False
    beyond = np.zeros((20, 4, N_SLOTS), dtype=bool)
    for residue, chi in zip(*np.nonzero(turns), strict=True):
        low, high = slots[residue, chi, 1:3]
        further = (steps[residue, low] < FAR) & (steps[residue, low] > steps[residue, high])
        beyond[residue, chi, _SIDE] = further[_SIDE]
        beyond[residue, chi, high] = False
    axes = np.where(turns[..., None], slots[..., 1:3], [_CA, 4])
    axes_, beyond_, turns_ = (torch.from_numpy(table).to(device) for table in (axes, beyond, turns))
    return axes_, beyond_, turns_
