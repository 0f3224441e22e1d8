"""Bond angles and torsions with their gradients, for arrays with coordinates on the first axis."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.geometry.vectors_first import cross, dot

__all__ = ["angle_gradient", "torsion_gradient"]

Vectors = Float[Tensor, "3 *n"]
Scalars = Float[Tensor, "*n"]


def angle_gradient(u: Vectors, v: Vectors) -> tuple[Scalars, Vectors, Vectors]:
    """Return the angle (rad) between two vectors from one apex, and its gradients on their ends (rad/Å)."""
    length_u, length_v = torch.sqrt(dot(u, u) + 1e-8), torch.sqrt(dot(v, v) + 1e-8)
    u, v = u / length_u, v / length_v
    cos = dot(u, v).clamp(-0.999, 0.999)
    sin = torch.sqrt(1.0 - cos * cos)
    return torch.acos(cos), (cos * u - v) / (sin * length_u), (cos * v - u) / (sin * length_v)


def torsion_gradient(
    a: Vectors, b: Vectors, c: Vectors, d: Vectors
) -> tuple[Scalars, Vectors, Vectors, Vectors, Vectors]:
    """Return the torsion a-b-c-d (rad) and its gradient on each atom (rad/Å).

    The formulas are those of Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996).
    """
    f, g, h = a - b, b - c, d - c
    normal_1, normal_2 = cross(f, g), cross(h, g)
    squared_1, squared_2 = dot(normal_1, normal_1) + 1e-6, dot(normal_2, normal_2) + 1e-6
    length = torch.sqrt(dot(g, g) + 1e-8)
    torsion = torch.atan2(dot(cross(normal_2, normal_1), g) / length, dot(normal_1, normal_2))
    normal_1, normal_2 = normal_1 / squared_1, normal_2 / squared_2
    middle = dot(f, g) / length * normal_1 - dot(h, g) / length * normal_2
    on_b, on_c = length * normal_1 + middle, -length * normal_2 - middle
    return torsion, -length * normal_1, on_b, on_c, length * normal_2
