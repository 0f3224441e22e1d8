"""SO(3)-equivariant features of a neighbourhood, in the order of operations of MACE.

The neighbours of a node are first summed into densities (radial function times spherical harmonics times a
scalar of the neighbour). Tensor products are then taken once per *node*: their cost does not grow with the
number of neighbours, and the body order does (Batatia et al. 2022, arXiv:2206.07697).

All irreps are even under parity. Cross products and triple products are therefore allowed, and the features
of a mirror image differ from those of the original.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple, TypeVar

import e3nn
import torch
from e3nn import o3
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latcpb_cli.model.linear import ConstantLinear

__all__ = ["NeighborDensity", "NodeProduct", "Surroundings", "feature_irreps", "uncompiled_products"]

_L_MAX = 2
_DIMS = [2 * degree + 1 for degree in range(_L_MAX + 1)]
_N_HARMONICS = sum(_DIMS)
_N_RADIAL = 12
_MIN_DISTANCE = 0.5
"""Å; radial functions of shorter distances are those of this one, which keeps their gradients finite."""

_Module = TypeVar("_Module", bound=nn.Module)


@contextmanager
def uncompiled_products() -> Iterator[None]:
    """Let e3nn build products as plain torch modules in this context, and restore its defaults.

    Compiling a product and optimising its einsums takes a second at start-up. Neither makes the models of
    this package faster: `NodeProduct` evaluates its products by matrix products of its own.
    """
    defaults = e3nn.get_optimization_defaults()
    e3nn.set_optimization_defaults(jit_script_fx=False, optimize_einsums=False)
    try:
        yield
    finally:
        e3nn.set_optimization_defaults(**defaults)


def feature_irreps(channels: int) -> o3.Irreps:
    """Return ``channels`` copies of l = 0, 1, 2, all even under parity."""
    return o3.Irreps([(channels, (degree, 1)) for degree in range(_L_MAX + 1)])


class Surroundings(NamedTuple):
    """J points around each of L nodes, expanded in radial functions and spherical harmonics.

    Attributes
    ----------
    radial : Tensor, shape (L, J, 12)
        Radial functions of the distance of each point; zeros for points that do not exist.
    harmonics : Tensor, shape (L, J, 9)
        Spherical harmonics l <= 2 of the direction; a point at its node has l = 0 only.
    """

    radial: Float[Tensor, "L J 12"]
    harmonics: Float[Tensor, "L J 9"]

    @classmethod
    def expand(
        cls, vectors: Float[Tensor, "L J 3"], mask: Bool[Tensor, "L J"], cutoff: float
    ) -> Surroundings:
        """Expand points.

        Parameters
        ----------
        vectors
            From each node to the points around it, Å.
        mask
            Which of the points exist.
        cutoff
            Distance in Å at which the radial functions vanish smoothly.
        """
        # e3nn orders axes (y, z, x), a rotation of (x, y, z): features are equivariant as they are.
        harmonics: Tensor = o3.spherical_harmonics(
            list(range(_L_MAX + 1)), vectors, normalize=True, normalization="component"
        )
        distance = vectors.norm(dim=-1).clamp(min=_MIN_DISTANCE)
        frequencies = torch.arange(1, _N_RADIAL + 1, device=vectors.device) * (math.pi / cutoff)
        envelope = 0.5 + 0.5 * torch.cos(math.pi * (distance / cutoff).clamp(max=1.0))
        # Bessel functions, dimensionless and near one at half the cutoff, so that products of densities are
        # near one, too.
        amplitude = mask * envelope * (cutoff / 2 / distance)
        return cls(torch.sin(distance[..., None] * frequencies) * amplitude[..., None], harmonics)


class NeighborDensity(nn.Module):
    """Sum neighbours into densities of a node, A[c, lm] = sum_j R_c(r_ij) s_c(j) Y_lm(ij).

    Parameters
    ----------
    channels : int
        Number of channels c.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.radial_mix = nn.Linear(_N_RADIAL, channels, bias=False)

    def forward(
        self, surroundings: Surroundings, scalars: Float[Tensor, "L J channels"]
    ) -> Float[Tensor, "L features"]:
        """Return densities in the layout of `feature_irreps`.

        Parameters
        ----------
        surroundings
            J points around each node.
        scalars
            Features of these points.
        """
        radial, harmonics = surroundings
        weights = self.radial_mix(radial) * scalars
        summed = torch.bmm(weights.transpose(1, 2), harmonics)
        degrees = torch.split(summed, _DIMS, dim=-1)
        return torch.cat([degree.flatten(1) for degree in degrees], dim=-1) / math.sqrt(radial.shape[1])


