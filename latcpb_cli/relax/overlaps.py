"""Atoms that come too near to each other, and what drives them apart."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.chem.bonds import bond_steps, element_index
from latcpb_cli.chem.residues import ELEMENTS, LETTERS, OXT_SLOT, VDW_RADIUS, slot_mask
from latcpb_cli.geometry.masks import found
from latcpb_cli.geometry.pairs import close_pairs, image_shift
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["Contacts", "reach_table"]

_ALLOWED = 0.2  # Å of van der Waals overlap that is left alone; 0.4 counts as a clash
_POLAR = 2.6  # Å: hydrogen bonds between N and O
# The same for atoms four bonds apart, which stand near each other in every helix: a wider
# berth would shift phi and psi of whole proteins.
_ALLOWED_NEAR, _POLAR_NEAR = 0.32, 2.55
_SULFUR, _SULFUR_CARBON = 2.0, 2.9  # Å: SG-SG and SG-CB of a disulfide
_BRIDGE = 3.0  # Å: two SG nearer than this are taken for a disulfide
_EXCLUDED = 3  # bonds between atoms that do not repel each other
_FAR, _BRIDGED = 99, -1
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
    image : what to add to the way from the second to the first, Å, (3, P), where there are periodic boxes
    """

    one: Int[Tensor, "P"]
    two: Int[Tensor, "P"]
    reach: Float[Tensor, "P"]
    limit: Float[Tensor, "P"]
    image: Float[Tensor, "3 P"] | None = None

    @classmethod
    def of(cls, atoms: Float[Tensor, "3 15 L"], draft: TorsionStructures, margin: float) -> Contacts:
        """List the pairs of each structure of a draft that are within reach and ``margin`` (Å).

        ``atoms`` are where the atoms are by now; rows after those of the draft's structures stand for none.
        """
        types, linked = draft.types.cpu().numpy(), draft.linked.cpu().numpy()
        points = atoms.permute(2, 1, 0).cpu().numpy()
        there = slot_mask()[types]
        there[:, OXT_SLOT] = ~linked
        residue, slot = np.nonzero(there)
        kind = element_index()[types[residue], slot]
        cells = None if draft.cells is None else draft.cells.numpy()
        ends = np.searchsorted(residue, np.cumsum([0, *draft.sizes]))
        one, two, shift = _near(points[there], ends, kind, margin, cells)
        sulfur = points[residue[one], _SG] - points[residue[two], _SG]
        sulfur = sulfur if shift is None else sulfur + shift
        steps = _steps(types, linked, sulfur, (residue[one], slot[one]), (residue[two], slot[two]))
        reach = reach_table()[(steps == _EXCLUDED + 1).astype(np.int64), kind[one], kind[two]]
        reach[steps == _BRIDGED] = _SULFUR_CARBON
        apart = (steps > _EXCLUDED) | (steps == _BRIDGED)
        place = slot * len(types) + residue
        atom = [torch.from_numpy(place[x[apart]]).to(atoms.device) for x in (one, two)]
        limits = torch.from_numpy(reach[apart]).to(atoms)
        image = None if shift is None else torch.from_numpy(shift[apart].T).to(atoms).contiguous()
        return cls(atom[0], atom[1], limits, limits * limits, image)

    def _steps_apart(self, flat: Float[Tensor, "3 A"]) -> Float[Tensor, "3 P"]:
        step = flat.index_select(1, self.one) - flat.index_select(1, self.two)
        return step if self.image is None else step + self.image

    def push(self, atoms: Float[Tensor, "3 15 L"]) -> tuple[Float[Tensor, "3 15 L"], Float[Tensor, "15 L"]]:
        """Slope (Å) and stiffness on each atom, of the sum of all squared overlaps."""
        step = self._steps_apart(atoms.flatten(1))
        x, y, z = step * step
        # Not a sum over an axis, which rounds by where in the list a pair stands.
        squared = x + y + z
        hit = found(squared < self.limit)
        distance = squared[hit].sqrt().clamp(min=_NEAREST)
        force = (self.reach[hit] / distance - 1.0) * -2.0 * step[:, hit]
        ends = torch.cat([self.one[hit], self.two[hit]])
        # Ramps, not steps: a pair at its reach must not decide by rounding how far joints turn.
        stiff = ((self.reach[hit] - distance) * (2.0 / _RAMP)).clamp(max=2.0)
        parts = [*torch.cat([force, -force], dim=1), stiff.repeat(2)]
        sums = [torch.zeros_like(atoms[0]).flatten().index_add_(0, ends, part) for part in parts]
        return torch.stack(sums[:3]).view_as(atoms), sums[3].view(atoms.shape[1:])

    def deep(self, atoms: Float[Tensor, "3 15 L"], overlap: float) -> Float[Tensor, "L"]:
        """How much further than ``overlap`` (Å) each residue's atoms overlap with others, all together, Å."""
        x, y, z = self._steps_apart(atoms.flatten(1)) ** 2
        beyond = self.reach - overlap - torch.sqrt(x + y + z)
        hit = found(beyond > 0)
        total = torch.zeros_like(atoms[0, 0])
        for end in (self.one, self.two):
            total.index_add_(0, end[hit] % len(total), beyond[hit])
        return total


