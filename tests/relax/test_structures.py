"""Batches of structures: joining, selecting, padding and replacing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from crowds import crowded, torsion_structures

from latcpb_cli.geometry.vectors import LANES
from latcpb_cli.relax.structures import RotamerChoices, TorsionStructures

SEQUENCES = ("ACDE", "GW", "KLM")


def part(index: int, **optional) -> TorsionStructures:
    return replace(torsion_structures(crowded(index, SEQUENCES[index])), **optional)


def with_everything(index: int) -> TorsionStructures:
    length = len(SEQUENCES[index])
    return part(
        index,
        cells=torch.full((1, 3, 3), float(index), dtype=torch.float64),
        choices=RotamerChoices(
            torch.full((length, 2), -1.0 - index), torch.full((length, 2, 4), 0.1 * index)
        ),
        ramachandran_weight=torch.full((length,), 0.1 * index),
        concentration=torch.full((length,), 10.0 * index),
    )


def assert_equal(first: TorsionStructures, second: TorsionStructures) -> None:
    assert first.sizes == second.sizes
    for name in ("atoms", "types", "ca", "linked", "cells", "ramachandran_weight", "concentration"):
        one, two = getattr(first, name), getattr(second, name)
        assert (one is None and two is None) or torch.equal(one, two), name
    records = (first.internal, second.internal), (first.choices, second.choices)
    for one, two in records:
        if one is None or two is None:
            assert one is two
            continue
        assert all(torch.equal(a, b) for a, b in zip(vars(one).values(), vars(two).values(), strict=True))


@pytest.mark.parametrize("build", [part, with_everything])
def test_selected_structures_are_those_that_were_joined(build) -> None:
    parts = [build(index) for index in range(3)]
    batch = TorsionStructures.concatenate(parts)
    assert len(batch) == 9
    assert batch.residue_rows([2, 0]).tolist() == [6, 7, 8, 0, 1, 2, 3]
    for index in range(3):
        assert_equal(batch.select([index]), parts[index])
    assert_equal(batch.select([2, 0]), TorsionStructures.concatenate([parts[2], parts[0]]))


def test_replaced_structures_take_the_place_of_the_old_ones() -> None:
    batch = TorsionStructures.concatenate([part(index) for index in range(3)])
    new = batch.select([2, 1])
    internal = replace(new.internal, twist=new.internal.twist + 0.5)
    new = replace(new, atoms=new.atoms + 1.0, internal=internal)
    replaced = batch.replace_structures([2, 1], new)
    assert_equal(replaced.select([0]), batch.select([0]))
    assert_equal(replaced.select([2, 1]), new)


@pytest.mark.parametrize(("length", "padded_length"), [(1, LANES), (LANES - 1, LANES), (LANES, 2 * LANES)])
def test_padding_repeats_the_last_residue_at_least_once(length: int, padded_length: int) -> None:
    structures = torsion_structures(crowded(0, "A" * length))
    padded = structures.padded()
    assert len(padded) == padded_length
    assert padded.sizes == [length]
    assert torch.equal(padded.atoms[:length], structures.atoms)
    assert (padded.atoms[length:] == structures.atoms[-1]).all()
