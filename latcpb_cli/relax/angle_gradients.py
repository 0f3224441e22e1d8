"""Bond angles and torsions with their gradients, for arrays with coordinates on the first axis."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.geometry.vectors_first import cross, dot

__all__ = ["angle_gradient", "torsion_gradient"]


def angle_gradient(ends: Float[Tensor, "3 2 n"]) -> tuple[Float[Tensor, "n"], Float[Tensor, "3 2 n"]]:
    """Return the angle (rad) between two vectors from one apex, and its gradients on their ends (rad/Å)."""
    length = torch.sqrt(dot(ends, ends) + 1e-8)
    ends = ends / length
    cos = dot(ends[:, 0], ends[:, 1]).clamp(-0.999, 0.999)
    sin = torch.sqrt(1.0 - cos * cos)
    return torch.acos(cos), (cos * ends - ends.flip(1)) / (sin * length)


def torsion_gradient(
    ends: Float[Tensor, "3 2 *n"], axis: Float[Tensor, "3 *n"]
) -> tuple[Float[Tensor, "*n"], Float[Tensor, "3 2 *n"], Float[Tensor, "3 *n"]]:
    """Return torsions a-b-c-d and their gradients.

    The formulas are those of Blondel and Karplus, J. Comput. Chem. 17, 1132 (1996).

    Parameters
    ----------
    ends
        Vectors a - b and d - c, Å.
    axis
        Vectors b - c, Å.

    Returns
    -------
    torsion : Tensor
        rad.
    on_ends : Tensor
        Gradients on a and d, rad/Å.
    on_second : Tensor
        Gradient on b, rad/Å; that on c makes their sum zero.
    """
    length, normals = torch.sqrt(dot(axis, axis) + 1e-8), cross(ends, axis[:, None])
    first, second = normals.unbind(1)
    torsion = torch.atan2(length * dot(first, ends[:, 1]), dot(first, second))
    normals = normals / (dot(normals, normals) + 1e-6)
    along_first, along_second = (dot(ends, axis[:, None]) / length * normals).unbind(1)
    on_ends = torch.stack([-length, length]) * normals
    return torsion, on_ends, along_first - along_second - on_ends[:, 0]
