"""Notes on chain identifiers and residue numbers that an output cannot keep."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cg_files import FakeModel, walk
from written import make_trace

from latcpb_cli.errors import InputError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.writers.atom_writer import open_writer
from latcpb_cli.io.writers.frame_writer import OutputSpec
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.output_labels import label_notes
from latcpb_cli.run.output_plan import OutputPlan
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.structure import AtomTopology, FrameChunk

LONG = make_trace("GGGG", ["heavy", "heavy", "light", "light"])
RENAMED = "heavy is A, light is B (table at its head"
MANY = make_trace("G" * 70, [""] * 70, resids=[1] * 70, chain_index=np.arange(70))
WRAPPED = make_trace("GG", ["A", "A"], resids=[9999, 10_000])
LATE = make_trace("GG", ["A", "A"], resids=[12_000, 12_001])


def notes(folder, name: str, trace, topology: str = "pdb") -> list[str]:
    with OutputPlan.reserve(folder / name, BackmapOptions(topology=topology)) as plan:
        return label_notes(plan, trace)


@pytest.mark.parametrize(
    ("name", "trace", "expected"),
    [
        ("a.pdb", LONG, [f"renamed chains in a.pdb: {RENAMED}; -o OUT.cif keeps them)"]),
        ("a.xtc", LONG, [f"renamed chains in a.top.pdb: {RENAMED}; --topology cif keeps them)"]),
        ("a.cif", LONG, []),
        ("a.xtc", MANY, ["70 chains share 62 letters in a.top.pdb; --topology cif names all"]),
        ("a.pdb", WRAPPED, ["residue numbers above 9999 start again from 0 in a.pdb"]),
        (
            "a.xtc",
            LATE,
            ["residue numbers of five columns, from A:GLY12000 on, have their last four in a.top.pdb; "
             "--topology cif keeps them"],
        ),
    ],
)  # fmt: skip
def test_what_a_pdb_file_cannot_keep_is_noted(tmp_path, name, trace, expected):
    assert notes(tmp_path, name, trace) == expected
    assert notes(tmp_path, name, trace, "cif") == (expected if name == "a.pdb" else [])


def test_the_report_has_the_table_of_renamed_chains(tmp_path):
    chunk = FrameChunk(walk(4), np.zeros(1), np.zeros((1, 6), dtype=np.float32), np.arange(1))
    atoms = FakeModel().sample(LONG, chunk, BackmapOptions())
    with open_writer(tmp_path / "in.cif", AtomTopology.heavy_atoms(LONG), OutputSpec(1)) as writer:
        writer.write(atoms, chunk)
        writer.commit()
    source = open_source([tmp_path / "in.cif"])
    backmap_trajectory(FakeModel(), source, tmp_path / "out.pdb")
    provenance = json.loads((tmp_path / "out.report.json").read_text())["provenance"]
    assert provenance["renamed_chains"] == [
        {"written": "A", "given": "heavy", "first": "heavy:GLY1", "last": "heavy:GLY2"},
        {"written": "B", "given": "light", "first": "light:GLY3", "last": "light:GLY4"},
    ]
    assert any(note.startswith("renamed chains in out.pdb") for note in provenance["notes"])


def test_numbers_that_not_even_a_topology_can_hold(tmp_path):
    low = AtomTopology.heavy_atoms(make_trace("GG", ["A", "A"], resids=[-1000, 1]))
    with pytest.raises(InputError, match="residue number -1000") as caught:
        open_writer(tmp_path / "a.xtc", low, OutputSpec(1))
    assert "--topology cif" in caught.value.hint
    assert not list(tmp_path.iterdir())
    with open_writer(tmp_path / "a.xtc", low, OutputSpec(1, topology="cif")):
        pass
