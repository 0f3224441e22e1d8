"""Structures with hydrogens and minimised structures: what changes, and what must not."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import build, structure

pytest.importorskip("openmm")

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CB_SLOT, N_SLOT, N_SLOTS  # noqa: E402
from latcpb_cli.errors import InputError  # noqa: E402
from latcpb_cli.md.hydrogen_minimizer import HydrogenMinimizer  # noqa: E402
from latcpb_cli.options import MdOptions  # noqa: E402
from latcpb_cli.structure import AtomTopology, FrameChunk  # noqa: E402

SEQUENCE = "GITYKPDW"
EXTENDED = {"phi": -120.0, "psi": 130.0}
NO_BOX = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def chunk_of(atoms, box=NO_BOX):
    """A chunk whose frames are the Cα of atoms (F, L, 15, 3)."""
    boxes = np.tile(np.array(box, dtype=np.float32), (len(atoms), 1))
    return FrameChunk(atoms[:, :, CA_SLOT], np.arange(len(atoms)) * 1.0, boxes, np.arange(len(atoms)))


def minimizer_of(trace, **options):
    return HydrogenMinimizer(AtomTopology.heavy_atoms(trace), MdOptions(**options), "cpu")


def process(built, box=NO_BOX, **options):
    """Processed atoms (F, L, A, 3) and rows of the report."""
    minimizer = minimizer_of(built.trace, **options)
    atoms, rows = minimizer.process(built.atoms[:, None], chunk_of(built.atoms, box))
    return atoms[:, 0], rows


def test_hydrogens_leave_heavy_atoms_unchanged():
    built = structure(SEQUENCE, **EXTENDED)
    atoms, rows = process(built, hydrogens=True)
    np.testing.assert_allclose(atoms[:, :, :N_SLOTS], built.atoms, atol=1e-5)
    np.testing.assert_array_equal(atoms[:, :, CA_SLOT], built.atoms[:, :, CA_SLOT])
    assert rows == [{}]


def test_hydrogens_have_the_same_bytes_in_every_run():
    """Forces that several threads add up differ from run to run: in one of five of these frames, or more."""
    built = structure("ACDEFGHIKLMNPQRSTVWY", **EXTENDED)
    frames = np.repeat(built.atoms, 24, axis=0)
    frames = frames + np.random.default_rng(0).normal(scale=0.05, size=frames.shape).astype(np.float32)
    runs = [
        minimizer_of(built.trace, hydrogens=True).process(frames[:, None], chunk_of(frames))[0]
        for _ in range(2)
    ]
    assert (runs[0] == runs[1]).all()


def test_inverted_hydrogens_are_put_back(monkeypatch):
    """A minimisation that pushes a hydrogen through its centre does not change the chirality."""
    built, minimizer = (
        structure(SEQUENCE, **EXTENDED),
        minimizer_of(structure(SEQUENCE).trace, hydrogens=True),
    )
    topology = minimizer.topology
    ca = np.flatnonzero((topology.residue == 3) & (topology.names == "CA"))[0]
    ha = np.flatnonzero((topology.residue == 3) & (topology.names == "HA"))[0]
    minimize = minimizer._engine.minimize

    def minimize_and_push(system, start, steps, *box):
        result = minimize(system, start, steps, *box)
        result.positions[ha] = 2 * start[ca] - start[ha]
        return result

    monkeypatch.setattr(minimizer._engine, "minimize", minimize_and_push)
    atoms = minimizer.process(built.atoms[:, None], chunk_of(built.atoms))[0][0, 0, 3]
    arms = atoms[[N_SLOT, C_SLOT, CB_SLOT]] - atoms[CA_SLOT]
    assert (atoms[topology.slot[ha]] - atoms[CA_SLOT]) @ arms.sum(axis=0) < 0


def test_a_frame_does_not_depend_on_those_before_it():
    one, two = build(SEQUENCE, **EXTENDED)[0], build(SEQUENCE)[0]
    atoms = np.stack([one, two, one])[:, None]
    minimizer = minimizer_of(structure(SEQUENCE).trace, hydrogens=True, minimize=20)
    together, rows = minimizer.process(atoms, chunk_of(atoms[:, 0]))
    alone, _ = minimizer.process(atoms[1:2], chunk_of(atoms[1:2, 0]))
    np.testing.assert_array_equal(together[0], together[2])
    np.testing.assert_array_equal(together[1], alone[0])
    assert rows[0] == rows[2] != rows[1]


def test_minimisation_lowers_the_energy_and_restrains_the_trace():
    built = structure(SEQUENCE, **EXTENDED)
    atoms, (row,) = process(built, minimize=200)
    assert atoms.shape == built.atoms.shape
    assert row["energy_after_kj_mol"] < row["energy_before_kj_mol"] - 100
    displacement = np.linalg.norm(atoms[0, :, CA_SLOT] - built.atoms[0, :, CA_SLOT], axis=1)
    assert row["minimize_ca_moved_max"] == pytest.approx(displacement.max(), abs=1e-3)
    assert displacement.max() < 0.5
    assert (row["not_minimized"], row["hands_changed"], row["cis_trans_changed"]) == (0, 0, 0)
    _, (unrestrained,) = process(built, minimize=200, restraint=0.0)
    assert unrestrained["minimize_ca_moved_max"] > 2 * row["minimize_ca_moved_max"]


def test_implicit_solvent_lowers_the_energy_of_charges():
    built = structure("DDG", **EXTENDED)
    vacuum, water = (process(built, minimize=1, solvent=solvent)[1][0] for solvent in ("vacuum", "gbn2"))
    assert water["energy_before_kj_mol"] < vacuum["energy_before_kj_mol"] - 300


def test_the_two_sides_of_a_break_do_not_attract_each_other():
    built = structure(SEQUENCE, **EXTENDED)
    built.atoms[:, 4:] += np.array([20.0, 0, 0], dtype=np.float32)
    atoms, (row,) = process(built, minimize=100)
    assert np.linalg.norm(atoms[0, 4, N_SLOT] - atoms[0, 3, C_SLOT]) > 15
    assert row["minimize_ca_moved_max"] < 0.5


def test_periodic_images_contribute_to_the_energy():
    built = structure("GGG", **EXTENDED)
    size = np.ptp(built.atoms[0, :, : C_SLOT + 1].reshape(-1, 3), axis=0)
    tight_box = (*(size + (2.0, 30.0, 30.0)), 90.0, 90.0, 90.0)
    assert tight_box[0] < 13
    (tight,), (free,) = (process(built, box, minimize=1)[1] for box in (tight_box, (60, 60, 60, 90, 90, 90)))
    assert tight["energy_before_kj_mol"] != pytest.approx(free["energy_before_kj_mol"], abs=5.0)


def test_structures_with_infinite_coordinates_are_left_as_they_are():
    built = structure("GAG")
    built.atoms[0, 1] = np.inf
    atoms, (row,) = process(built, minimize=5)
    assert row == {"not_minimized": 1}
    assert not np.isfinite(atoms[0, 1, N_SLOT]).any()


def test_residues_unknown_to_the_force_field_raise_an_error_before_any_frame():
    trace = structure("GSG").trace
    modified = type(trace)(**{**vars(trace), "variants": np.array(["", "SEP", ""])})
    with pytest.raises(InputError, match=r"amber14.*SER"):
        minimizer_of(modified, hydrogens=True)


def test_settings_describe_the_set_up():
    settings = minimizer_of(structure("GHDG").trace, hydrogens=True, minimize=10, ph=5.0).settings["md"]
    assert settings["force_field"] == "amber14"
    assert settings["states"] == {"HIP": 1, "ASP": 1}
    assert settings["minimize"] == 10
    assert "minimize" not in minimizer_of(structure("GG").trace, hydrogens=True).settings["md"]
