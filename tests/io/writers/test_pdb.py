"""PDB files: strict columns, other readers, and what does not fit."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from written import BOX, TRACE, load_universe, make_atoms, make_chunk, make_trace, write_frames

from latcpb_cli.errors import InputError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec
from latcpb_cli.structure import AtomTopology


def test_columns(tmp_path):
    """Every record has the columns of the PDB 3.3 description."""
    n_atoms = len(AtomTopology.heavy_atoms(TRACE))
    bfactors = np.arange(3 * 2 * n_atoms).reshape(3, 2, n_atoms) / 4
    topology, _, xyz = write_frames(tmp_path / "a.pdb", bfactors=bfactors)
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
            assert float(line[60:66]) == pytest.approx(bfactors.reshape(6, -1)[models, atom], abs=6e-3)
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


def test_gemmi_reads_what_was_written(tmp_path):
    topology, _, xyz = write_frames(tmp_path / "a.pdb")
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


def test_mdanalysis_reads_what_was_written(tmp_path):
    topology, _, xyz = write_frames(tmp_path / "a.pdb")
    universe = load_universe(tmp_path / "a.pdb")
    assert universe.atoms.elements.tolist() == topology.elements.tolist()
    assert universe.atoms.chainIDs.tolist() == TRACE.chain_ids[topology.residue].tolist()
    for step, expected in zip(universe.trajectory, xyz, strict=True):
        np.testing.assert_allclose(step.positions, expected, atol=6e-4)
        np.testing.assert_allclose(step.dimensions, BOX, atol=1e-2)


def test_latcpb_reads_what_was_written(tmp_path):
    _, chunk, _ = write_frames(tmp_path / "a.pdb", samples=1)
    source = open_source([tmp_path / "a.pdb"])
    (back,) = source.chunks(10)
    np.testing.assert_allclose(back.positions, chunk.positions, atol=6e-4)
    np.testing.assert_allclose(back.times, chunk.times)
    np.testing.assert_allclose(back.boxes, chunk.boxes, atol=1e-2)
    for name in ("chain_ids", "chain_index", "resids", "icodes"):
        np.testing.assert_array_equal(getattr(source.trace, name), getattr(TRACE, name))


def test_a_chain_may_be_called_by_any_printable_letter(tmp_path):
    trace = make_trace("GAC", list("%{A"))
    chunk = make_chunk(trace, 1)
    with open_writer(tmp_path / "a.pdb", AtomTopology.heavy_atoms(trace), OutputSpec(1)) as writer:
        writer.write(make_atoms(trace, chunk), chunk)
        writer.commit()
    structure = gemmi.read_pdb(str(tmp_path / "a.pdb"))
    assert [chain.name for chain in structure[0]] == ["%", "{", "A"]


def test_single_frame_has_no_models(tmp_path):
    write_frames(tmp_path / "a.pdb", n_frames=1, samples=1, box=None)
    text = (tmp_path / "a.pdb").read_text()
    assert "MODEL" not in text
    assert "CRYST1" not in text
    assert text.count("\nTER ") == 2


@pytest.mark.parametrize(
    ("trace", "n_frames", "what"),
    [
        (make_trace("G" * 63, [f"{i}" for i in range(63)], chain_index=np.arange(63)), 1, "63 chains"),
        (make_trace("GG", ["A", "A"], resids=[9998, 10000]), 1, "residue number 10000 of A:GLY10000"),
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


def test_coordinates_that_do_not_fit(tmp_path):
    chunk = make_chunk(TRACE, 1)
    chunk.positions[:] += 9990.0
    topology = AtomTopology.heavy_atoms(TRACE)
    atoms = make_atoms(TRACE, chunk)
    with (
        pytest.raises(InputError, match="do not fit"),
        open_writer(tmp_path / "a.pdb", topology, OutputSpec(1)) as writer,
    ):
        writer.write(atoms, chunk)
    assert not list(tmp_path.iterdir())
    with open_writer(tmp_path / "a.dcd", topology, OutputSpec(1)) as writer:
        writer.write(atoms, chunk)
        writer.commit()
    universe = load_universe(tmp_path / "a.top.pdb", tmp_path / "a.dcd")
    np.testing.assert_allclose(universe.atoms.positions, topology.flatten(atoms[0])[0], rtol=1e-6)
