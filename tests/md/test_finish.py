"""Structures with hydrogens and minimised: what changes, and what must not."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import build, structure

pytest.importorskip("openmm")

from latcpb_cli.errors import InputError  # noqa: E402
from latcpb_cli.md.changes import changed_hands, changed_peptides  # noqa: E402
from latcpb_cli.md.hydrogen_minimizer import HydrogenMinimizer  # noqa: E402
from latcpb_cli.options import MdOptions  # noqa: E402
from latcpb_cli.structure import AtomTopology, FrameChunk  # noqa: E402

SEQUENCE = "GITYKPDW"
EXTENDED = {"phi": -120.0, "psi": 130.0}


def chunk_of(atoms, box=(0, 0, 0, 0, 0, 0)):
    boxes = np.tile(np.array(box, dtype=np.float32), (len(atoms), 1))
    return FrameChunk(atoms[:, :, 1], np.arange(len(atoms)) * 1.0, boxes, np.arange(len(atoms)))


def finisher(trace, **options):
    return HydrogenMinimizer(AtomTopology.heavy_atoms(trace), MdOptions(**options), "cpu", 1)


def finish(built, box=(0, 0, 0, 0, 0, 0), **options):
    result = finisher(built.trace, **options).finish(built.atoms[:, None], chunk_of(built.atoms, box))
    return result[0][:, 0], result[1]


def test_hydrogens_leave_the_heavy_atoms_alone():
    built = structure(SEQUENCE, **EXTENDED)
    atoms, rows = finish(built, hydrogens=True)
    np.testing.assert_allclose(atoms[:, :, :15], built.atoms, atol=1e-5)
    np.testing.assert_array_equal(atoms[:, :, 1], built.atoms[:, :, 1])
    assert rows == [{}]


def test_hydrogens_that_were_pushed_through_a_centre_are_put_back(monkeypatch):
    built, tool = structure(SEQUENCE, **EXTENDED), finisher(structure(SEQUENCE).trace, hydrogens=True)
    whole = tool.topology
    alpha = np.flatnonzero((whole.residue == 3) & (whole.names == "CA"))[0]
    pushed = np.flatnonzero((whole.residue == 3) & (whole.names == "HA"))[0]
    minimize = tool._engine.minimize

    def push(system, start, steps, *box):
        found = minimize(system, start, steps, *box)
        found.positions[pushed] = 2 * start[alpha] - start[pushed]
        return found

    monkeypatch.setattr(tool._engine, "minimize", push)
    atoms = tool.finish(built.atoms[:, None], chunk_of(built.atoms))[0][0, 0, 3]
    arms = atoms[[0, 2, 4]] - atoms[1]
    assert (atoms[whole.slot[pushed]] - atoms[1]) @ arms.sum(axis=0) < 0


def test_a_frame_does_not_depend_on_those_before():
    one, two = build(SEQUENCE, **EXTENDED)[0], build(SEQUENCE)[0]
    atoms = np.stack([one, two, one])[:, None]
    tool = finisher(structure(SEQUENCE).trace, hydrogens=True, minimize=20)
    together, rows = tool.finish(atoms, chunk_of(atoms[:, 0]))
    alone, _ = tool.finish(atoms[1:2], chunk_of(atoms[1:2, 0]))
    np.testing.assert_array_equal(together[0], together[2])
    np.testing.assert_array_equal(together[1], alone[0])
    assert rows[0] == rows[2] != rows[1]


def test_minimisation_goes_downhill_and_holds_the_trace():
    built = structure(SEQUENCE, **EXTENDED)
    atoms, (row,) = finish(built, minimize=200)
    assert atoms.shape == built.atoms.shape
    assert row["energy_after_kj_mol"] < row["energy_before_kj_mol"] - 100
    moved = np.linalg.norm(atoms[0, :, 1] - built.atoms[0, :, 1], axis=1)
    assert row["minimize_ca_moved_max"] == pytest.approx(moved.max(), abs=1e-3) and moved.max() < 0.5
    assert (row["not_minimized"], row["hands_changed"], row["cis_trans_changed"]) == (0, 0, 0)
    _, (loose,) = finish(built, minimize=200, restraint=0.0)
    assert loose["minimize_ca_moved_max"] > 2 * row["minimize_ca_moved_max"]


def test_implicit_solvent_lowers_the_energy_of_charges():
    built = structure("DDG", **EXTENDED)
    vacuum, water = (finish(built, minimize=1, solvent=solvent)[1][0] for solvent in ("vacuum", "gbn2"))
    assert water["energy_before_kj_mol"] < vacuum["energy_before_kj_mol"] - 300


def test_a_break_is_not_pulled_together():
    built = structure(SEQUENCE, **EXTENDED)
    built.atoms[:, 4:] += np.array([20.0, 0, 0], dtype=np.float32)
    atoms, (row,) = finish(built, minimize=100)
    assert np.linalg.norm(atoms[0, 4, 0] - atoms[0, 3, 2]) > 15
    assert row["minimize_ca_moved_max"] < 0.5


def test_neighbours_across_the_box_count():
    built = structure("GGG", **EXTENDED)
    size = np.ptp(built.atoms[0, :, :3].reshape(-1, 3), axis=0)
    box = (*(size + (2.0, 30.0, 30.0)), 90.0, 90.0, 90.0)
    assert box[0] < 13
    (tight,), (free,) = (finish(built, b, minimize=1)[1] for b in (box, (60, 60, 60, 90, 90, 90)))
    assert tight["energy_before_kj_mol"] != pytest.approx(free["energy_before_kj_mol"], abs=5.0)


def test_what_is_no_structure_is_left_as_it_is():
    built = structure("GAG")
    built.atoms[0, 1] = np.inf
    atoms, (row,) = finish(built, minimize=5)
    assert row == {"not_minimized": 1}
    assert not np.isfinite(atoms[0, 1, 0]).any()


def test_unknown_residues_are_refused_before_any_frame():
    trace = structure("GSG").trace
    modified = type(trace)(**{**vars(trace), "variants": np.array(["", "SEP", ""])})
    with pytest.raises(InputError, match="amber14.*SER"):
        finisher(modified, hydrogens=True)


def test_hands_that_change_are_counted():
    built = structure("GITV")
    mirrored = built.atoms[0] * np.array([-1.0, 1, 1])
    types = built.trace.residue_types
    assert changed_hands(types, built.atoms[0], built.atoms[0]) == 0
    # Three Cα, and the Cβ of Ile and Thr.
    assert changed_hands(types, built.atoms[0], mirrored) == 5


def test_peptides_that_turn_are_counted():
    trans, cis = (build("GAPG", omega=[180.0, omega, 180.0, 180.0])[0] for omega in (180.0, 0.0))
    linked = np.array([True, True, True, False])
    assert changed_peptides(trans, cis, linked) == 1
    assert changed_peptides(trans, cis, np.zeros(4, dtype=bool)) == 0
