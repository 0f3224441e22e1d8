"""Linear layers of loaded models, computed by oneDNN on CPUs."""

from __future__ import annotations

import platform
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["ConstantLinear", "joint_outputs", "rows_are_independent", "single_output", "use_onednn"]

_MIN_WEIGHTS = 128
"""Of a layer; a call of oneDNN costs 10 µs more than one of torch's default library."""


class ConstantLinear(nn.Linear):
    """A linear layer without bias whose weights are constants: not trained, and in no state dict.

    Parameters
    ----------
    weight : Tensor, shape (N, K)
    """

    def __init__(self, weight: Float[Tensor, "N K"]) -> None:
        nn.Module.__init__(self)
        self.out_features, self.in_features = weight.shape
        self.register_buffer("weight", weight, persistent=False)
        self.register_parameter("bias", None)


class _OneDnnLinear(nn.Linear):
    """A linear layer with the same parameters, computed by oneDNN without gradients in 32 bits on a CPU.

    Notes
    -----
    torch's default is MKL, which has no AVX-512 code for processors of AMD: 112 GFLOP/s on one core of an
    AMD EPYC with AVX-512, oneDNN 250; both limited to AVX2, 109 and 125. With oneDNN, the bits of a row do
    not depend on the number of rows, from two on, or on threads; with MKL they do.
    """

    def forward(self, input: Float[Tensor, "*rows K"]) -> Float[Tensor, "*rows N"]:
        """Return the layer's output."""
        if not _is_for_onednn(input):
            return super().forward(input)
        output: Tensor = torch.ops.mkldnn._linear_pointwise(input, self.weight, self.bias, "none", [], "")
        return output


def single_output(layer: nn.Linear, input: Float[Tensor, "rows K"]) -> Float[Tensor, "rows"]:
    """Return the output of a layer that has only one, from bits which follow from the row alone.

    The product of a matrix and a vector rounds by where in the matrix a row is, unless oneDNN computes it.
    """
    if isinstance(layer, _OneDnnLinear) and _is_for_onednn(input):
        output: Tensor = layer(input)
        return output.squeeze(-1)
    return (input * layer.weight[0]).sum(-1) + layer.bias


def joint_outputs(
    layers: Sequence[nn.Linear], input: Float[Tensor, "rows K"]
) -> tuple[Float[Tensor, "rows _"], ...]:
    """Return the outputs of several layers with the same input, from one product.

    oneDNN compiles its code for each number of outputs.
    """
    weight, bias = torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers])
    if all(isinstance(layer, _OneDnnLinear) for layer in layers) and _is_for_onednn(input):
        outputs: Tensor = torch.ops.mkldnn._linear_pointwise(input, weight, bias, "none", [], "")
    else:
        outputs = nn.functional.linear(input, weight, bias)
    return torch.split(outputs, [layer.out_features for layer in layers], dim=-1)


def use_onednn(module: nn.Module) -> None:
    """Let oneDNN compute the larger linear layers of a module, where torch has it.

    Only builds of torch for x86 processors are changed: others use the library of their processor anyway.
    """
    if platform.machine() not in ("x86_64", "AMD64") or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return
    for layer in module.modules():
        if isinstance(layer, nn.Linear) and layer.weight.numel() >= _MIN_WEIGHTS:
            layer.__class__ = _OneDnnLinear


def _is_for_onednn(input: Tensor) -> bool:
    """Whether oneDNN computes the output for an input; not for a single row, as compiling takes longer."""
    if input.device.type != "cpu" or input.dtype != torch.float32 or torch.is_grad_enabled():
        return False
    return input.numel() > input.shape[-1]


def rows_are_independent(module: nn.Module) -> bool:
    """Whether oneDNN computes its layers, so that a row's bits do not depend on the number of rows.

    The small layers that `use_onednn` leaves to MKL keep their bits as well: the models of this package give
    equal bytes for any number of frames, with the code of MKL for AVX2 and with that for AVX-512.
    """
    return any(isinstance(layer, _OneDnnLinear) for layer in module.modules())
