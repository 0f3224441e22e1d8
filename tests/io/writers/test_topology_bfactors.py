"""The topology of a trajectory has the means of the B factors of all its structures."""

from __future__ import annotations

import numpy as np
import pytest
from written import TRACE, load_universe, make_atoms, make_chunk

from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec
from latcpb_cli.structure import AtomTopology


@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
@pytest.mark.parametrize("topology_format", ["pdb", "cif"])
def test_means_replace_zeros_and_nothing_else(tmp_path, suffix, topology_format):
    chunk, topology = make_chunk(TRACE), AtomTopology.heavy_atoms(TRACE)
    atoms = make_atoms(TRACE, chunk, samples=2)
    values = np.random.default_rng(0).uniform(0, 100, size=(3, 2, len(topology)))
    values[:, :, 0], values[:, :, 1] = 100.0, np.nan
    texts = {}
    for wanted in (False, True):
        folder = tmp_path / str(wanted)
        folder.mkdir()
        spec = OutputSpec(3, 2, topology=topology_format, mean_bfactors=wanted)
        with open_writer(folder / f"a{suffix}", topology, spec) as writer:
            writer.write(atoms, chunk, values)
            writer.commit()
        assert {path.name for path in folder.iterdir()} == {f"a{suffix}", f"a.top.{topology_format}"}
        texts[wanted] = (folder / f"a.top.{topology_format}").read_text()
    lines = [text.splitlines() for text in texts.values()]
    changed = [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]]
    assert len(changed) == len(topology) - 1
    expected = np.nan_to_num(values.mean((0, 1)))
    if topology_format == "pdb":
        written = load_universe(tmp_path / "True" / "a.top.pdb").atoms.tempfactors
    else:
        rows = [line.split() for line in lines[1] if line.startswith(("ATOM", "HETATM"))]
        written = [float(row[14]) for row in rows]
    np.testing.assert_allclose(written, expected, atol=0.006)