Atoms = tuple[np.ndarray, np.ndarray]


def _near(
    points: np.ndarray, ends: np.ndarray, kind: np.ndarray, margin: float, cells: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Pairs of atoms of the same structure within reach and margin, and how far their images are shifted."""
    one, two, shift = [], [], []
    for number, (start, stop) in enumerate(itertools.pairwise(ends)):
        cell = None if cells is None else cells[number]
        first, second, distance = close_pairs(points[start:stop], float(reach_table().max()) + margin, cell)
        first, second = first + start, second + start
        near = distance < reach_table()[0, kind[first], kind[second]] + margin
        one.append(first[near])
        two.append(second[near])
        if cell is not None:
            shift.append(image_shift(points[one[-1]] - points[two[-1]], cell))
    return np.concatenate(one), np.concatenate(two), np.concatenate(shift) if shift else None


def _steps(types: np.ndarray, linked: np.ndarray, sulfur: np.ndarray, one: Atoms, two: Atoms) -> np.ndarray:
    """Bonds between the atoms of each pair (residue and slot), many where they are not joined by a few.

    ``sulfur`` (P, 3) leads from slot SG of the second residue to that of the first, Å.
    """
    table = bond_steps().astype(np.int64)
    (first, slot), (second, other) = one, two
    kind, other_kind = types[first], types[second]
    steps = np.full(len(first), _FAR)
    own = np.flatnonzero(first == second)
    steps[own] = table[kind[own], slot[own], other[own]]
    for gap in (1, 2):
        # Each residue in between adds N-CA-C and a peptide bond.
        joined = linked if gap == 1 else linked & np.roll(linked, -1)
        rows = np.flatnonzero((second == first + gap) & joined[first])
        ends = table[kind[rows], slot[rows], _C] + table[other_kind[rows], other[rows], _N]
        steps[rows] = ends + 3 * gap - 2
    both = np.flatnonzero((kind == _CYS) & (other_kind == _CYS) & (first != second))
    rows = both[(sulfur[both] ** 2).sum(-1) < _BRIDGE**2]
    # Only CB of one and SG of the other come nearer through the bond than atoms elsewhere do.
    crossed = table[_CYS, slot[rows], _SG] + table[_CYS, other[rows], _SG] == 1
    steps[rows[crossed]] = _BRIDGED
    return steps


@cache
def reach_table() -> np.ndarray:
    """Distance (Å) below which elements repel each other, for most pairs and four bonds apart: (2, 4, 4)."""
    radius = np.array([VDW_RADIUS[element] for element in ELEMENTS])
    polar = np.array([element in "NO" for element in ELEMENTS])
    sulfur = ELEMENTS.index("S")
    tables = []
    for allowed, hydrogen_bond in ((_ALLOWED, _POLAR), (_ALLOWED_NEAR, _POLAR_NEAR)):
        reach = radius[:, None] + radius - allowed
        reach[np.ix_(polar, polar)] = hydrogen_bond
        reach[sulfur, sulfur] = _SULFUR
        tables.append(reach)
    return np.array(tables)
