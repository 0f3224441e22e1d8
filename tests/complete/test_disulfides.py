"""Disulfides: made where two cysteines stand for one, exact, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bridges import facing
from peptides import structure

from latcpb_cli.complete.completion import complete
from latcpb_cli.complete.disulfides import make_disulfides
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.refine import disulfides

CB, SG = 4, 5
NO_BOX = np.zeros((3, 3))


def angle(a, b, c):
    u, v = a - b, c - b
    return np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))


@pytest.mark.parametrize("distance", [3.7, 3.9, 4.2])
def test_a_bridge_is_exact(distance):
    """2.05 Å long, with the angles and the torsion of a disulfide; nothing but SG has moved."""
    trace, atoms, present = facing(distance)
    before = atoms.copy()
    assert abs(np.linalg.norm(atoms[1, SG] - atoms[4, SG]) - 2.05) > 0.3
    assert make_disulfides(trace, atoms, present, NO_BOX) == ((1, 4),)
    one, two = (atoms[row].astype(float) for row in (1, 4))
    assert np.linalg.norm(one[SG] - two[SG]) == pytest.approx(2.05, abs=0.03)
    for near, far in ((one, two), (two, one)):
        assert np.linalg.norm(near[SG] - near[CB]) == pytest.approx(1.808, abs=1e-3)
        assert angle(near[CB], near[SG], far[SG]) == pytest.approx(104.0, abs=12.0)
        assert angle(near[1], near[CB], near[SG]) == pytest.approx(114.0, abs=12.1)
    atoms[[1, 4], SG] = before[[1, 4], SG]
    np.testing.assert_array_equal(atoms, before)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"distance": 5.4}, "CB too far apart"),
        ({"distance": 2.6}, "CB too near"),
        ({"sequence": "ASA"}, "no cysteines"),
    ],
)
def test_no_bridge_where_none_fits(change, why):
    sequence = change.pop("sequence", "ACA")
    trace, atoms, present = facing(**change)
    trace = replace(trace, sequence=sequence * 2)
    before = atoms.copy()
    assert make_disulfides(trace, atoms, present, NO_BOX) == (), why
    np.testing.assert_array_equal(atoms, before)


def test_neighbours_in_a_chain_are_not_joined():
    sample = structure("ACCA", phi=-120.0, psi=130.0)
    assert make_disulfides(sample.trace, sample.atoms[0].copy(), sample.present, NO_BOX) == ()


def test_a_bridge_through_the_box():
    """The second chain one box further is the same system where there is a box, and far away without."""
    trace, atoms, present = facing()
    alone = atoms.copy()
    make_disulfides(trace, alone, present, NO_BOX)
    box = np.diag([60.0, 70.0, 80.0])
    shift = np.array([60.0, 0.0, -80.0], dtype=np.float32)
    atoms[3:] += shift
    assert make_disulfides(trace, atoms.copy(), present, NO_BOX) == ()
    assert make_disulfides(trace, atoms, present, box) == ((1, 4),)
    np.testing.assert_allclose(atoms[3:, SG] - shift, alone[3:, SG], atol=1e-3)
    np.testing.assert_allclose(atoms[:3, SG], alone[:3, SG], atol=1e-3)


def test_each_cysteine_has_one_partner(monkeypatch):
    """Of three cysteines one is left out, and copies of a system far away are joined alike."""
    trace, atoms, present = facing()
    far = atoms + np.float32(200.0)
    both = np.concatenate([atoms, far])
    index = np.r_[trace.chain_index, trace.chain_index + 2]
    twice = replace(
        trace, sequence=trace.sequence * 2, chain_ids=np.tile(trace.chain_ids, 2), chain_index=index,
        resids=np.tile(trace.resids, 2), icodes=np.tile(trace.icodes, 2),
    )  # fmt: skip
    bridges = make_disulfides(twice, both, np.concatenate([present, present]), NO_BOX)
    assert bridges == ((1, 4), (7, 10))
    crowd = np.concatenate([atoms, facing(4.4)[1][3:] + np.float32(0.4)])
    index = np.repeat([0, 1, 2], 3)
    three = replace(
        twice, sequence=trace.sequence + "ACA", chain_ids=np.repeat(["A", "B", "C"], 3), chain_index=index,
        resids=np.tile(np.arange(1, 4), 3), icodes=np.full(9, ""),
    )  # fmt: skip
    monkeypatch.setattr(disulfides, "_LIMIT", 1e6)  # the third overlaps the others
    joined = make_disulfides(three, crowd, np.concatenate([present, present[:3]]), NO_BOX)
    ends = [end for bridge in joined for end in bridge]
    assert len(ends) == 2 and len(disulfides._candidates(three, crowd, NO_BOX)[0]) >= 2


def test_a_bridge_is_no_clash():
    trace, atoms, present = facing()
    make_disulfides(trace, atoms, present, NO_BOX)
    (found,) = frame_clashes(trace.residue_types, atoms[None], present, trace.linked(atoms[None, :, 1]))
    assert not found.contact12.any()
    assert found.overlap04[[1, 4]].sum() == 0


def test_structures_do_not_depend_on_each_other():
    trace, near, _ = facing(3.6)
    _, far, _ = facing(5.6)
    frames = np.stack([near, far, facing(4.0)[1], near])[:, None]
    boxes = np.zeros((4, 6))
    atoms, bridges = complete(trace, frames.copy(), boxes)
    assert [len(found[0]) for found in bridges] == [1, 0, 1, 1]
    for row in range(4):
        alone, joined = complete(trace, frames[row : row + 1].copy(), boxes[:1])
        np.testing.assert_array_equal(alone[0], atoms[row])
        assert joined[0] == bridges[row]
    same, none = complete(trace, frames.copy(), boxes, "none")
    np.testing.assert_array_equal(same, frames)
    assert none == [[()]] * 4
