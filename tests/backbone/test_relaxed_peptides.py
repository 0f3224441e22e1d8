"""Peptides of relaxed traces: between the prediction and the relaxation."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tiny import random_latent, tiny_model, trace_tensors

from latcpb_cli.backbone.relaxed_peptides import turn_to_relaxed
from latcpb_cli.geometry.codec import PEPTIDE_ROTATION
from latcpb_cli.geometry.vectors import unit
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph

CA, TYPES, LINKED = trace_tensors()
RELAXED = 3
"""The peptide that was relaxed."""


def decoded(concentration: float) -> tuple[Decoded, Graph]:
    model = tiny_model()
    graph = model.build_graph(CA, TYPES, LINKED, [len(CA)])
    structures = model.decoder(random_latent(), model.cg_encoder(graph), graph)
    return replace(structures, concentration=torch.full((len(CA),), concentration)), graph


def directions(structures: Decoded) -> torch.Tensor:
    assert structures.internal is not None
    return unit(structures.internal.torsions[:, PEPTIDE_ROTATION])


@pytest.mark.parametrize(("concentration", "near_relaxed"), [(0.01, True), (1e4, False)])
def test_the_surer_of_two_rotations_decides(concentration: float, near_relaxed: bool) -> None:
    structures, graph = decoded(concentration)
    before = directions(structures)
    angle = torch.atan2(before[RELAXED, 1], before[RELAXED, 0]) + 1.5
    peptides = torch.full((len(CA), 2), torch.nan)
    peptides[RELAXED] = torch.stack([angle, torch.tensor(0.2)])
    relaxed = turn_to_relaxed(structures, graph, peptides, side_chains=False)
    turned = directions(relaxed)
    expected = torch.stack([torch.cos(angle), torch.sin(angle)]) if near_relaxed else before[RELAXED]
    assert torch.allclose(turned[RELAXED], expected, atol=1e-2)
    assert relaxed.internal is not None and structures.internal is not None
    twists = structures.internal.twist.clone()
    twists[RELAXED] = 0.2
    assert torch.equal(relaxed.internal.twist, twists)


def test_peptides_that_were_not_relaxed_stay() -> None:
    structures, graph = decoded(5.0)
    nothing = torch.full((len(CA), 2), torch.nan)
    turned = turn_to_relaxed(structures, graph, nothing, side_chains=True)
    assert torch.allclose(turned.atoms, structures.atoms, atol=1e-5)
