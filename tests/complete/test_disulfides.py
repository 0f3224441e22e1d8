"""Disulfides: exact where two cysteines are positioned for one, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bridges import facing
from peptides import structure

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, slot_of
from latcpb_cli.complete import disulfides
from latcpb_cli.complete.disulfides import find_candidates, make_disulfides
from latcpb_cli.metrics.clashes import frame_clashes

SG_SLOT = slot_of("CYS", "SG")
NO_BOX = np.zeros((3, 3))


def angle(a, b, c):
    u, v = a - b, c - b
    return np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))


@pytest.mark.parametrize("distance", [3.7, 3.9, 4.2])
def test_a_disulfide_has_ideal_geometry(distance):
    """2.05 Å long, with the angles of a disulfide; nothing but SG moves."""
    trace, atoms, present = facing(distance)
    before = atoms.copy()
    assert abs(np.linalg.norm(atoms[1, SG_SLOT] - atoms[4, SG_SLOT]) - 2.05) > 0.3
    assert make_disulfides(trace, atoms, present, NO_BOX) == ((1, 4),)
    first, second = (atoms[row].astype(float) for row in (1, 4))
    assert np.linalg.norm(first[SG_SLOT] - second[SG_SLOT]) == pytest.approx(2.05, abs=0.03)
    for own, other in ((first, second), (second, first)):
        assert np.linalg.norm(own[SG_SLOT] - own[CB_SLOT]) == pytest.approx(1.808, abs=1e-3)
        assert angle(own[CB_SLOT], own[SG_SLOT], other[SG_SLOT]) == pytest.approx(104.0, abs=12.0)
        assert angle(own[CA_SLOT], own[CB_SLOT], own[SG_SLOT]) == pytest.approx(114.0, abs=12.1)
    atoms[[1, 4], SG_SLOT] = before[[1, 4], SG_SLOT]
    np.testing.assert_array_equal(atoms, before)


@pytest.mark.parametrize(
    ("distance", "sequence"),
    [
        pytest.param(5.4, "ACA", id="CB too far apart"),
        pytest.param(2.6, "ACA", id="CB too near"),
        pytest.param(3.8, "ASA", id="no cysteines"),
    ],
)
def test_no_disulfide_where_none_fits(distance, sequence):
    trace, atoms, present = facing(distance)
    trace = replace(trace, sequence=sequence * 2)
    before = atoms.copy()
    assert make_disulfides(trace, atoms, present, NO_BOX) == ()
    np.testing.assert_array_equal(atoms, before)


def test_neighbours_in_a_chain_are_not_joined():
    sample = structure("ACCA", phi=-120.0, psi=130.0)
    assert make_disulfides(sample.trace, sample.atoms[0].copy(), sample.present, NO_BOX) == ()


def test_cysteines_at_a_metal_ion_are_not_joined():
    """Two histidines with CB near both, and sulfurs as far apart as around zinc."""
    trace, atoms, present = facing(4.4, sequence="ACA")
    atoms[[1, 4], SG_SLOT] = atoms[[1, 4], CB_SLOT]  # 4.3 Å apart at most
    atoms[1, SG_SLOT] += 0.15 * (atoms[4, CB_SLOT] - atoms[1, CB_SLOT])
    assert [len(x) for x in find_candidates(trace, atoms, NO_BOX)] == [1, 1, 1]
    with_histidines = replace(trace, sequence="HCAHCA")
    center = (atoms[1, CB_SLOT] + atoms[4, CB_SLOT]) / 2
    near = atoms.copy()
    near[[0, 3], CB_SLOT] = center + np.array([[3.0, 0.0, 0.0], [-3.0, 0.0, 0.0]], dtype=np.float32)
    assert len(find_candidates(with_histidines, near, NO_BOX).first) == 0
    near[0, CB_SLOT] += 20.0
    assert len(find_candidates(with_histidines, near, NO_BOX).first) == 1


def test_a_disulfide_across_the_periodic_boundary():
    """The second chain one box further is the same system with a box, and far away without."""
    trace, atoms, present = facing()
    alone = atoms.copy()
    make_disulfides(trace, alone, present, NO_BOX)
    box = np.diag([60.0, 70.0, 80.0])
    shift = np.array([60.0, 0.0, -80.0], dtype=np.float32)
    atoms[3:] += shift
    assert make_disulfides(trace, atoms.copy(), present, NO_BOX) == ()
    assert make_disulfides(trace, atoms, present, box) == ((1, 4),)
    np.testing.assert_allclose(atoms[3:, SG_SLOT] - shift, alone[3:, SG_SLOT], atol=1e-3)
    np.testing.assert_allclose(atoms[:3, SG_SLOT], alone[:3, SG_SLOT], atol=1e-3)


def repeated(trace, count):
    """The residues of a trace several times, with chains of their own."""
    n_chains = int(trace.chain_index.max()) + 1
    return replace(
        trace,
        sequence=trace.sequence * count,
        chain_ids=np.tile(trace.chain_ids, count),
        chain_index=np.concatenate([trace.chain_index + n_chains * copy for copy in range(count)]),
        resids=np.tile(trace.resids, count),
        icodes=np.tile(trace.icodes, count),
    )


def test_copies_of_a_system_are_joined_alike():
    trace, atoms, present = facing()
    both = np.concatenate([atoms, atoms + np.float32(200.0)])
    bridges = make_disulfides(repeated(trace, 2), both, np.concatenate([present, present]), NO_BOX)
    assert bridges == ((1, 4), (7, 10))


def test_each_cysteine_has_at_most_one_partner(monkeypatch):
    """Of three cysteines within reach of each other, one stays free, though its pairs would be cheap."""
    trace, atoms, present = facing()
    third = facing(4.4)[1][3:] + np.float32(0.4)
    crowd = np.concatenate([atoms, third])
    three = replace(
        repeated(trace, 2),
        sequence="ACA" * 3,
        chain_ids=np.repeat(["A", "B", "C"], 3),
        chain_index=np.repeat([0, 1, 2], 3),
        resids=np.tile(np.arange(1, 4), 3),
        icodes=np.full(9, ""),
    )
    monkeypatch.setattr(disulfides, "_MAX_COST", 1e6)  # because the third cysteine overlaps the others
    assert len(find_candidates(three, crowd, NO_BOX).first) >= 2
    bridges = make_disulfides(three, crowd, np.concatenate([present, present[:3]]), NO_BOX)
    assert len(bridges) == 1


def test_a_disulfide_that_overlaps_other_atoms_is_not_made():
    """An alanine in the way of both sulfurs, wherever they turn."""
    trace, atoms, present = facing()
    blocked = atoms.copy()
    make_disulfides(trace, atoms, present, NO_BOX)
    middle = atoms[[1, 4], SG_SLOT].mean(axis=0)
    blocked[0] = middle + 0.3 * np.eye(15, 3, dtype=np.float32)
    before = blocked.copy()
    blocked[0, CA_SLOT] = atoms[0, CA_SLOT]
    assert make_disulfides(trace, blocked, present, NO_BOX) == ()
    np.testing.assert_array_equal(blocked[1:], before[1:])


def test_a_disulfide_is_no_clash():
    trace, atoms, present = facing()
    make_disulfides(trace, atoms, present, NO_BOX)
    (clashes,) = frame_clashes(
        trace.residue_types, atoms[None], present, trace.linked(atoms[None, :, CA_SLOT])
    )
    assert not clashes.contact12.any()
    assert clashes.overlap04[[1, 4]].sum() == 0
