"""The all-atom encoder: invariance, range and sensitivity of the latent."""

from __future__ import annotations

import torch
from peptides import structure
from rotations import random_rotation
from tiny import SEQUENCE, tiny_model, trace_tensors

from latcpb_cli.chem.residues import CA_SLOT

REFERENCE = structure(SEQUENCE)
ATOMS, PRESENT = torch.from_numpy(REFERENCE.atoms[0]), torch.from_numpy(REFERENCE.present)


def posterior_mean(atoms: torch.Tensor, present: torch.Tensor = PRESENT) -> torch.Tensor:
    model = tiny_model()
    _, types, linked = trace_tensors()
    graph = model.build_graph(atoms[:, CA_SLOT], types, linked, [len(types)])
    return model.atom_encoder(atoms, present, graph)[0]


def test_the_latent_is_invariant_and_between_zero_and_one() -> None:
    original, rotated = posterior_mean(ATOMS), posterior_mean(ATOMS @ random_rotation(7).T)
    assert ((original > 0) & (original < 1)).all()
    assert torch.allclose(original, rotated, atol=1e-4)
    assert original.std(0).max() > 1e-3


def test_moving_one_atom_changes_the_latent_of_its_residue() -> None:
    moved = ATOMS.clone()
    moved[4, 6] += torch.tensor([0.5, 0.5, 0.0])
    assert PRESENT[4, 6]
    assert (posterior_mean(moved) - posterior_mean(ATOMS))[4].abs().max() > 1e-4


def test_missing_atoms_have_no_effect_wherever_they_are() -> None:
    present = PRESENT.clone()
    present[4, 6] = False
    moved = ATOMS.clone()
    moved[4, 6] += 50.0
    assert torch.equal(posterior_mean(moved, present), posterior_mean(ATOMS, present))
