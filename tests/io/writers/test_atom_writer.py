"""Outputs are whole or absent."""

from __future__ import annotations

import pytest
from written import TRACE, make_atoms, make_chunk

from latcpb_cli.io.writers.atom_writer import open_writer, output_files
from latcpb_cli.io.writers.frame_writer import OutputSpec, ResumePoint
from latcpb_cli.structure import AtomTopology


@pytest.mark.parametrize("name", ["a.pdb", "a.xtc", "a.dcd", "a.trr"])
def test_nothing_is_left_without_commit(tmp_path, name):
    chunk = make_chunk(TRACE, 2)
    topology = AtomTopology.heavy_atoms(TRACE)
    atoms = make_atoms(TRACE, chunk)
    with (
        pytest.raises(KeyboardInterrupt),
        open_writer(tmp_path / name, topology, OutputSpec(4)) as writer,
    ):
        writer.write(atoms, chunk)
        assert (tmp_path / f"{name}.part").exists()
        assert not (tmp_path / name).exists()
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.pdb", "a.xtc", "a.dcd", "a.trr"])
def test_an_interrupted_output_is_continued_to_the_byte(tmp_path, name):
    chunk, topology = make_chunk(TRACE, 4), AtomTopology.heavy_atoms(TRACE)
    atoms = make_atoms(TRACE, chunk)
    parts = [(atoms[frame : frame + 1], chunk.select(frame)) for frame in range(4)]
    spec = OutputSpec(4, interval=2.5, remarks=["one remark"])
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    with open_writer(whole / name, topology, spec) as writer:
        for part in parts:
            writer.write(*part)
        writer.commit()
    with pytest.raises(KeyboardInterrupt), open_writer(broken / name, topology, spec) as writer:
        writer.write(*parts[0])
        writer.write(*parts[1])
        sizes = writer.sync()
        writer.write(*parts[2])
        raise KeyboardInterrupt
    with open_writer(broken / name, topology, spec, ResumePoint(sizes, 2, ())) as writer:
        for part in parts[2:]:
            writer.write(*part)
        writer.commit()
    for file in output_files(whole / name):
        assert (broken / file.name).read_bytes() == file.read_bytes()
    assert len(list(broken.iterdir())) == len(output_files(whole / name))
