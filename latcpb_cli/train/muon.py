"""Muon: momentum whose matrices are made orthogonal before they are added (K. Jordan 2024).

The implementation in torch computes in bfloat16, which many CPUs only emulate, a hundred times slower than
float32.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.model.attention import NeighborTransformer

__all__ = ["Muon", "hidden_matrices"]

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of K. Jordan's quintic iteration."""
_ITERATIONS = 4
_UPDATE_RMS = 0.2
"""Root mean square of an update in units of the learning rate, that of AdamW (arXiv:2502.16982)."""


def hidden_matrices(modules: Iterable[nn.Module]) -> list[nn.Parameter]:
    """Weight matrices inside transformer layers, without embeddings, inputs and outputs."""
    matrices: dict[int, nn.Parameter] = {}
    for module in modules:
        for transformer in module.modules():
            if isinstance(transformer, NeighborTransformer):
                matrices |= {id(p): p for p in transformer.layers.parameters() if p.ndim == 2}
    return list(matrices.values())


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, with updates as large as those of AdamW (arXiv:2502.16982).

    Parameters
    ----------
    parameters : iterable of matrices
    lr : float
        As for AdamW.
    momentum, weight_decay : float
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                momentum = state.setdefault("momentum", torch.zeros_like(matrix))
                momentum.mul_(group["momentum"]).add_(matrix.grad)
                update = _orthogonalize(matrix.grad + group["momentum"] * momentum)
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * _UPDATE_RMS * max(matrix.shape) ** 0.5)


def _orthogonalize(matrix: Float[Tensor, "M N"]) -> Float[Tensor, "M N"]:
    """Approximate the nearest orthogonal matrix by a quintic Newton-Schulz iteration."""
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
