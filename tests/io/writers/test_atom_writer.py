"""Writing: strict columns, round trips through independent readers, whole files or none."""

from __future__ import annotations

import warnings

import gemmi
import MDAnalysis
import numpy as np
import pytest
from cg_files import FakeBackmapper, walk

from latcpb_cli.errors import ExitCode, InputError, OutputExistsError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec
from latcpb_cli.io.writers.pdb import chain_letters
from latcpb_cli.run.output_checks import check_output
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk

BOX = [80.0, 90.0, 100.0, 70.0, 80.0, 95.0]


def make_trace(sequence: str, chains: list[str], resids=None, icodes=None, chain_index=None) -> CGTrace:
    ids = np.array(chains)
    if chain_index is None:
        chain_index = np.r_[0, np.cumsum(ids[1:] != ids[:-1])]
    return CGTrace(
        sequence=sequence,
        chain_ids=ids,
        chain_index=np.asarray(chain_index, dtype=np.int64),
        resids=np.asarray(resids if resids is not None else np.arange(1, len(sequence) + 1)),
        icodes=np.array(icodes or [""] * len(sequence)),
    )


TRACE = make_trace(
    "MGWHYAC", list("AAAABBB"), resids=[-5, 99, 100, 100, 1, 2, 9999], icodes=["", "", "", "A", "", "", ""]
)


def make_chunk(trace: CGTrace, n_frames: int = 3, box=BOX) -> FrameChunk:
    boxes = np.tile(np.asarray(box or [0] * 6, dtype=np.float32), (n_frames, 1))
    times = 5.0 + 2.5 * np.arange(n_frames)
    return FrameChunk(walk(len(trace), n_frames), times, boxes, 2 * np.arange(n_frames))


def write(path, trace=TRACE, *, n_frames=3, samples=2, box=BOX, bfactors=None):
    chunk = make_chunk(trace, n_frames, box)
    topology = AtomTopology.heavy_atoms(trace)
    atoms = FakeBackmapper().sample(trace, chunk, samples=samples, seed=0, mode="best")
    with open_writer(path, topology, OutputSpec(n_frames, samples, interval=2.5)) as writer:
        for part in range(n_frames):
            rows = slice(part, part + 1)
            one = FrameChunk(chunk.positions[rows], chunk.times[rows], chunk.boxes[rows], chunk.indices[rows])
            writer.write(atoms[rows], one, None if bfactors is None else bfactors[rows])
        writer.commit()
    return topology, chunk, topology.flatten(atoms.reshape(-1, *atoms.shape[2:]))


def load(*paths):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MDAnalysis.Universe(*[str(path) for path in paths], to_guess=())


def test_pdb_columns(tmp_path):
    """Every record has the columns of the PDB 3.3 description."""
    bfactors = np.arange(3 * 2 * 7).reshape(3, 2, 7) / 4
    topology, _, xyz = write(tmp_path / "a.pdb", bfactors=bfactors)
    models, serial = -1, 0
    for line in (tmp_path / "a.pdb").read_text().splitlines():
        record = line[:6]
        assert len(line) <= 80
        if record == "MODEL ":
            models, atom, serial = models + 1, 0, 0
            assert line == f"MODEL     {models + 1:4d}"
        elif record == "ATOM  ":
            serial += 1
            residue = int(topology.residue[atom])
            assert len(line) == 80
            assert int(line[6:11]) == serial
            assert line[11] == line[16] == line[20] == " "
            assert line[12:16] == f" {topology.names[atom]:<3s}"
            assert line[21] == TRACE.chain_ids[residue]
            assert int(line[22:26]) == TRACE.resids[residue]
            assert line[26].strip() == TRACE.icodes[residue]
            assert line[27:30] == "   "
            np.testing.assert_allclose(
                [float(line[k : k + 8]) for k in (30, 38, 46)], xyz[models, atom], atol=6e-4
            )
            assert line[54:60] == "  1.00"
            assert float(line[60:66]) == pytest.approx(bfactors.reshape(6, 7)[models, residue], abs=6e-3)
            assert line[66:76] == " " * 10
            assert line[76:78] == f"{topology.elements[atom]:>2s}"
            atom += 1
        elif record.strip() == "TER":
            serial += 1
            assert int(line[6:11]) == serial
            assert atom == len(topology) or topology.residue[atom] == 4
        else:
            assert record in ("CRYST1", "REMARK", "ENDMDL", "END")
    assert models == 5
    assert line == "END"


