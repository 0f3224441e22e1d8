"""Second beads of residues: which atoms they are, where they are, and when they are refused or left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cg_files import pdb_line, write_trajectory

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.side_chain_beads import SIDE_CHAIN_OFFER
from latcpb_cli.io.source import Source
from latcpb_cli.read_options import ReadOptions

EXAMPLES = Path(__file__).parents[2] / "examples"
BEADS = EXAMPLES / "tnc_sc.pdb"
NATIVE = read_all_atom(EXAMPLES / "tnc_allatom.pdb")
LINES = [line for line in BEADS.read_text().splitlines() if line.startswith("ATOM")]
POSITIONS = np.array([[float(line[at : at + 8]) for at in (30, 38, 46)] for line in LINES], dtype=np.float32)
IS_CA = np.array([line[12:16].strip() == "CA" for line in LINES])
RESIDUE = np.array([int(line[22:26]) - 1 for line in LINES])
TWO_BEADS = ReadOptions(beads="ca+sc")


def write(path: Path, positions: np.ndarray = POSITIONS, name: str = "SC", **names: str) -> Path:
    """Write the example with other positions, and other names of its side-chain beads."""
    lines = [
        pdb_line(
            row + 1, line[17:20], int(line[22:26]), positions[row],
            name="CA" if IS_CA[row] else names.get(line[17:20], name),
        )
        for row, line in enumerate(LINES)
    ]  # fmt: skip
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def beads_of(source: Source) -> np.ndarray:
    beads = source.read_frames(np.arange(1)).beads
    assert beads is not None
    return beads[0]


def placed(positions: np.ndarray) -> np.ndarray:
    """Side-chain beads by residue, nan for those that have none."""
    beads = np.full((len(NATIVE.trace), 3), np.nan, dtype=np.float32)
    beads[RESIDUE[~IS_CA]] = positions[~IS_CA]
    return beads


def test_beads_are_those_of_the_file_to_the_bit() -> None:
    source = open_source([BEADS], options=TWO_BEADS)
    np.testing.assert_array_equal(beads_of(source), placed(POSITIONS))
    np.testing.assert_array_equal(source.read_frames(np.arange(1)).positions[0], POSITIONS[IS_CA])
    assert source.trace.side_chain_center == "mass"
    assert "side chains: beads of 83 of 83 residues but Gly" in source.notes


def test_they_are_offered_and_not_read_without_the_option(tmp_path) -> None:
    source = open_source([BEADS])
    assert SIDE_CHAIN_OFFER in source.notes and source.trace.side_chain_center is None
    assert source.read_frames(np.arange(1)).beads is None
    assert source.identity != open_source([BEADS], options=TWO_BEADS).identity
    assert SIDE_CHAIN_OFFER not in open_source([BEADS], options=ReadOptions(beads="ca")).notes
    assert SIDE_CHAIN_OFFER not in open_source([EXAMPLES / "tnc_allatom.pdb"]).notes


def test_any_name_will_do_where_there_is_one_atom_beside_the_ca(tmp_path) -> None:
    source = open_source([write(tmp_path / "a.pdb", name="CB", ALA="CM")], options=TWO_BEADS)
    np.testing.assert_array_equal(beads_of(source), placed(POSITIONS))


def test_names_decide_in_residues_of_more_atoms(tmp_path) -> None:
    lines = []
    for number, residue in enumerate(range(len(NATIVE.trace)), start=1):
        for name, row in (("N", 0), ("CA", 1), ("C", 2)):
            lines.append(
                pdb_line(
                    number, NATIVE.trace.names[residue], number, NATIVE.atoms[0, residue, row], name=name
                )
            )
        if np.isfinite(bead := placed(POSITIONS)[residue]).all():
            lines.append(pdb_line(number, NATIVE.trace.names[residue], number, bead, name="XX"))
    (tmp_path / "a.pdb").write_text("\n".join([*lines, "END", ""]))
    with pytest.raises(InputError, match="no residue has a bead of its side chain"):
        open_source([tmp_path / "a.pdb"], options=TWO_BEADS)
    options = ReadOptions(beads="ca+sc", sc_bead="xx", sc_center="geometry")
    source = open_source([tmp_path / "a.pdb"], options=options)
    np.testing.assert_array_equal(beads_of(source), placed(POSITIONS))
    assert source.trace.side_chain_center == "geometry"
    chunk = source.keeping_backbone().read_frames(np.arange(1))
    assert chunk.backbone is not None and chunk.beads is not None
    np.testing.assert_allclose(chunk.backbone[0, :, 0], NATIVE.atoms[0, :, 0], atol=1e-3)
    np.testing.assert_array_equal(chunk.beads[0], placed(POSITIONS))


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (
            np.where(IS_CA[:, None], POSITIONS, NATIVE.atoms[0, RESIDUE, 4]),
            "1.[0-9] Å nearer to, or",
        ),
        (np.where(IS_CA[:, None], POSITIONS, NATIVE.atoms[0, RESIDUE, 3]), "nearer to, or"),
        (POSITIONS[:, ::-1] * np.where(IS_CA, 1.0, -1.0)[:, None], "nearer to, or"),
    ],
    ids=["CB", "O", "elsewhere"],
)
def test_what_is_no_centre_is_refused(tmp_path, positions, message) -> None:
    path = write(tmp_path / "a.pdb", positions.astype(np.float32))
    with pytest.raises(InputError, match=message):
        open_source([path], options=TWO_BEADS)


def test_martini_is_refused(tmp_path) -> None:
    path = tmp_path / "martini.pdb"
    path.write_text(write(tmp_path / "a.pdb", name="SC1").read_text().replace("  CA  ", "  BB  "))
    with pytest.raises(InputError, match="those of Martini"):
        open_source([path], options=TWO_BEADS)


@pytest.mark.parametrize("options", [{"sc_bead": "SC"}, {"sc_center": "geometry", "beads": "ca"}])
def test_their_options_need_the_kind(options) -> None:
    with pytest.raises(UsageError, match="need --beads ca"):
        ReadOptions(**options)


def test_absent_and_strayed_beads_are_left_out(tmp_path) -> None:
    """Of frames in a box, one has beads across its faces, one lacks a bead, and one has it far away."""
    first = int(np.flatnonzero(~IS_CA)[0])
    frames = np.stack([POSITIONS] * 3)
    frames[0, ~IS_CA] += np.array([90.0, 0.0, -90.0], np.float32)
    frames[1, first] = np.nan
    frames[2, first] += 30.0
    box = np.array([90, 90, 90, 90, 90, 90], np.float32)
    path = write_trajectory(tmp_path / "t.trr", frames, box=box)
    chunk = open_source([path], BEADS, TWO_BEADS).read_frames(np.arange(3))
    assert chunk.beads is not None
    np.testing.assert_allclose(chunk.beads[0], placed(POSITIONS), atol=1e-3)
    residue = RESIDUE[first]
    assert np.isnan(chunk.beads[1:, residue]).all() and np.isfinite(chunk.beads[1:, residue + 1]).all()
    assert list(chunk.problems) == [2]
    assert "MET1: the bead of the side chain is too far from the Cα" in chunk.problems[2]


def test_frames_of_ca_alone_have_no_side_chains(tmp_path) -> None:
    path = write_trajectory(tmp_path / "t.xtc", POSITIONS[None, IS_CA])
    with pytest.raises(InputError, match="no residue has a bead of its side chain"):
        open_source([path], BEADS, TWO_BEADS)
    assert len(open_source([path], BEADS).trace) == 89
