"""Batches hold noisy Cα and the targets of training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from training import packed_chains

from latcpb_cli.chem.residues import ALA, CA_SLOT, CB_SLOT, GAMMA_SLOT, GIVEN_SLOTS, GLY
from latcpb_cli.geometry.codec import FIRST_CHI
from latcpb_cli.train.batch import make_batch


def test_noise_moves_alpha_carbons_only(packed: Path) -> None:
    chains = packed_chains(packed)
    without = make_batch(chains)
    noisy = make_batch(chains, max_ca_noise=0.5, noise_probability=1.0, seed=(0, 3))
    shift = (noisy.atoms - without.atoms).norm(dim=-1)
    assert shift[:, CA_SLOT].max() > 0.05
    assert shift[:, CA_SLOT + 1 :].max() == shift[:, :CA_SLOT].max() == 0.0


def test_every_residue_belongs_to_its_structure(packed: Path) -> None:
    chains = packed_chains(packed)
    batch = make_batch(chains)
    assert batch.sizes == [len(chain) for chain in chains]
    assert batch.structure_index.bincount().tolist() == batch.sizes


def test_side_chains_that_are_not_whole_are_not_trained_on(packed: Path) -> None:
    chain = packed_chains(packed)[0]
    present = chain.present.copy()
    present[1, GAMMA_SLOT + 1] = False  # CD of Lys
    batch = make_batch([replace(chain, present=present)])
    assert batch.rotamer[1] == -1
    assert not batch.torsion_mask[1, FIRST_CHI:].any()
    assert not batch.present[1, GAMMA_SLOT:].any()
    assert batch.present[1, : CB_SLOT + 1].all()
    assert (batch.rotamer[[0, 2]] >= 0).all(), "its neighbours are not affected"


def test_structures_without_side_chains_keep_their_backbone(packed: Path) -> None:
    chain = packed_chains(packed)[0]
    batch = make_batch([replace(chain, side_chains=False)])
    assert (batch.rotamer == -1).all()
    has_chi = (batch.types != ALA) & (batch.types != GLY)
    assert not batch.torsion_mask[has_chi, FIRST_CHI:].any()
    assert batch.present[:, : CA_SLOT + 1].all()


def test_given_backbones_are_those_of_the_structures_without_noise(packed: Path) -> None:
    chains = packed_chains(packed)
    options = {"max_ca_noise": 0.5, "noise_probability": 1.0, "seed": (0, 3)}
    batch = make_batch(chains, given_backbone_probability=0.5, **options)
    native, noisy = make_batch(chains), make_batch(chains, **options)
    given = ~batch.backbone[:, 0].isnan().any(-1)
    assert len(set(zip(batch.structure_index.tolist(), given.tolist(), strict=True))) == len(chains)
    assert torch.equal(batch.ca, torch.where(given[:, None], native.ca, noisy.ca))
    present = batch.present[:, GIVEN_SLOTS] & given[:, None]
    assert torch.equal(batch.backbone.isnan().any(-1), ~present)
    assert torch.equal(batch.backbone[present], native.atoms[:, GIVEN_SLOTS][present])
    assert noisy.backbone.isnan().all()
