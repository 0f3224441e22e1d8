"""`latcpb.evaluate` gives the figures of the command."""

from __future__ import annotations

import json
from pathlib import Path

import MDAnalysis
import numpy as np
import pytest

import latcpb_cli as latcpb
from latcpb_cli.cli.app import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "tnc_allatom.pdb"


@pytest.fixture(scope="module")
def universe():
    return MDAnalysis.Universe(str(EXAMPLE), to_guess=())


def shifted(universe, by):
    moved = universe.copy()
    moved.load_new(np.stack([step.positions + by for step in universe.trajectory]))
    return moved


def test_the_record_is_that_of_the_command(universe, tmp_path):
    pdb = tmp_path / "moved.pdb"
    moved = shifted(universe, np.float32(1.0))
    moved.atoms.write(str(pdb), frames="all")
    with pytest.raises(SystemExit) as caught:
        main(
            [
                "evaluate",
                str(EXAMPLE),
                str(pdb),
                "--json",
                str(tmp_path / "a.json"),
                "--name",
                "generated",
                "-q",
            ]
        )
    assert not caught.value.code
    expected = json.loads((tmp_path / "a.json").read_text())
    assert latcpb.evaluate(EXAMPLE, pdb).record == expected
    in_memory = latcpb.evaluate(universe, moved).record
    assert in_memory.keys() == expected.keys()
    rmsd = latcpb.evaluate(universe, moved).summary()["inner"]["rmsd"]["all_heavy"]
    assert rmsd == pytest.approx(3**0.5, abs=1e-3)


def test_a_structure_alone_and_several_methods(universe):
    alone = latcpb.evaluate(universe, frames=slice(0, 2))
    assert alone.evaluation.reference is None
    assert alone.summary()["frames"] == 2
    several = latcpb.evaluate(universe, {"same": EXAMPLE, "moved": shifted(universe, 0.5)}, frames="0:1")
    assert several.summary("same")["inner"]["rmsd"]["all_heavy"] == 0.0
    assert several.summary("moved")["inner"]["rmsd"]["all_heavy"] > 0.8
    with pytest.raises(latcpb.UsageError, match="no method 'other'"):
        several.summary("other")


@pytest.mark.parametrize(("gen", "message"), [(3, "int is nothing"), (["a.pdb", "b.pdb"], "2 files")])
def test_refused(universe, gen, message):
    with pytest.raises(latcpb.UsageError, match=message):
        latcpb.evaluate(universe, gen)


def test_beads_of_an_input_are_compared(universe):
    beads = latcpb.inspect(EXAMPLE.with_name("tnc_sc.pdb"), beads="ca+sc")
    alone = latcpb.evaluate(universe, frames="0", beads=beads).summary()["beads"]
    assert alone["ca"] < 1e-3 and alone["sc_max"]["max"] < 2e-3
    moved = latcpb.evaluate(universe, shifted(universe, 1.0), frames="0", beads=beads).summary()["beads"]
    assert moved["ca"] == pytest.approx(3**0.5, abs=1e-3) and "com" not in moved
    with pytest.raises(latcpb.InputError, match="has 1 frame, so structure should have 1, not 5"):
        latcpb.evaluate(universe, beads=beads)
