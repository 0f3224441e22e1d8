"""The model's symmetries: what turns with the input, what tells left from right, what stays apart."""

from __future__ import annotations

import pytest
import torch
from peptides import structure
from tiny import SEQUENCE, tiny_model, trace_tensors

from latcpb_cli.chem.residues import LETTERS
from latcpb_cli.model.attention import NeighborTransformer
from latcpb_cli.model.latcpb import LatCPB

MIRROR = torch.tensor([1.0, 1.0, -1.0])


def rotation(seed: int) -> torch.Tensor:
    matrix = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)))[0]
    return matrix * torch.linalg.det(matrix).sign()


def decode(model: LatCPB, ca: torch.Tensor, latent: torch.Tensor) -> torch.Tensor:
    _, types, linked = trace_tensors()
    graph = model.graph(ca, types, linked, [len(ca)])
    return model.decoder(latent, model.cg_encoder(graph), graph).atoms


def latents(seed: int = 1) -> torch.Tensor:
    return torch.rand(len(SEQUENCE), 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("cartesian", [False, True])
def test_turning_the_trace_turns_the_atoms(cartesian: bool) -> None:
    model, (ca, _, _) = tiny_model(cartesian=cartesian), trace_tensors()
    turn = rotation(3)
    expected = decode(model, ca, latents()) @ turn.T
    assert torch.allclose(decode(model, ca @ turn.T, latents()), expected, atol=1e-3)


def test_transformer_layers_keep_32_bits_on_every_cpu() -> None:
    """Some CPUs multiply in 16: what a turned input rounds to would be other numbers."""
    torch.manual_seed(0)
    model, (ca, types, linked) = tiny_model(), trace_tensors()
    config, graph = model.config, model.graph(ca, types, linked, [len(ca)])
    layers = NeighborTransformer(config, 2)
    x, pairs = torch.randn(len(ca), config.dim), torch.randn(*graph.index.shape, config.pair_dim)
    coarse = layers(x, pairs, graph)
    assert (coarse - layers.double()(x.double(), pairs.double(), graph)).abs().max() < 1e-5


def test_a_mirrored_trace_gives_another_condition_and_still_l_residues() -> None:
    model, (ca, types, linked) = tiny_model(), trace_tensors()
    conditions = []
    for points in (ca, ca * MIRROR):
        conditions.append(model.cg_encoder(model.graph(points, types, linked, [len(ca)])).residues)
        atoms = decode(model, points, latents())
        n, c, cb = (atoms[:, slot] - atoms[:, 1] for slot in (0, 2, 4))
        volume = (torch.linalg.cross(n, c) * cb).sum(-1)[types != LETTERS.index("G")]
        assert (volume > 1.0).all()
    assert (conditions[0] - conditions[1]).abs().max() > 1e-3


def test_equivariant_layers_alone_tell_left_from_right() -> None:
    """Not only the local frames do: the e3nn path has triple products of its own."""
    from latcpb_cli.model.equivariant import Density, NodeProduct, harmonics

    torch.manual_seed(0)
    ca, types, linked = trace_tensors()
    graph = tiny_model().graph(ca, types, linked, [len(ca)])
    density, products = Density(4, 21.0), (NodeProduct(4, 8), NodeProduct(4, 8))
    scalars = torch.rand(len(ca), 8, 4)

    def invariants(vectors: torch.Tensor) -> torch.Tensor:
        features = density(vectors, scalars, graph.valid, harmonics(vectors))
        _, features = products[0](features)
        return products[1](features)[0]

    plain = invariants(graph.vectors)
    assert torch.allclose(invariants(graph.vectors @ rotation(5).T), plain, atol=1e-4)
    assert (invariants(graph.vectors * MIRROR) - plain).abs().max() > 1e-3


def test_alpha_carbons_are_the_input_to_the_bit() -> None:
    model, (ca, _, _) = tiny_model(), trace_tensors()
    assert torch.equal(decode(model, ca, latents())[:, 1], ca)


def test_structures_of_a_batch_do_not_see_each_other() -> None:
    model, (ca, types, linked) = tiny_model(), trace_tensors()
    alone = model.cg_encoder(model.graph(ca, types, linked, [len(ca)])).residues
    two = torch.cat([ca, ca.flip(0) + 1.0])
    graph = model.graph(two, types.repeat(2), linked.repeat(2), [len(ca)] * 2)
    together = model.cg_encoder(graph).residues
    assert torch.allclose(together[: len(ca)], alone, atol=1e-5)
    uneven = model.graph(
        two[: len(ca) + 5], types.repeat(2)[: len(ca) + 5], graph.linked[: len(ca) + 5], [len(ca), 5]
    )
    assert torch.allclose(model.cg_encoder(uneven).residues[: len(ca)], alone, atol=1e-5)


def test_the_latent_of_atoms_turns_with_nothing_and_lies_between_zero_and_one() -> None:
    model = tiny_model()
    reference = structure("MKTAYIAKQRQISFVKPGDNWLECH")
    atoms = torch.from_numpy(reference.atoms[0])
    present = torch.from_numpy(reference.present)
    _, types, linked = trace_tensors()
    found = []
    for turn in (torch.eye(3), rotation(7)):
        turned = atoms @ turn.T
        graph = model.graph(turned[:, 1], types, linked, [len(types)])
        mean, _ = model.atom_encoder(turned, present, graph)
        found.append(mean)
    assert ((found[0] > 0) & (found[0] < 1)).all()
    assert torch.allclose(found[0], found[1], atol=1e-4)
    assert found[0].std(0).max() > 1e-3


def test_moving_one_atom_changes_the_latent_of_its_residue() -> None:
    model = tiny_model()
    reference = structure(SEQUENCE)
    atoms, present = torch.from_numpy(reference.atoms[0]), torch.from_numpy(reference.present)
    _, types, linked = trace_tensors()
    graph = model.graph(atoms[:, 1], types, linked, [len(types)])
    before = model.atom_encoder(atoms, present, graph)[0]
    moved = atoms.clone()
    moved[4, 6] += torch.tensor([0.5, 0.5, 0.0])
    after = model.atom_encoder(moved, present, graph)[0]
    assert (after - before)[4].abs().max() > 1e-4


def test_scaling_latents_and_back_is_the_identity() -> None:
    model = tiny_model()
    assert torch.allclose(model.restore(model.normalize(latents())), latents(), atol=1e-6)
