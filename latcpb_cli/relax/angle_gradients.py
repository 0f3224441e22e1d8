"""Bond angles and torsions with their gradients, for arrays with coordinates on the first axis."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.geometry.vectors_first import cross, dot

__all__ = ["angle_gradient", "torsion_gradient"]

Vectors = Float[Tensor, "3 *n"]
Scalars = Float[Tensor, "*n"]


def angle_gradient(ends: Float[Tensor, "3 2 n"]) -> tuple[Float[Tensor, "n"], Float[Tensor, "3 2 n"]]:
    """Return the angle (rad) between two vectors from one apex, and its gradients on their ends (rad/Å)."""
    length = torch.sqrt(dot(ends, ends) + 1e-8)
    ends = ends / length
    cos = dot(ends[:, 0], ends[:, 1]).clamp(-0.999, 0.999)
    sin = torch.sqrt(1.0 - cos * cos)
    return torch.acos(cos), (cos * ends - ends.flip(1)) / (sin * length)


def torsion_gradient(
    a: Vectors, b: Vectors, c: Vectors, d: Vectors
) -> tuple[Scalars, Vectors, Vectors, Vectors, Vectors]:
    """Return the torsion a-b-c-d (rad) and its gradient on each atom (rad/Å).

    The formulas are those of Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996).
    """
    g, ends = b - c, torch.stack([a - b, d - c], dim=1)
    length, normals = torch.sqrt(dot(g, g) + 1e-8), cross(ends, g[:, None])
    normal_1, normal_2 = normals.unbind(1)
    torsion = torch.atan2(dot(cross(normal_2, normal_1), g) / length, dot(normal_1, normal_2))
    normals = normals / (dot(normals, normals) + 1e-6)
    along_1, along_2 = (dot(ends, g[:, None]) / length * normals).unbind(1)
    middle = along_1 - along_2
    on_a, on_d = (length * normals).unbind(1)
    return torsion, -on_a, on_a + middle, -on_d - middle, on_d
