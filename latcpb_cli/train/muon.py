"""Muon: momentum whose matrices are made orthogonal before they are added (K. Jordan 2024).

torch has one, but it computes in bfloat16, which many CPUs only emulate, a
hundred times slower than float32.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from latcpb_cli.model.attention import NeighborTransformer

__all__ = ["Muon", "hidden_matrices"]

_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 4


def hidden_matrices(modules: Iterable[nn.Module]) -> list[nn.Parameter]:
    """Weight matrices inside transformer layers; embeddings and in- and outputs are left to Adam."""
    found: dict[int, nn.Parameter] = {}
    for module in modules:
        for stack in module.modules():
            if isinstance(stack, NeighborTransformer):
                found |= {id(p): p for p in stack.layers.parameters() if p.ndim == 2}
    return list(found.values())


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, at the size of an Adam step (arXiv:2502.16982).

    Parameters
    ----------
    parameters : iterable of matrices
    lr : float
        As for Adam: updates have a root mean square of 0.2 ``lr``.
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
        """Change every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                speed = state.setdefault("speed", torch.zeros_like(matrix))
                speed.mul_(group["momentum"]).add_(matrix.grad)
                update = _orthogonal(matrix.grad + group["momentum"] * speed)
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * 0.2 * max(matrix.shape) ** 0.5)


def _orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the nearest orthogonal matrix, by a quintic Newton-Schulz iteration."""
    a, b, c = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