def test_pdb_through_gemmi(tmp_path):
    topology, _, xyz = write(tmp_path / "a.pdb")
    structure = gemmi.read_pdb(str(tmp_path / "a.pdb"))
    assert len(structure) == 6
    np.testing.assert_allclose(structure.cell.parameters, BOX, atol=1e-2)
    for model, expected in zip(structure, xyz, strict=True):
        atoms = list(model.all())
        assert [site.chain.name for site in atoms] == TRACE.chain_ids[topology.residue].tolist()
        assert [site.residue.seqid.num for site in atoms] == TRACE.resids[topology.residue].tolist()
        assert [site.residue.seqid.icode.strip() for site in atoms] == TRACE.icodes[topology.residue].tolist()
        assert [site.atom.name for site in atoms] == topology.names.tolist()
        assert [site.atom.element.name for site in atoms] == topology.elements.tolist()
        np.testing.assert_allclose([site.atom.pos.tolist() for site in atoms], expected, atol=6e-4)


def test_pdb_through_mdanalysis(tmp_path):
    topology, _, xyz = write(tmp_path / "a.pdb")
    universe = load(tmp_path / "a.pdb")
    assert universe.atoms.elements.tolist() == topology.elements.tolist()
    assert universe.atoms.chainIDs.tolist() == TRACE.chain_ids[topology.residue].tolist()
    for step, expected in zip(universe.trajectory, xyz, strict=True):
        np.testing.assert_allclose(step.positions, expected, atol=6e-4)
        np.testing.assert_allclose(step.dimensions, BOX, atol=1e-2)


def test_pdb_comes_back_through_our_reader(tmp_path):
    _, chunk, _ = write(tmp_path / "a.pdb", samples=1)
    source = open_source([tmp_path / "a.pdb"])
    (back,) = source.chunks(10)
    np.testing.assert_allclose(back.positions, chunk.positions, atol=6e-4)
    np.testing.assert_allclose(back.times, chunk.times)
    np.testing.assert_allclose(back.boxes, chunk.boxes, atol=1e-2)
    for name in ("chain_ids", "chain_index", "resids", "icodes"):
        np.testing.assert_array_equal(getattr(source.trace, name), getattr(TRACE, name))


def test_single_frame_has_no_models(tmp_path):
    write(tmp_path / "a.pdb", n_frames=1, samples=1, box=None)
    text = (tmp_path / "a.pdb").read_text()
    assert "MODEL" not in text
    assert "CRYST1" not in text
    assert text.count("\nTER ") == 2


