"""Atoms that come too near to each other, and what drives them apart (layer 4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.residues import ELEMENTS, LETTERS, OXT_SLOT, VDW_RADIUS, slot_mask
from latcpb_cli.metrics.bonds import bond_steps, element_index
from latcpb_cli.metrics.pairs import close_pairs
from latcpb_cli.model.graph import Graph

__all__ = ["Contacts"]

_ALLOWED = 0.2  # Å of van der Waals overlap that is left alone; 0.4 counts as a clash
_POLAR = 2.6  # Å: hydrogen bonds between N and O
_SULFUR = 2.0  # Å: disulfides
_BRIDGE = 3.0  # Å: two SG nearer than this are taken for a disulfide
_EXCLUDED = 3  # bonds between atoms that do not repel each other
_RAMP = 0.2  # Å of overlap at which a pair has its full stiffness
_NEAREST = 0.3  # Å: nearer than this, direction is noise, and force does not grow
_N, _C, _SG, _CYS = 0, 2, 5, LETTERS.index("C")


@dataclass(frozen=True, eq=False)
class Contacts:
    """Pairs of atoms that could come to overlap.

    Attributes
    ----------
    one, two : numbers in atoms (15, L) flattened, (P,)
    reach, limit : distance below which they repel each other, Å, and its square, (P,)
    """

    one: Int[Tensor, "P"]
    two: Int[Tensor, "P"]
    reach: Float[Tensor, "P"]
    limit: Float[Tensor, "P"]

    @classmethod
    def of(cls, atoms: Float[Tensor, "3 15 L"], graph: Graph, sizes: list[int], margin: float) -> Contacts:
        """List the pairs of each structure that are within reach and ``margin`` (Å).

        ``sizes`` are the residues per structure; structures do not see each other.
        """
        types, linked = graph.types.cpu().numpy(), graph.linked.cpu().numpy()
        points = atoms.permute(2, 1, 0).cpu().numpy()
        there = slot_mask()[types]
        there[:, OXT_SLOT] = ~linked
        residue, slot = np.nonzero(there)
        points = points[there]
        kind = element_index()[types[residue], slot]
        ends = np.searchsorted(residue, np.cumsum([0, *sizes]))
        found = []
        for start, stop in zip(ends[:-1], ends[1:], strict=True):
            first, second, distance = close_pairs(points[start:stop], float(_reach().max()) + margin)
            found.append((first + start, second + start, distance))
        one, two, distance = (np.concatenate(part) for part in zip(*found, strict=True))
        reach = _reach()[kind[one], kind[two]]
        near = distance < reach + margin
        one, two, reach = one[near], two[near], reach[near]
        sulfur = atoms[:, _SG].T.cpu().numpy()
        apart = _apart(types, linked, sulfur, (residue[one], slot[one]), (residue[two], slot[two]))
        place = slot * len(types) + residue
        atom = [torch.from_numpy(place[x[apart]]).to(atoms.device) for x in (one, two)]
        limits = torch.from_numpy(reach[apart]).to(atoms.device, atoms.dtype)
        return cls(atom[0], atom[1], limits, limits * limits)

    def push(self, atoms: Float[Tensor, "3 15 L"]) -> tuple[Float[Tensor, "3 15 L"], Float[Tensor, "15 L"]]:
        """Slope (Å) and stiffness on each atom, of the sum of all squared overlaps."""
        flat = atoms.flatten(1)
        step = flat.index_select(1, self.one) - flat.index_select(1, self.two)
        x, y, z = step * step
        # Not a sum over an axis, which rounds by where in the list a pair stands.
        squared = x + y + z
        hit = torch.nonzero(squared < self.limit).squeeze(1)
        distance = squared[hit].sqrt().clamp(min=_NEAREST)
        force = (self.reach[hit] / distance - 1.0) * -2.0 * step[:, hit]
        ends = torch.cat([self.one[hit], self.two[hit]])
        # Ramps, not steps: a pair at its reach must not decide by rounding how far joints turn.
        stiff = ((self.reach[hit] - distance) * (2.0 / _RAMP)).clamp(max=2.0)
        parts = [*torch.cat([force, -force], dim=1), stiff.repeat(2)]
        sums = [torch.zeros_like(flat[0]).index_add_(0, ends, part) for part in parts]
        return torch.stack(sums[:3]).view_as(atoms), sums[3].view(atoms.shape[1:])


Atoms = tuple[np.ndarray, np.ndarray]


def _apart(types: np.ndarray, linked: np.ndarray, sulfur: np.ndarray, one: Atoms, two: Atoms) -> np.ndarray:
    """Which pairs are joined by more than a few bonds; an atom is its residue and slot."""
    table = bond_steps()
    (first, slot), (second, other) = one, two
    apart = np.ones(len(first), dtype=bool)
    own = np.flatnonzero(first == second)
    apart[own] = table[types[first[own]], slot[own], other[own]] > _EXCLUDED
    next_ = np.flatnonzero((second == first + 1) & linked[first])
    apart[next_] = _through(table, types, (first[next_], slot[next_], _C), (second[next_], other[next_], _N))
    cysteine = types == _CYS
    both = np.flatnonzero(cysteine[first] & cysteine[second] & (first != second))
    bridged = both[((sulfur[first[both]] - sulfur[second[both]]) ** 2).sum(-1) < _BRIDGE**2]
    apart[bridged] &= _through(
        table, types, (first[bridged], slot[bridged], _SG), (second[bridged], other[bridged], _SG)
    ) | ((slot[bridged] == _SG) & (other[bridged] == _SG))
    return apart


def _through(table: np.ndarray, types: np.ndarray, one: tuple, two: tuple) -> np.ndarray:
    """Whether a bond between two gate atoms leaves a pair more than a few bonds apart."""
    steps = [table[types[residue], slot, gate].astype(np.int64) for residue, slot, gate in (one, two)]
    return steps[0] + 1 + steps[1] > _EXCLUDED


@cache
def _reach() -> np.ndarray:
    """Distance (Å) below which two elements repel each other: (4, 4)."""
    radius = np.array([VDW_RADIUS[element] for element in ELEMENTS])
    reach = radius[:, None] + radius - _ALLOWED
    polar = np.array([element in "NO" for element in ELEMENTS])
    reach[np.ix_(polar, polar)] = _POLAR
    sulfur = ELEMENTS.index("S")
    reach[sulfur, sulfur] = _SULFUR
    return reach
