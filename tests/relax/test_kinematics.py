"""The joints: at rest they give the start; their slopes are those of automatic differentiation."""

from __future__ import annotations

import torch
from crowds import crowded, joined, present

from latcpb_cli.geometry.codec import InternalCoordinates, decode
from latcpb_cli.relax.kinematics import TWIST, TorsionKinematics
from latcpb_cli.relax.structures import TorsionStructures


def linkage(dtype: torch.dtype = torch.float64) -> tuple[TorsionKinematics, torch.Tensor]:
    atoms, internal, graph, sizes = joined(crowded(0), crowded(1, "PWA"))
    internal = InternalCoordinates(*(part.to(dtype) for part in vars(internal).values()))
    graph = type(graph)(**{**vars(graph), "ca": graph.ca.to(dtype)})
    atoms = decode(internal, graph.ca, graph.types, graph.linked)
    chains = TorsionStructures(atoms, internal, graph.types, graph.ca, graph.linked, sizes)
    return TorsionKinematics.of(chains), present(graph).T


def test_at_rest_atoms_are_where_they_started() -> None:
    chain, there = linkage()
    apart = (chain.build(torch.zeros_like(chain.free)) - chain.start).norm(dim=0)
    # Proline's ring is decoded by another way, and chain ends hang by another formula.
    assert apart[there].max() < 1e-4


def test_slopes_are_those_of_the_energy() -> None:
    chain, there = linkage()
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(chain.start.shape, generator=generator, dtype=torch.float64) * there
    turn = 0.3 * torch.randn(chain.free.shape, generator=generator, dtype=torch.float64) * chain.free
    turn[TWIST] *= 0.5
    turn.requires_grad_()
    atoms = chain.build(turn)
    energy = (weights * atoms).sum()
    (expected,) = torch.autograd.grad(energy, turn)
    slope, _ = chain.pull(atoms.detach(), weights, torch.ones_like(weights[0]), turn.detach())
    assert torch.allclose(slope, expected * chain.free, atol=1e-4)
    assert expected.abs().max() > 1.0


def test_proline_rings_and_missing_joints_do_not_turn() -> None:
    chain, _ = linkage()
    proline = chain.proline
    assert proline.any()
    assert (chain.free[2:, proline] == 0).all()
    assert (chain.free[:2, ~chain.linked] == 0).all()