@pytest.mark.parametrize("suffix", [".xtc", ".trr", ".dcd"])
@pytest.mark.parametrize("box", [BOX, None], ids=["box", "no box"])
@pytest.mark.parametrize("samples", [1, 2])
def test_trajectories_round_trip(tmp_path, suffix, box, samples):
    path = tmp_path / f"all{suffix}"
    _, chunk, xyz = write(path, box=box, samples=samples)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(["all.top.pdb", path.name])
    universe = load(tmp_path / "all.top.pdb", path)
    assert len(universe.trajectory) == 3 * samples
    np.testing.assert_allclose(universe.trajectory[0].positions, xyz[0], atol=0.006)
    for number, step in enumerate(universe.trajectory):
        np.testing.assert_allclose(step.positions, xyz[number], atol=0.006 if suffix == ".xtc" else 1e-4)
        if suffix != ".dcd" or number % samples == 0:
            assert step.time == pytest.approx(chunk.times[number // samples], rel=1e-5)
        if suffix != ".dcd":
            assert step.data["step"] == chunk.indices[number // samples]
        if box:
            np.testing.assert_allclose(step.dimensions, BOX, rtol=1e-4)
        else:
            assert step.dimensions is None or not step.dimensions[:3].any()


def test_topology_is_one_clean_frame(tmp_path):
    topology, _, xyz = write(tmp_path / "all.xtc")
    structure = gemmi.read_pdb(str(tmp_path / "all.top.pdb"))
    assert len(structure) == 1
    assert structure[0].count_atom_sites() == len(topology)


def letters(*chains: tuple[str, list[int]]) -> list[str]:
    resids = [number for _, numbers in chains for number in numbers]
    index = [k for k, (_, numbers) in enumerate(chains) for _ in numbers]
    ids = [name for name, numbers in chains for _ in numbers]
    return chain_letters(make_trace("A" * len(ids), ids, resids=resids, chain_index=index))


def test_chain_letters():
    assert letters(("", [1, 2])) == [" "]
    assert letters(("", [1]), ("", [1]), ("", [1])) == ["A", "B", "C"]
    assert letters(("B", [1]), ("", [1]), ("", [1])) == ["B", "A", "C"]
    assert letters(("X", [1]), ("X", [2])) == ["X", "X"]
    assert letters(("A", [1, 2]), ("A", [1, 2])) == ["A", "B"]
    assert letters(("PROA", [1]), ("PROB", [1])) == ["A", "B"]


@pytest.mark.parametrize(
    ("trace", "n_frames", "what"),
    [
        (make_trace("G" * 63, [f"{i}" for i in range(63)], chain_index=np.arange(63)), 1, "63 chains"),
        (make_trace("GG", ["AA", "AA"]), 1, "chain identifier 'AA'"),
        (make_trace("GG", ["A", "A"], resids=[9999, 10000]), 1, "residue number 10000"),
        (make_trace("GG", ["A", "A"], resids=[-1000, 1]), 1, "residue number -1000"),
        (make_trace("GG", ["A", "A"]), 10_000, "10,000 models"),
        (make_trace("W" * 7200, ["A"] * 7200), 1, "100,802 atom and TER records"),
    ],
)
def test_what_a_pdb_cannot_hold_is_refused_first(tmp_path, trace, n_frames, what):
    with pytest.raises(InputError, match=what) as caught:
        open_writer(
            tmp_path / "a.pdb",
            AtomTopology.heavy_atoms(trace),
            OutputSpec(n_frames),
        )
    assert ".xtc" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_big_topologies_wrap_their_numbers(tmp_path):
    n_residues = 12_000
    chains = [f"c{i // 150}" for i in range(n_residues)]
    trace = make_trace("W" * n_residues, chains, resids=np.arange(1, n_residues + 1))
    write(tmp_path / "all.xtc", trace, n_frames=1, samples=1, box=None)
    universe = load(tmp_path / "all.top.pdb", tmp_path / "all.xtc")
    assert len(universe.residues) == n_residues
    assert universe.residues.resids[-1] == n_residues
    lines = (tmp_path / "all.top.pdb").read_text().splitlines()
    assert {len(line) for line in lines if line.startswith("ATOM")} == {80}


def test_coordinates_that_do_not_fit(tmp_path):
    chunk = make_chunk(TRACE, 1)
    chunk.positions[:] += 9990.0
    topology = AtomTopology.heavy_atoms(TRACE)
    atoms = FakeBackmapper().sample(TRACE, chunk, samples=1, seed=0, mode="best")
    with (
        pytest.raises(InputError, match="do not fit"),
        open_writer(tmp_path / "a.pdb", topology, OutputSpec(1)) as writer,
    ):
        writer.write(atoms, chunk)
    assert not list(tmp_path.iterdir())
    with open_writer(tmp_path / "a.dcd", topology, OutputSpec(1)) as writer:
        writer.write(atoms, chunk)
        writer.commit()
    universe = load(tmp_path / "a.top.pdb", tmp_path / "a.dcd")
    np.testing.assert_allclose(universe.atoms.positions, topology.flatten(atoms[0])[0], rtol=1e-6)


@pytest.mark.parametrize("name", ["a.pdb", "a.xtc", "a.dcd", "a.trr"])
def test_nothing_is_left_without_commit(tmp_path, name):
    chunk = make_chunk(TRACE, 2)
    topology = AtomTopology.heavy_atoms(TRACE)
    atoms = FakeBackmapper().sample(TRACE, chunk, samples=1, seed=0, mode="best")
    with (
        pytest.raises(KeyboardInterrupt),
        open_writer(tmp_path / name, topology, OutputSpec(4)) as writer,
    ):
        writer.write(atoms, chunk)
        assert (tmp_path / f"{name}.part").exists()
        assert not (tmp_path / name).exists()
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("there", ["all.xtc", "all.top.pdb", "all.report.json"])
def test_existing_files_are_refused(tmp_path, there):
    (tmp_path / there).write_text("precious")
    beside = [tmp_path / "all.report.json"]
    with pytest.raises(OutputExistsError, match=there) as caught:
        check_output(tmp_path / "all.xtc", False, beside=beside)
    assert caught.value.exit_code is ExitCode.OUTPUT_EXISTS
    check_output(tmp_path / "all.xtc", True, beside=beside)
    assert (tmp_path / there).read_text() == "precious"


def test_impossible_outputs(tmp_path):
    with pytest.raises(UsageError, match="cannot write format '.docx'"):
        check_output(tmp_path / "a.docx", False)
    with pytest.raises(UsageError, match="no such folder"):
        check_output(tmp_path / "nowhere" / "a.pdb", False)
    (tmp_path / "in.pdb").touch()
    with pytest.raises(UsageError, match="is an input"):
        check_output(tmp_path / "in.pdb", True, inputs=[tmp_path / "in.pdb"])