class NodeProduct(nn.Module):
    """Channel-wise tensor product of node features with themselves, then a linear map.

    The outputs are scalars and, for further products, features with the irreps of the input. The modules of
    e3nn hold the weights and define the result. It is computed by one matrix product for all paths and one
    for each degree, because the modules of e3nn would run dozens of small operations.

    Parameters
    ----------
    channels : int
        Channels of the features.
    n_scalars : int
        Scalars of the output.
    """

    def __init__(self, channels: int, n_scalars: int) -> None:
        super().__init__()
        maps = _maps(channels, n_scalars)
        self.product, self.scalars, self.features = (_with_own_tensors(each) for each in maps.modules)
        self.paths = maps.paths
        self.coupling = ConstantLinear(maps.coupling.T.contiguous())

    def forward(
        self, x: Float[Tensor, "L features"], *, update: bool = True
    ) -> tuple[Float[Tensor, "L scalars"], Float[Tensor, "L features"]]:
        """Return invariant scalars and the updated features; the features as they are without ``update``."""
        products, weights, n_scalars = self._products(x), self._weights(), self.scalars.irreps_out.dim
        mapped = _map(products[0], weights[0])
        scalars = mapped[:, :n_scalars].squeeze(-1)
        if not update:
            return scalars, x
        updates = [mapped[:, n_scalars:], *map(_map, products[1:], weights[1:])]
        return scalars, x + torch.cat([part.flatten(1) for part in updates], dim=1)

    def _products(self, x: Float[Tensor, "L features"]) -> list[Float[Tensor, "L channels dim paths"]]:
        """Products of all paths, by degree."""
        channels = x.shape[1] // _N_HARMONICS
        degrees = torch.split(x, [channels * dim for dim in _DIMS], dim=1)
        components = torch.cat([part.view(len(x), channels, -1) for part in degrees], dim=-1)
        pairs = (components[..., :, None] * components[..., None, :]).flatten(2)
        widths = [dim * len(paths) for dim, paths in zip(_DIMS, self.paths, strict=True)]
        products = torch.split(self.coupling(pairs), widths, dim=-1)
        return [part.view(*part.shape[:2], dim, -1) for part, dim in zip(products, _DIMS, strict=True)]

    def _weights(self) -> list[Float[Tensor, "inputs outputs"]]:
        """Weights of product times those of linear maps, by degree; in degree 0 the scalars come first."""
        weights = self.product.weight.view(sum(map(len, self.paths)), -1, 1)
        linear: list[dict[int, Tensor]] = [
            {
                instruction.i_in: instruction.path_weight * weight
                for _, instruction, weight in part.weight_views(yield_instruction=True)
            }
            for part in (self.scalars, self.features)
        ]
        combined = []
        for degree, paths in enumerate(self.paths):
            maps = linear if degree == 0 else linear[1:]
            by_path = [weights[path] * torch.cat([each[path] for each in maps], dim=1) for path in paths]
            combined.append(torch.stack(by_path, dim=1).flatten(0, 1))
        return combined


def _map(
    product: Float[Tensor, "L channels dim paths"], weights: Float[Tensor, "inputs outputs"]
) -> Float[Tensor, "L outputs dim"]:
    """Mix the channels and paths of one degree."""
    return (product.transpose(1, 2).flatten(2) @ weights).transpose(1, 2)


class _Maps(NamedTuple):
    """Product and linear maps of e3nn to copy; paths by degree of their output, and their coefficients."""

    modules: tuple[o3.TensorProduct, o3.Linear, o3.Linear]
    paths: list[list[int]]
    coupling: Tensor


@cache
def _maps(channels: int, n_scalars: int) -> _Maps:
    """Build the maps of a `NodeProduct`; the state of the random generator is unchanged."""
    irreps = feature_irreps(channels)
    paths: list[tuple[int, int, int, str, bool]] = []
    outputs: list[tuple[int, o3.Irrep]] = []
    for i, (_, first) in enumerate(irreps):
        for j, (_, second) in enumerate(irreps):
            for irrep in first * second:
                if irrep.l <= _L_MAX:
                    paths.append((i, j, len(outputs), "uuu", True))
                    outputs.append((channels, irrep))
    with uncompiled_products(), torch.random.fork_rng(devices=[]):
        product = o3.TensorProduct(irreps, irreps, outputs, paths)
        scalars = o3.Linear(product.irreps_out, f"{n_scalars}x0e")
        features = o3.Linear(product.irreps_out, irreps)
    by_degree = [
        [path for path, (_, irrep) in enumerate(outputs) if irrep.l == degree] for degree in range(_L_MAX + 1)
    ]
    return _Maps((product, scalars, features), by_degree, _coupling(product, channels, by_degree))


def _with_own_tensors(module: _Module) -> _Module:
    """Copy a module, with new random weights and constants of its own.

    The copies share the code that e3nn generates. To generate it for each layer, as a deep copy would, takes
    half of the time in which a model is built.
    """
    copied = object.__new__(type(module))
    vars(copied).update(vars(module))
    parameters, buffers = module._parameters.items(), module._buffers.items()
    copied._parameters = {
        name: None if value is None else nn.Parameter(torch.randn_like(value)) for name, value in parameters
    }
    copied._buffers = {name: None if value is None else value.clone() for name, value in buffers}
    copied._modules = {
        name: None if child is None else _with_own_tensors(child) for name, child in module._modules.items()
    }
    return copied


@torch.no_grad()
def _coupling(
    product: o3.TensorProduct, channels: int, paths: list[list[int]]
) -> Float[Tensor, "81 columns"]:
    """Coefficients of all paths for every product of two components of one channel.

    Columns are ordered by degree, then component, then path.
    """
    unit_vectors = torch.split(torch.eye(_N_HARMONICS), _DIMS, dim=1)
    inputs = torch.cat([part[:, None].expand(-1, channels, -1).flatten(1) for part in unit_vectors], dim=1)
    first, second = inputs.repeat_interleave(_N_HARMONICS, 0), inputs.repeat(_N_HARMONICS, 1)
    products = product(first, second, torch.ones(product.weight_numel))
    by_path = torch.split(products, [irreps.dim for irreps in product.irreps_out], dim=1)
    columns = [part.view(len(part), channels, -1)[:, 0] for part in by_path]
    by_degree = [torch.stack([columns[path] for path in group], -1).flatten(1) for group in paths]
    return torch.cat(by_degree, dim=1)
