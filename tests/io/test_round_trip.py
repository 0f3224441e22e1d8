"""Chain ids, numbers, insertion codes, order, times and box come out as they went in."""

from __future__ import annotations

import warnings
from pathlib import Path

import gemmi
import MDAnalysis
import numpy as np
import pytest
from cg_files import FakeModel, walk, write_ca_pdb, write_trajectory

from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.run.pipeline import backmap_trajectory

SEQUENCE = "MGSWTYPLKHCDE"
CHAINS = "BBBBB" + "AAAA" + "ZZZZ"
RESIDS = [-2, -1, 0, 1, 1, 100, 101, 105, 106, 7, 7, 7, 8]
ICODES = ["", "", "", "", "A", "", "", "", "", "", "A", "B", ""]
BOX = [80.0, 90.0, 100.0, 75.0, 80.0, 95.0]
TIMES = 10.0 * np.arange(6)


@pytest.fixture
def inputs(tmp_path) -> tuple[Path, Path, np.ndarray]:
    """A topology of three chains, and six frames in a tilted box."""
    positions = walk(len(SEQUENCE), 6)
    top = write_ca_pdb(
        tmp_path / "cg.pdb", SEQUENCE, positions[:1], chains=CHAINS, resids=RESIDS, icodes=ICODES, box=BOX
    )
    return top, write_trajectory(tmp_path / "cg.trr", positions, box=BOX), positions


def backmap(inputs, output: Path, **options) -> Path:
    top, trajectory, _ = inputs
    source = open_source([trajectory], top, ReadOptions(**options))
    backmap_trajectory(FakeModel(), source, output, BackmapOptions(report=False))
    return output


def residues_of_gemmi(model: gemmi.Model) -> list[tuple[str, int, str]]:
    return [(c.name, r.seqid.num, r.seqid.icode.strip()) for c in model for r in c]


EXPECTED = list(zip(CHAINS, RESIDS, ICODES, strict=True))


def test_gemmi_reads_the_same_labels(tmp_path, inputs):
    structure = gemmi.read_pdb(str(backmap(inputs, tmp_path / "all.pdb")))
    assert len(structure) == 6
    np.testing.assert_allclose(structure.cell.parameters, BOX, atol=0.01)
    for model, positions in zip(structure, inputs[2], strict=True):
        assert residues_of_gemmi(model) == EXPECTED
        ca_atoms = [site.atom.pos.tolist() for site in model.all() if site.atom.name == "CA"]
        np.testing.assert_allclose(ca_atoms, positions, atol=1e-3)


@pytest.mark.parametrize("suffix", [".pdb", ".xtc", ".trr", ".dcd"])
def test_mdanalysis_reads_the_same_labels(tmp_path, inputs, suffix):
    output = backmap(inputs, tmp_path / f"all{suffix}")
    files = [output] if suffix == ".pdb" else [tmp_path / "all.top.pdb", output]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe(*map(str, files), to_guess=())
    ca_atoms = universe.select_atoms("name CA")
    assert ca_atoms.chainIDs.tolist() == list(CHAINS)
    assert ca_atoms.resids.tolist() == RESIDS
    assert [str(code).strip() for code in ca_atoms.icodes] == ICODES
    steps = [(step.time, step.dimensions.copy(), ca_atoms.positions.copy()) for step in universe.trajectory]
    times, boxes, positions = (np.array(column) for column in zip(*steps, strict=True))
    np.testing.assert_allclose(positions, inputs[2], atol=0.006)
    np.testing.assert_allclose(boxes, np.tile(BOX, (6, 1)), rtol=2e-4)
    if suffix != ".pdb":
        np.testing.assert_allclose(times, TIMES, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("suffix", [".pdb", ".xtc", ".trr", ".dcd"])
def test_mdtraj_reads_the_same_labels(tmp_path, inputs, suffix):
    mdtraj = pytest.importorskip("mdtraj")
    output = backmap(inputs, tmp_path / f"all{suffix}")
    top = output if suffix == ".pdb" else tmp_path / "all.top.pdb"
    loaded = mdtraj.load(str(output)) if suffix == ".pdb" else mdtraj.load(str(output), top=str(top))
    ca_atoms = [atom for atom in loaded.topology.atoms if atom.name == "CA"]
    assert [atom.residue.resSeq for atom in ca_atoms] == RESIDS
    assert [atom.residue.chain.index for atom in ca_atoms] == [0] * 5 + [1] * 4 + [2] * 4
    assert [atom.residue.code for atom in ca_atoms] == list(SEQUENCE)
    positions = 10.0 * loaded.xyz[:, [atom.index for atom in ca_atoms]]
    np.testing.assert_allclose(positions, inputs[2], atol=0.006)
    np.testing.assert_allclose(10.0 * loaded.unitcell_lengths, np.tile(BOX[:3], (6, 1)), rtol=2e-4)
    np.testing.assert_allclose(loaded.unitcell_angles, np.tile(BOX[3:], (6, 1)), rtol=2e-4)
    if suffix in (".xtc", ".trr"):
        np.testing.assert_allclose(loaded.time, TIMES, rtol=1e-5, atol=1e-6)


def test_latcpb_reads_what_was_written(tmp_path, inputs):
    output = backmap(inputs, tmp_path / "all.pdb")
    source = open_source([output])
    assert (
        list(zip(source.trace.chain_ids, source.trace.resids, source.trace.icodes, strict=True)) == EXPECTED
    )
    chunk = next(source.chunks(6))
    np.testing.assert_allclose(chunk.times, TIMES, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(chunk.boxes, np.tile(BOX, (6, 1)), atol=0.01)


def test_order_of_chains_and_residues(tmp_path, inputs):
    """A selection drops beads and moves none."""
    output = backmap(inputs, tmp_path / "all.pdb", selection="not chainID A")
    model = gemmi.read_pdb(str(output))[0]
    assert residues_of_gemmi(model) == [row for row in EXPECTED if row[0] != "A"]


def test_read_only_folder_of_inputs(tmp_path, inputs):
    folder = tmp_path / "locked"
    folder.mkdir()
    moved = [path.rename(folder / path.name) for path in inputs[:2]]
    folder.chmod(0o555)
    try:
        backmap((*moved, inputs[2]), tmp_path / "all.xtc")
        assert sorted(entry.name for entry in folder.iterdir()) == ["cg.pdb", "cg.trr"]
    finally:
        folder.chmod(0o755)


def test_links_are_replaced(tmp_path, inputs):
    """A symbolic link in place of the part file, or of the output, is replaced and not followed."""
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("all.xtc", "all.xtc.part", "all.top.pdb.part"):
        (out / name).symlink_to(precious)
    top, trajectory, _ = inputs
    source = open_source([trajectory], top)
    backmap_trajectory(FakeModel(), source, out / "all.xtc", BackmapOptions(overwrite=True, report=False))
    assert precious.read_text() == "precious"
    assert sorted(entry.name for entry in out.iterdir()) == ["all.top.pdb", "all.xtc"]
    assert not (out / "all.xtc").is_symlink()
