"""SO(3)-equivariant features of a neighbourhood, in the order of MACE.

First the neighbours are summed into densities per node (radial function times
spherical harmonics times a scalar of the neighbour), then tensor products are
taken once per *node*: the cost does not grow with the neighbours, and the body
order does (Batatia et al. 2022, arXiv:2206.07697).

All irreps are even under parity. Cross products and triple products are then
allowed, and features of a mirror image differ from those of the original.
"""

from __future__ import annotations

import math
from unittest.mock import patch

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latcpb_cli.model.import_stubs import without

# One decorator in e3nn would load all of torch's compiler, which takes two seconds, and harmonics of angles
# would load sympy, which takes half a second; neither is used here.
with (
    patch.object(torch.compiler, "disable", lambda function=None, **_: function or (lambda kept: kept)),
    without("sympy"),
):
    import e3nn
    from e3nn import o3

__all__ = ["Density", "NodeProduct", "harmonics", "irreps"]

# Compiling each product, or ordering its sums, costs a second at start and gains nothing.
e3nn.set_optimization_defaults(jit_script_fx=False, optimize_einsums=False)

_L_MAX = 2
_WIDTH = (_L_MAX + 1) ** 2


def irreps(channels: int) -> o3.Irreps:
    """``channels`` copies of l = 0, 1, 2, all even."""
    return o3.Irreps([(channels, (degree, 1)) for degree in range(_L_MAX + 1)])


