"""mmCIF files: read again by gemmi, with everything that a PDB file cannot hold."""

from __future__ import annotations

import itertools

import gemmi
import numpy as np
import pytest
from cg_files import FakeModel, walk

from latcpb_cli.errors import InputError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.writers.atom_writer import open_writer, output_files
from latcpb_cli.io.writers.frame_writer import OutputSpec, ResumePoint
from latcpb_cli.io.writers.labels import asym_ids
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk


def system(sequence: str, chains: list[str], resids: list[int] | None = None) -> CGTrace:
    """One residue a letter; a new chain begins where the name differs from the one before."""
    names = np.array(chains)
    index = np.cumsum(np.r_[0, names[1:] != names[:-1]])
    numbers = np.arange(1, len(sequence) + 1) if resids is None else np.array(resids)
    return CGTrace(sequence, names, index, numbers, np.full(len(sequence), ""))


def frames(trace: CGTrace, count: int, box=(0, 0, 0, 0, 0, 0)) -> FrameChunk:
    boxes = np.tile(np.array(box, dtype=np.float32), (count, 1))
    return FrameChunk(walk(len(trace), count), np.arange(count) * 5.0, boxes, np.arange(count))


def write(path, trace, chunk, spec=None, bridges=None, **options) -> np.ndarray:
    atoms = FakeModel().sample(trace, chunk, BackmapOptions(**options))
    spec = spec or OutputSpec(len(chunk), atoms.shape[1], remarks=["LATCPB TEST"])
    with open_writer(path, AtomTopology.heavy_atoms(trace), spec) as writer:
        writer.write(atoms, chunk, None, bridges)
        writer.commit()
    return atoms


def test_models_chains_numbers_and_coordinates(tmp_path):
    trace = system("ACWC", ["heavy", "heavy", "X'1", "X'1"], [-1200, 7, 12345, 12346])
    chunk = frames(trace, 2, (50, 60, 70, 90, 90, 90))
    atoms = write(tmp_path / "a.cif", trace, chunk, bridges=[[((1, 3),)] * 2] * 2, samples=2)
    structure = gemmi.read_structure(str(tmp_path / "a.cif"))
    assert [model.num for model in structure] == [1, 2, 3, 4]
    assert [chain.name for chain in structure[3]] == ["heavy", "X'1"]
    residues = [residue for chain in structure[3] for residue in chain]
    assert [(residue.name, residue.seqid.num) for residue in residues] == [
        ("ALA", -1200), ("CYS", 7), ("TRP", 12345), ("CYS", 12346),
    ]  # fmt: skip
    assert [residue.label_seq for residue in residues] == [1, 2, 1, 2]
    topology = AtomTopology.heavy_atoms(trace)
    read = np.array([site.atom.pos.tolist() for site in structure[3].all()])
    np.testing.assert_allclose(read, topology.flatten(atoms[1])[1], atol=6e-4)
    assert [site.atom.name for site in structure[3].all()] == topology.names.tolist()
    assert structure.cell.parameters == (50, 60, 70, 90, 90, 90)
    bond = structure.connections[0]
    assert bond.type is gemmi.ConnectionType.Disulf
    assert (bond.partner1.chain_name, bond.partner2.chain_name) == ("heavy", "X'1")
    assert "# LATCPB TEST\n" in (tmp_path / "a.cif").read_text()


def test_systems_that_no_pdb_file_holds(tmp_path):
    trace = system("G" * 70, [f"c{number}" for number in range(70)])
    chunk = frames(trace, 1)
    with pytest.raises(InputError, match=r"70 chains.*") as caught:
        write(tmp_path / "a.pdb", trace, chunk)
    assert "OUT.cif" in caught.value.hint
    write(tmp_path / "a.cif", trace, chunk)
    assert len(gemmi.read_structure(str(tmp_path / "a.cif"))[0]) == 70


def test_what_is_written_can_be_backmapped(tmp_path):
    """Chain identifiers of several letters come back."""
    trace = system("ACDEF", ["light", "light", "light", "H", "H"])
    write(tmp_path / "a.cif", trace, frames(trace, 3))
    source = open_source([tmp_path / "a.cif"])
    assert source.trace.sequence == "ACDEF"
    assert source.trace.chain_ids.tolist() == trace.chain_ids.tolist()
    assert source.n_frames == 3


def test_asym_ids():
    assert list(itertools.islice(asym_ids(), 28))[24:] == ["Y", "Z", "AA", "BA"]


@pytest.mark.parametrize("name", ["a.cif", "a.xtc"])
def test_a_part_that_goes_on_has_the_bytes_of_one_that_does_not(tmp_path, name):
    trace, whole = system("ACDE", ["A", "A", "B", "B"]), tmp_path / "whole"
    whole.mkdir()
    spec = OutputSpec(4, topology="cif")
    chunk = frames(trace, 4)
    atoms = write(whole / name, trace, chunk, spec)
    topology = AtomTopology.heavy_atoms(trace)
    with open_writer(tmp_path / name, topology, spec) as writer:
        for row in range(2):
            writer.write(atoms[row : row + 1], chunk.select(row))
        states = writer.sync()
    with open_writer(tmp_path / name, topology, spec, ResumePoint(states, 2, ())) as writer:
        for row in (2, 3):
            writer.write(atoms[row : row + 1], chunk.select(row))
        writer.commit()
    for path in output_files(whole / name, "cif"):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
