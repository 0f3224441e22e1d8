"""The decoder: what it builds rotates with the trace, keeps Cα and handedness, and has the given rotamers."""

from __future__ import annotations

import pytest
import torch
from rotations import MIRROR, random_rotation
from tiny import random_latent, tiny_model, trace_tensors

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CB_SLOT, GAMMA_SLOT, GLY, N_SLOT
from latcpb_cli.chem.rotamers import rotamer_table
from latcpb_cli.chem.zmatrix import chi_mask
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.latcpb import LatCPB


def decode(model: LatCPB, ca: torch.Tensor, **options) -> Decoded:
    _, types, linked = trace_tensors()
    graph = model.build_graph(ca, types, linked, [len(ca)])
    return model.decoder(random_latent(), model.cg_encoder(graph), graph, **options)


@pytest.mark.parametrize("cartesian", [False, True])
def test_atoms_rotate_with_the_trace(cartesian: bool) -> None:
    model, ca = tiny_model(cartesian=cartesian), trace_tensors()[0]
    rotation = random_rotation(3)
    expected = decode(model, ca).atoms @ rotation.T
    assert torch.allclose(decode(model, ca @ rotation.T).atoms, expected, atol=1e-3)


@pytest.mark.parametrize("cartesian", [False, True])
def test_alpha_carbons_are_those_of_the_input_to_the_bit(cartesian: bool) -> None:
    model, ca = tiny_model(cartesian=cartesian), trace_tensors()[0]
    assert torch.equal(decode(model, ca).atoms[:, CA_SLOT], ca)


def test_mirrored_traces_get_l_residues() -> None:
    model, (ca, types, _) = tiny_model(), trace_tensors()
    for points in (ca, ca * MIRROR):
        atoms = decode(model, points).atoms
        n, c, cb = (atoms[:, slot] - atoms[:, CA_SLOT] for slot in (N_SLOT, C_SLOT, CB_SLOT))
        volume = (torch.linalg.cross(n, c) * cb).sum(-1)[types != GLY]
        assert (volume > 1.0).all()


def test_side_chains_have_the_given_rotamers() -> None:
    model, (ca, types, _) = tiny_model(), trace_tensors()
    exists = torch.from_numpy(rotamer_table().exists)[types]
    last = exists.sum(-1) - 1
    decoded = decode(model, ca, rotamer=last)
    assert decoded.internal is not None
    assert decoded.rotamers is not None
    vectors = decoded.internal.torsions[:, -4:]
    chi = torch.atan2(vectors[..., 1], vectors[..., 0])
    difference = torch.sin(chi - decoded.rotamers.chi[torch.arange(len(ca)), last])
    assert difference[torch.from_numpy(chi_mask())[types]].abs().max() < 1e-5


def test_rotamers_that_a_type_does_not_have_are_impossible() -> None:
    model, (ca, types, _) = tiny_model(), trace_tensors()
    rotamers = decode(model, ca).rotamers
    assert rotamers is not None
    exists = torch.from_numpy(rotamer_table().exists)[types]
    probability = rotamers.logits.softmax(-1)
    assert (probability[~exists] == 0).all()
    assert (probability[exists] > 0).all()


def test_untrained_probabilities_are_the_frequencies_of_the_type() -> None:
    model, (ca, types, _) = tiny_model(), trace_tensors()
    rotamers = decode(model, ca).rotamers
    assert rotamers is not None
    frequency = torch.from_numpy(rotamer_table().probability).float()[types]
    assert torch.allclose(rotamers.logits.softmax(-1), frequency, atol=1e-5)


def test_side_chains_left_out_change_nothing_else() -> None:
    model, ca = tiny_model(), trace_tensors()[0]
    whole, backbones = decode(model, ca), decode(model, ca, side_chains=False)
    assert torch.equal(backbones.atoms[:, :GAMMA_SLOT], whole.atoms[:, :GAMMA_SLOT])
    assert torch.equal(backbones.atoms[:, GAMMA_SLOT:14], ca[:, None].expand(-1, 9, -1))
