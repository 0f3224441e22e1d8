"""``latcpb backmap --keep-backbone`` as a user meets it: files, messages, exit codes."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import MDAnalysis
import numpy as np
import pytest
from cg_files import FakeModel, write_trajectory
from peptides import pdb_text, structure

from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.io.backbone_atoms import BACKBONE_OFFER
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run import prepared_run, remote, workers
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.run.workers import LocalWorkers

SEQUENCE = "MGSWTYPLKHCDE"
KEPT = ("N", "CA", "C", "O", "CB")


@pytest.fixture
def native(folder) -> Path:
    """Three models of a peptide with all of its heavy atoms."""
    frames = [structure(SEQUENCE, phi=phi).atoms[0] + 15.0 for phi in (-70.0, -90.0, -110.0)]
    (folder / "native.pdb").write_text(pdb_text(structure(SEQUENCE, np.stack(frames))))
    return folder / "native.pdb"


def atom_columns(path: Path) -> list[tuple[str, ...]]:
    """Atom name, residue, and coordinates as text, of the atoms that are kept."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("ATOM")]
    columns = [(line[12:16].strip(), line[17:26], line[30:54]) for line in lines]
    return sorted(column for column in columns if column[0] in KEPT)


def test_a_pdb_file_keeps_every_digit(native, backmap) -> None:
    code, messages = backmap("native.pdb", "--keep-backbone", "-o", "o.pdb")
    assert code == 0
    assert "kept: N and C of 13 residues, O of 13, CB of 12" in messages and BACKBONE_OFFER not in messages
    assert atom_columns(native.with_name("o.pdb")) == atom_columns(native)
    provenance = json.loads(native.with_name("o.report.json").read_text())["provenance"]
    assert provenance["keep_backbone"] is True and provenance["ca_moved"]["percent"] == 0
    assert backmap("native.pdb", "-o", "plain.pdb")[0] == 0
    assert atom_columns(native.with_name("plain.pdb")) != atom_columns(native)


def test_a_trajectory_keeps_its_numbers(native, backmap) -> None:
    universe = MDAnalysis.Universe(str(native), to_guess=())
    positions = np.stack([universe.atoms.positions.copy() for _ in universe.trajectory])
    given = MDAnalysis.Universe(
        str(native), str(write_trajectory(native.with_name("t.xtc"), positions)), to_guess=()
    )
    assert backmap("t.xtc", "--top", "native.pdb", "--keep-backbone", "-o", "o.xtc", "--samples", 2)[0] == 0
    built = MDAnalysis.Universe("o.top.pdb", "o.xtc", to_guess=())
    chosen = [each.select_atoms(f"name {' '.join(KEPT)}") for each in (given, built)]
    assert [f"{atom.resid} {atom.name}" for atom in chosen[0]] == [f"{a.resid} {a.name}" for a in chosen[1]]
    for number, _ in enumerate(built.trajectory):
        _ = given.trajectory[number // 2]
        np.testing.assert_array_equal(chosen[1].positions, chosen[0].positions)


def test_it_is_offered_where_it_is_possible(native, backmap, latcpb, ca_pdb) -> None:
    assert BACKBONE_OFFER in backmap("native.pdb", "-o", "o.pdb")[1]
    assert f"note       {BACKBONE_OFFER}" in latcpb("inspect", "native.pdb")[1]
    assert BACKBONE_OFFER not in backmap("cg.pdb", "-o", "p.pdb")[1]


def test_an_input_without_a_backbone_is_refused(native, backmap, ca_pdb) -> None:
    code, messages = backmap("cg.pdb", "--keep-backbone", "-o", "o.pdb")
    assert code == 3 and "no N and C beside the Cα" in messages and "hint: " in messages
    lines = [
        line for line in native.read_text().splitlines() if line[12:26].split() != ["N", "MET", "A", "1"]
    ]
    native.write_text("\n".join([*lines, ""]))
    code, messages = backmap("native.pdb", "--keep-backbone", "-o", "o.pdb")
    assert code == 3 and "1 of 13 residues have no N or no C, A:MET1 first" in messages
    assert not native.with_name("o.pdb").exists()


@pytest.mark.parametrize("other", [("--ca-tolerance", 0.3), ("--minimize", 5)])
def test_what_moves_atoms_is_refused(native, backmap, other) -> None:
    if other[0] == "--minimize":
        pytest.importorskip("openmm")
    code, messages = backmap("native.pdb", "--keep-backbone", "-o", "o.pdb", *other)
    assert code == 2 and other[0] in messages


def test_a_run_is_resumed_with_the_same_choice_only(native, backmap, monkeypatch) -> None:
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    monkeypatch.setattr(FakeModel, "fail_at", 1)
    assert backmap("native.pdb", "--keep-backbone", "-o", "o.pdb")[0] == 130
    monkeypatch.setattr(FakeModel, "fail_at", None)
    code, messages = backmap("native.pdb", "-o", "o.pdb", "--resume")
    assert code == 2 and "keep_backbone" in messages
    assert backmap("native.pdb", "--keep-backbone", "-o", "o.pdb", "--resume")[0] == 0
    assert atom_columns(native.with_name("o.pdb")) == atom_columns(native)
    assert "complete already" in backmap("native.pdb", "--keep-backbone", "-o", "o.pdb", "--resume")[1]


def test_every_file_of_a_folder_keeps_its_own(native, backmap) -> None:
    other = native.with_name("other.pdb")
    other.write_text(pdb_text(structure("AGSK", psi=120.0)))
    assert backmap("native.pdb", "other.pdb", "--keep-backbone", "--workers", 0, "-o", "all/")[0] == 0
    for path in (native, other):
        assert atom_columns(path.parent / "all" / path.name) == atom_columns(path)


def test_workers_get_the_backbone(native, tmp_path, monkeypatch) -> None:
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr(workers.multiprocessing, "get_context", lambda method: context)
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: FakeModel())
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    builder, options = LocalWorkers(WorkerSetup(None, "cpu"), 2), BackmapOptions(keep_backbone=True)
    backmap_trajectory(FakeModel(), open_source([native]), tmp_path / "w.pdb", options, builder=builder)
    assert atom_columns(tmp_path / "w.pdb") == atom_columns(native)


def test_a_frame_without_a_backbone_is_a_warning(native, backmap) -> None:
    universe = MDAnalysis.Universe(str(native), to_guess=())
    positions = np.stack([universe.atoms.positions.copy() for _ in universe.trajectory])
    positions[1, universe.select_atoms("resid 4 and name N").indices] += 5.0
    write_trajectory(native.with_name("t.dcd"), positions)
    code, messages = backmap("t.dcd", "--top", "native.pdb", "--keep-backbone", "-o", "o.dcd")
    assert code == 0 and "warning: frame 1, residue A:TRP4: N or C is not bonded to the Cα" in messages
    built = MDAnalysis.Universe("o.top.pdb", "o.dcd", to_guess=())
    _ = built.trajectory[1]
    assert not built.select_atoms("resid 4").positions.any()
    n_atoms = slot_mask()[structure("W").trace.residue_types].sum()
    assert built.select_atoms("resid 4").n_atoms == n_atoms
