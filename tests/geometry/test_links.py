"""The order of residues in chains and rings."""

from __future__ import annotations

import numpy as np
import torch

from latcpb_cli.geometry.links import LINEAR, ChainOrder, next_rows

# A chain of two residues, a ring of four, a chain of one.
NEXT = np.array([1, 0, 3, 4, 5, 2, 6])
ORDER = ChainOrder.from_next(NEXT, "cpu")
LINKED = torch.tensor([True, False, True, True, True, True, False])
ROWS = torch.arange(7)


def test_a_ring_goes_on_with_its_first_residue() -> None:
    assert ORDER.next(ROWS).tolist() == NEXT.tolist()
    assert ORDER.next(ORDER.previous(ROWS)).tolist() == ROWS.tolist()
    assert ORDER.next(torch.stack([ROWS, -ROWS]), -1)[1].tolist() == (-NEXT).tolist()
    assert ORDER.linked_before(LINKED).tolist() == [False, True, True, True, True, True, False]
    assert ORDER.to_next_row(LINKED).tolist() == [True, False, True, True, True, False, False]
    assert ORDER.seams(LINKED) == [(2, 5)]
    assert ORDER.seams(LINKED & (ROWS != 5)) == []


def test_an_axis_without_rings_is_shifted_by_a_row() -> None:
    assert LINEAR.next(ROWS).tolist() == next_rows(None, 7).tolist() == [1, 2, 3, 4, 5, 6, 0]
    assert LINEAR.previous(ROWS).tolist() == [6, 0, 1, 2, 3, 4, 5]
    assert LINEAR.linked_before(LINKED).tolist() == [False, *LINKED[:-1].tolist()]
    assert LINEAR.to_next_row(LINKED) is LINKED
    assert LINEAR.seams(LINKED) == []
    assert ChainOrder.from_next(None, "cpu") is LINEAR
    for order in (LINEAR.repeat(2), LINEAR.padded(9), LINEAR.select(ROWS), ChainOrder.concatenate([LINEAR])):
        assert order.steps is None


def test_orders_are_repeated_selected_joined_and_padded() -> None:
    twice = ORDER.repeat(2)
    assert twice.next(torch.arange(14)).tolist() == [*NEXT, *(NEXT + 7)]
    assert twice.select(slice(7, 14)).next(ROWS).tolist() == NEXT.tolist()
    assert torch.equal(ChainOrder.concatenate([ORDER, ORDER])._next, twice._next)
    padded = ORDER.padded(9)
    assert padded.next(torch.arange(9)).tolist() == [*NEXT, 7, 8]


def test_parts_keep_the_next_residues_that_they_contain() -> None:
    """The first part holds both ends of the ring; the second begins where the first stops."""
    rows, part = torch.tensor([0, 1, 2, 3, 5, 6, 3, 4, 6]), torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 1])
    order, continued = ORDER.cut(rows, part)
    assert continued.tolist() == [True, True, True, False, True, True, True, False, True]
    following = order.next(torch.arange(9))
    assert sorted(following.tolist()) == list(range(9))
    assert torch.equal(part[following], part)
    assert torch.equal(rows[following][continued], torch.from_numpy(NEXT)[rows[continued]])
    order, continued = LINEAR.cut(torch.tensor([0, 1, 3, 4, 5, 6]), torch.tensor([0, 0, 0, 1, 1, 1]))
    assert order is LINEAR
    assert continued.tolist() == [True, False, False, True, True, False]
