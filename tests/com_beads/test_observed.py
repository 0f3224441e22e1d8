"""Beads as observations, and how sure they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from peptides import structure

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.com_beads.definition import bead_positions, bead_weights
from latcpb_cli.com_beads.observed import ObservedBeads

SEQUENCE = "AVLFPSTYHDN" * 8 + "GRKW"


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3])
def test_side_chain_beads_are_as_sure_as_their_distances_from_the_ca(noise: float) -> None:
    native = structure(SEQUENCE)
    trace = replace(native.trace, side_chain_center="mass")
    beads = bead_positions(
        torch.from_numpy(native.atoms), torch.from_numpy(bead_weights(trace)).float()
    ).numpy()
    noisy = beads + noise * np.random.default_rng(0).normal(size=beads.shape)
    noisy[:, 0] = np.nan
    both = np.concatenate([noisy, beads]).astype(np.float32)
    ca = np.repeat(native.atoms[:, :, CA_SLOT], 2, axis=0)
    observed = ObservedBeads.from_trace(trace, both, ca)
    std = observed.std.view(2, -1)
    assert (std == std[:, :1]).all()
    assert float(std[0, 0]) == pytest.approx((0.15**2 + noise**2) ** 0.5, abs=0.04)
    assert float(std[1, 0]) == pytest.approx(0.15, abs=0.04)
    alone = ObservedBeads.from_trace(trace, both[1:], ca[1:])
    assert torch.equal(alone.std, observed.std[len(trace) :])


def test_centres_of_mass_are_as_sure_as_their_frame_is_free_of_noise() -> None:
    native = structure("AGSWK")
    trace = replace(native.trace, com_beads=np.ones(5, dtype=bool))
    ca = np.repeat(native.atoms[:, :, CA_SLOT], 2, axis=0)
    std = ObservedBeads.from_trace(trace, ca, ca, np.array([0.0, 0.3])).std.view(2, 5)
    assert torch.allclose(std[0], torch.tensor(0.1)) and torch.allclose(
        std[1], torch.tensor(0.1).hypot(torch.tensor(0.3))
    )
    assert torch.equal(ObservedBeads.from_trace(trace, ca, ca).std[:5], std[0])


def test_modified_residues_and_glycine_have_no_weights() -> None:
    native = structure("AGS")
    variants = np.array(["", "", "SEP"])
    trace = replace(native.trace, side_chain_center="geometry", variants=variants)
    weights = bead_weights(trace)
    assert weights[0].tolist() == [0.0] * 4 + [1.0] + [0.0] * 10
    assert not weights[1:].any()