def harmonics(vectors: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 9"]:
    """Spherical harmonics l <= 2 of directions; zero vectors give l = 0 only."""
    # e3nn counts axes (y, z, x); any fixed order is a rotation, so it is equivariant as it stands.
    return o3.spherical_harmonics(list(range(_L_MAX + 1)), vectors, normalize=True, normalization="component")


class Density(nn.Module):
    """Sum neighbours into per-node densities A[c, lm] = sum_j R_c(r_ij) s_c(j) Y_lm(ij).

    Parameters
    ----------
    channels : int
        Channels c.
    cutoff : float
        Radius in Å at which the radial functions vanish smoothly.
    """

    def __init__(self, channels: int, cutoff: float, radial: int = 12) -> None:
        super().__init__()
        self.channels, self.cutoff, self.radial = channels, cutoff, radial
        self.radial_mix = nn.Linear(radial, channels, bias=False)

    def forward(
        self,
        vectors: Float[Tensor, "L E 3"],
        scalars: Float[Tensor, "L E C"],
        valid: Bool[Tensor, "L E"],
        angular: Float[Tensor, "L E 9"],
    ) -> Float[Tensor, "L F"]:
        """Densities in the layout of `irreps`; ``vectors`` in Å, ``angular`` their harmonics."""
        distance = vectors.norm(dim=-1).clamp(min=0.5)
        waves = torch.arange(1, self.radial + 1, device=vectors.device) * (math.pi / self.cutoff)
        # Without units and near one at half the cutoff, so that products of densities are, too.
        bessel = torch.sin(distance[..., None] * waves) * (self.cutoff / 2 / distance[..., None])
        fade = torch.where(
            valid, 0.5 + 0.5 * torch.cos(math.pi * (distance / self.cutoff).clamp(max=1.0)), 0.0
        )
        weights = self.radial_mix(bessel) * scalars * fade[..., None]
        summed = torch.bmm(weights.transpose(1, 2), angular)
        pieces = summed.split([2 * degree + 1 for degree in range(_L_MAX + 1)], dim=-1)
        return torch.cat([piece.flatten(1) for piece in pieces], dim=-1) / math.sqrt(valid.shape[1])


class NodeProduct(nn.Module):
    """Channel-wise tensor product of node features with themselves, then a linear map.

    Output irreps are scalars and, for further products, the input's irreps.
    The modules of e3nn hold the weights and define the result; it is computed
    with one matrix product for all paths and one for each degree, since theirs
    are dozens of small operations.
    """

    coupling: Tensor

    def __init__(self, channels: int, scalars: int) -> None:
        super().__init__()
        features = irreps(channels)
        paths: list[tuple[int, int, int, str, bool]] = []
        targets: list[tuple[int, o3.Irrep]] = []
        for i, (_, one) in enumerate(features):
            for j, (_, two) in enumerate(features):
                for out in one * two:
                    if out.l <= _L_MAX:
                        paths.append((i, j, len(targets), "uuu", True))
                        targets.append((channels, out))
        self.product = o3.TensorProduct(features, features, targets, paths)
        self.scalars = o3.Linear(self.product.irreps_out, f"{scalars}x0e")
        self.features = o3.Linear(self.product.irreps_out, features)
        self.paths = [
            [path for path, (_, out) in enumerate(targets) if out.l == degree] for degree in range(_L_MAX + 1)
        ]
        self.register_buffer("coupling", _coupling(self.product, channels, self.paths), persistent=False)

    def forward(self, x: Float[Tensor, "L F"]) -> tuple[Float[Tensor, "L S"], Float[Tensor, "L F"]]:
        """Return invariant scalars and the updated features."""
        channels = x.shape[1] // _WIDTH
        pieces = x.split([channels * (2 * degree + 1) for degree in range(_L_MAX + 1)], dim=1)
        each = torch.cat([piece.unflatten(1, (channels, -1)) for piece in pieces], dim=-1)
        pairs = (each[..., :, None] * each[..., None, :]).flatten(2)
        widths = [(2 * degree + 1) * len(paths) for degree, paths in enumerate(self.paths)]
        products = (pairs @ self.coupling).split(widths, dim=-1)
        mapped = []
        for degree, (product, weights) in enumerate(zip(products, self._maps(), strict=True)):
            rows = product.unflatten(-1, (2 * degree + 1, -1)).transpose(1, 2).flatten(2)
            mapped.append((rows @ weights).transpose(1, 2))
        scalars, first = mapped[0].split([mapped[0].shape[1] - channels, channels], dim=1)
        return scalars.squeeze(-1), x + torch.cat([part.flatten(1) for part in (first, *mapped[1:])], dim=1)

    def _maps(self) -> list[Float[Tensor, "CP out"]]:
        """Weights of product and linear maps together, by degree; in degree 0 those of scalars come first."""
        weights = self.product.weight.view(sum(map(len, self.paths)), -1, 1)
        linear: list[dict[int, Tensor]] = [
            {
                rule.i_in: rule.path_weight * weight
                for _, rule, weight in part.weight_views(yield_instruction=True)
            }
            for part in (self.scalars, self.features)
        ]
        maps = []
        for degree, paths in enumerate(self.paths):
            outs = linear if degree == 0 else linear[1:]
            each = [weights[path] * torch.cat([out[path] for out in outs], dim=1) for path in paths]
            maps.append(torch.stack(each, dim=1).flatten(0, 1))
        return maps


@torch.no_grad()
def _coupling(product: o3.TensorProduct, channels: int, paths: list[list[int]]) -> Float[Tensor, "81 K"]:
    """What each path makes of every product of two components of one channel.

    Columns are ordered by degree, then component, then path.
    """
    units = torch.eye(_WIDTH)
    parts = units.split([2 * degree + 1 for degree in range(_L_MAX + 1)], dim=1)
    rows = torch.cat([part[:, None].expand(-1, channels, -1).flatten(1) for part in parts], dim=1)
    one, two = rows.repeat_interleave(_WIDTH, 0), rows.repeat(_WIDTH, 1)
    made = product(one, two, torch.ones(product.weight_numel))
    found = made.split([irreps.dim for irreps in product.irreps_out], dim=1)
    first = [path.unflatten(1, (channels, -1))[:, 0] for path in found]
    return torch.cat([torch.stack([first[path] for path in some], -1).flatten(1) for some in paths], dim=1)
