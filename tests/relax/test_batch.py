"""Batches of decoded structures: each is relaxed as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from crowds import Built, concatenated, crowded, torsion_structures

from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.model.decoder import Decoded, Rotamers
from latcpb_cli.model.graph import Graph
from latcpb_cli.relax import batch as batch_module
from latcpb_cli.relax.batch import RelaxationBatch
from latcpb_cli.relax.relief import OverlapCounts, relieve_overlaps

SEQUENCE = "AEWAKAPFPA"
LENGTH = len(SEQUENCE)


def decoded(*parts: Built) -> tuple[Decoded, Graph]:
    atoms, internal, graph, _ = concatenated(*parts)
    return Decoded(atoms, internal, None), graph


def output(n_frames: int) -> np.ndarray:
    return np.full((n_frames, LENGTH, 15, 3), np.nan, dtype=np.float32)


def test_structures_are_relaxed_when_the_context_ends() -> None:
    parts = [crowded(seed, SEQUENCE) for seed in range(3)]
    first, second = output(2), output(1)
    counts = OverlapCounts()
    with RelaxationBatch(counts) as batch:
        batch.add(*decoded(*parts[:2]), cells=None, ramachandran_weight=None, into=first)
        batch.add(*decoded(parts[2]), cells=None, ramachandran_weight=None, into=second)
        assert np.isnan(first).all()
    for atoms, part in zip(np.concatenate([first, second]), parts, strict=True):
        assert np.array_equal(atoms, relieve_overlaps(torsion_structures(part)).atoms.numpy())
    assert counts.built > 0


def test_the_first_descent_takes_the_steps_wanted() -> None:
    part, into = crowded(0, SEQUENCE), output(1)
    with RelaxationBatch(n_steps=2) as batch:
        batch.add(*decoded(part), cells=None, ramachandran_weight=None, into=into)
    two = relieve_overlaps(torsion_structures(part), n_steps=2).atoms
    by_default = relieve_overlaps(torsion_structures(part)).atoms
    assert np.array_equal(into[0], two.numpy())
    assert not torch.equal(two, by_default)


def test_structures_beyond_the_output_are_ignored() -> None:
    parts = [crowded(seed, SEQUENCE) for seed in range(2)]
    into = output(1)
    with RelaxationBatch() as batch:
        batch.add(*decoded(*parts), cells=None, ramachandran_weight=None, into=into)
    assert np.array_equal(into[0], relieve_overlaps(torsion_structures(parts[0])).atoms.numpy())


def test_a_full_batch_is_relaxed_before_the_next_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "_MAX_RESIDUES", LENGTH)
    first, second = output(1), output(1)
    with RelaxationBatch() as batch:
        batch.add(*decoded(crowded(0, SEQUENCE)), cells=None, ramachandran_weight=None, into=first)
        batch.add(*decoded(crowded(1, SEQUENCE)), cells=None, ramachandran_weight=None, into=second)
        assert np.isfinite(first).all()
        assert np.isnan(second).all()
    assert np.isfinite(second).all()


def test_weights_and_boxes_reach_the_relaxation() -> None:
    """A weight of 0 and a box in which the chain touches its own images change the result."""
    part, plain = crowded(0, SEQUENCE), output(1)
    with RelaxationBatch() as batch:
        batch.add(*decoded(part), cells=None, ramachandran_weight=None, into=plain)
    weights, cells = np.zeros((1, LENGTH)), np.diag([40.0, 9.0, 9.0])[None]
    for options in (
        {"cells": None, "ramachandran_weight": weights},
        {"cells": cells, "ramachandran_weight": None},
    ):
        into = output(1)
        with RelaxationBatch() as batch:
            batch.add(*decoded(part), into=into, **options)
        assert not np.array_equal(into, plain)


def test_structures_without_internal_coordinates_are_copied() -> None:
    atoms, _, graph, _ = concatenated(crowded(0, SEQUENCE))
    into = output(1)
    with RelaxationBatch() as batch:
        batch.add(Decoded(atoms, None, None), graph, None, None, into)
    assert np.array_equal(into[0], atoms.numpy())


def test_an_exception_discards_pending_structures() -> None:
    into = output(1)
    with pytest.raises(ZeroDivisionError), RelaxationBatch() as batch:
        batch.add(*decoded(crowded(0, SEQUENCE)), cells=None, ramachandran_weight=None, into=into)
        raise ZeroDivisionError
    assert np.isnan(into).all()


def test_choices_are_the_most_probable_states() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(LENGTH, N_ROTAMERS, generator=generator)
    chi = torch.arange(N_ROTAMERS).float()[None, :, None].expand(LENGTH, N_ROTAMERS, 4)
    choices = batch_module._most_probable(Rotamers(logits, chi), slice(2, 5))
    expected = logits[2:5].log_softmax(-1).sort(descending=True)
    count = choices.log_prob.shape[1]
    assert torch.allclose(choices.log_prob, expected.values[:, :count])
    assert torch.equal(choices.chi[..., 0], expected.indices[:, :count].float())
