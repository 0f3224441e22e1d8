"""What a backbone does not like: bent N-CA-C angles, phi and psi that proteins avoid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latcpb_cli.backbone.ramachandran_energy import BEND_STIFFNESS, region_slopes
from latcpb_cli.chem.ramachandran import residue_classes
from latcpb_cli.chem.reference import peptide_reference, reference_angle
from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.geometry.links import linked_before
from latcpb_cli.geometry.vectors_first import cross, dot
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["BackboneStrain"]

_N, _CA, _C, _CD = 0, 1, 2, 6
_PRO = LETTERS.index("P")
_STIFF = BEND_STIFFNESS / 2.2  # Å² per Å², for an atom 1.5 Å from the apex
_RAMP = math.radians(2.0)  # deviation beyond the slack at which an angle has its full stiffness
_LANES = 64  # see `relief`
_SLACK = math.radians(5.0)  # what angles may be off at no cost
_REGION_STIFF = 60.0  # Å² per Å², for N and C; steps that are too long here blow rounding up


@dataclass(frozen=True, eq=False)
class BackboneStrain:
    """Angles and regions of L residues.

    Attributes
    ----------
    bent : ideal N-CA-C of each residue, rad, (L,)
    both : 1 where both of its peptides are there, else 0, (L,)
    drawn : how much of the pull to favoured regions each residue feels, 0 to 1, (L,)
    prolines : those after another residue, filled up with the last residue, which is nobody's, (M,)
    region : class of the residue in the maps, (L,)
    """

    bent: Float[Tensor, "L"]
    both: Float[Tensor, "L"]
    drawn: Float[Tensor, "L"]
    prolines: Int[Tensor, "M"]
    region: Int[Tensor, "L"]

    @classmethod
    def of(cls, draft: TorsionStructures) -> BackboneStrain:
        """Look up what each residue wants."""
        types, linked, dtype = draft.types, draft.linked, draft.atoms.dtype
        device, before = types.device, linked_before(linked)
        ideal = torch.from_numpy(reference_angle()[:, _N, _CA, _C]).to(device, dtype)[types]
        proline = types == _PRO
        ahead = (proline.roll(-1, 0) & linked).cpu().numpy()
        region = torch.from_numpy(residue_classes(types.cpu().numpy(), ahead)).to(device)
        prolines = torch.nonzero(proline & before).squeeze(1)
        spare = -len(prolines) % _LANES
        prolines = torch.nn.functional.pad(prolines, (0, spare), value=len(types) - 1)
        both = (linked & before).to(dtype)
        drawn = both if draft.drawn is None else both * draft.drawn
        return cls(ideal, both, drawn, prolines, region)

    def push(self, atoms: Float[Tensor, "3 15 L"], slopes: Tensor, stiff: Tensor) -> None:
        """Add the strain's slopes (per Å) and stiffness (per Å²) to those of other energies."""
        n, ca, c = atoms[:, _N], atoms[:, _CA], atoms[:, _C]
        angle, on_n, on_c = _angle(n - ca, c - ca)
        pull = BEND_STIFFNESS * _beyond(angle - self.bent) * self.both
        slopes[:, _N] += pull * on_n
        slopes[:, _C] += pull * on_c
        weight = _STIFF * (pull.abs() / (BEND_STIFFNESS * _RAMP)).clamp(max=1.0)
        weight = weight + _REGION_STIFF * self.both
        self._push_regions(atoms, slopes)
        stiff[_N] += weight
        stiff[_C] += weight
        self._push_prolines(atoms, slopes, stiff)

    def _push_prolines(self, atoms: Tensor, slopes: Tensor, stiff: Tensor) -> None:
        rows = self.prolines
        n = atoms[:, _N, rows]
        angle, on_c, on_cd = _angle(atoms[:, _C, rows - 1] - n, atoms[:, _CD, rows] - n)
        pull = BEND_STIFFNESS * _beyond(angle - peptide_reference()["PRO C-N-CD"])
        slopes[:, _C, rows - 1] += pull * on_c
        slopes[:, _CD, rows] += pull * on_cd
        slopes[:, _N, rows] -= pull * (on_c + on_cd)
        stiff[_C, rows - 1] += _STIFF * (pull.abs() / (BEND_STIFFNESS * _RAMP)).clamp(max=1.0)

    def _push_regions(self, atoms: Tensor, slopes: Tensor) -> None:
        n, ca, c = atoms[:, _N], atoms[:, _CA], atoms[:, _C]
        # Phi and psi at once: (3, 2, L).
        fourfold = (c.roll(1, -1), n), (n, ca), (ca, c), (c, n.roll(-1, -1))
        angles, *on = _torsion(*(torch.stack(pair, dim=1) for pair in fourfold))
        pull = region_slopes(self.region, angles[0], angles[1]) * self.drawn
        first, second, third, fourth = (pull * part for part in on)
        slopes[:, _C] += first[:, 0].roll(-1, -1) + fourth[:, 0] + third[:, 1]
        slopes[:, _N] += second[:, 0] + first[:, 1] + fourth[:, 1].roll(1, -1)


def _beyond(off: Tensor) -> Tensor:
    """What is left of a deviation after the slack."""
    return off - off.clamp(-_SLACK, _SLACK)


def _angle(u: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Angle (rad) between two arms of one apex, and its slope on the end of each."""
    long_u, long_v = (torch.sqrt(dot(x, x) + 1e-8) for x in (u, v))
    u, v = u / long_u, v / long_v
    cos = dot(u, v).clamp(-0.999, 0.999)
    sin = torch.sqrt(1.0 - cos * cos)
    return torch.acos(cos), (cos * u - v) / (sin * long_u), (cos * v - u) / (sin * long_v)


def _torsion(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Torsion (rad) and its slope on each atom (Blondel & Karplus 1996, doi:10.1002/jcc.540170403)."""
    f, g, h = a - b, b - c, d - c
    one, two = cross(f, g), cross(h, g)
    squares = dot(one, one) + 1e-6, dot(two, two) + 1e-6
    length = torch.sqrt(dot(g, g) + 1e-8)
    torsion = torch.atan2(dot(cross(two, one), g) / length, dot(one, two))
    one, two = one / squares[0], two / squares[1]
    middle = dot(f, g) / length * one - dot(h, g) / length * two
    return torsion, -length * one, length * one + middle, -length * two - middle, length * two
