"""Linear layers that oneDNN computes: the results of torch's, from bits that other rows do not change."""

import platform

import pytest
import torch
from torch import nn

from latcpb_cli.model.linear import ConstantLinear, joint_outputs, single_output, use_onednn

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="other processors keep torch's default"
)


def layers(inputs, outputs):
    """A layer of torch's, and the same layer computed by oneDNN."""
    torch.manual_seed(0)
    plain, fast = nn.Linear(inputs, outputs), nn.Linear(inputs, outputs)
    fast.load_state_dict(plain.state_dict())
    use_onednn(fast)
    assert type(fast) is not nn.Linear
    return plain, fast


SHAPES = [(192, 288), (480, 192), (386, 384), (26, 192), (82, 192), (192, 1)]


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
@torch.no_grad()
def test_outputs_are_those_of_torch_whatever_the_other_rows(inputs, outputs):
    plain, fast = layers(inputs, outputs)
    x = torch.randn(3001, inputs)
    all_rows = fast(x)
    torch.testing.assert_close(all_rows, plain(x), rtol=1e-5, atol=1e-5)
    for rows in (slice(7, 9), slice(1000, 1033), slice(500, 3001)):
        assert torch.equal(fast(x[rows].clone()), all_rows[rows])
    assert torch.equal(fast(x[:3000].view(1000, 3, inputs)), all_rows[:3000].view(1000, 3, outputs))
    strided = torch.randn(inputs, 40).T
    torch.testing.assert_close(fast(strided), plain(strided), rtol=1e-5, atol=1e-5)
    assert fast(x[:0]).shape == (0, outputs)


@torch.no_grad()
def test_a_single_row_is_left_to_torch():
    plain, fast = layers(192, 288)
    row = torch.randn(1, 192)
    assert torch.equal(fast(row), plain(row))


def test_joint_outputs_are_those_of_each_layer():
    pairs = [layers(192, outputs) for outputs in (13, 81, 324)]
    plain, fast = zip(*pairs, strict=True)
    x = torch.randn(1000, 192)
    with torch.no_grad():
        for output, layer in zip(joint_outputs(fast, x), fast, strict=True):
            assert torch.equal(output, layer(x))
    first, second, _ = joint_outputs(plain, x)
    (first.square().sum() + second.square().sum()).backward()
    gradients = plain[0].weight.grad, plain[1].weight.grad
    for layer, gradient in zip(plain[:2], gradients, strict=True):
        layer.zero_grad()
        layer(x).square().sum().backward()
        torch.testing.assert_close(gradient, layer.weight.grad, rtol=1e-4, atol=1e-3)


def test_gradients_and_64_bits_are_those_of_torch():
    plain, fast = layers(64, 32)
    x = torch.randn(5, 64)
    for layer in (plain, fast):
        layer(x).square().sum().backward()
    assert torch.equal(fast.weight.grad, plain.weight.grad)
    with torch.no_grad():
        assert torch.equal(fast.double()(x.double()), plain.double()(x.double()))


def test_small_layers_stay_as_they_are():
    module = nn.Sequential(nn.Linear(4, 16), nn.Linear(16, 16))
    use_onednn(module)
    assert [type(layer) is nn.Linear for layer in module] == [True, False]


def test_constant_weights_are_no_parameters():
    weight = torch.randn(24, 32)
    layer = ConstantLinear(weight)
    assert not [*layer.parameters()] and not layer.state_dict()
    use_onednn(layer)
    x = torch.randn(7, 32)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), x @ weight.T, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_a_single_output_has_the_bits_of_its_row_with_and_without_onednn():
    x = torch.randn(1003, 192)
    for layer in layers(192, 1):
        outputs = single_output(layer, x)
        torch.testing.assert_close(outputs, layer(x).squeeze(-1), rtol=1e-5, atol=1e-5)
        assert torch.equal(single_output(layer, x[501:517].clone()), outputs[501:517])
