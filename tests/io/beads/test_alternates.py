"""Atoms that are listed more than once count once, wherever the file lists them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cg_files import pdb_line, walk
from odd_files import SEQUENCE, atoms, pdb
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

XYZ = walk(10)[0]


def bead(row: int, *, altloc: str = "", shift: float = 0.6, **options) -> str:
    """One more location of a bead of `SEQUENCE`, some Å away."""
    return atoms(positions=XYZ + np.float32([0, 0, shift]), altlocs=[altloc] * 10, **options)[row]


def first(*rows: int, altloc: str = "A") -> list[str]:
    """The beads of `SEQUENCE`, some of them with a letter."""
    return atoms(positions=XYZ, altlocs=[altloc if row in rows else "" for row in range(10)])


def read(folder: Path, *parts, **options):
    path = folder / "a.pdb"
    path.write_text(pdb(*parts))
    return open_source([path], options=ReadOptions(**options))


PLACES = {
    "beside": [*first(3)[:4], bead(3, altloc="B"), *first(3)[4:]],
    "three letters beside": [
        *first(3)[:4], bead(3, altloc="B"), bead(3, altloc="C", shift=1.2), *first(3)[4:],
    ],
    "in a block": [*first(3, 4, 5)[:6], *[bead(row, altloc="B") for row in (3, 4, 5)], *first(3, 4, 5)[6:]],
    "in a block of another residue": [
        *first(3, 4)[:5],
        *[bead(row, altloc="B", resnames=["SER"] * 10) for row in (3, 4)],
        *first(3, 4)[5:],
    ],
    "at the end of the chain": [*first(3, 4), *[bead(row, altloc="B") for row in (3, 4)]],
    "after TER": [*first(3, 4), "TER", *[bead(row, altloc="B") for row in (3, 4)]],
    "after TER as HETATM": [*first(3), "TER", bead(3, altloc="B").replace("ATOM  ", "HETATM")],
    "after TER and water": [
        *first(3), "TER", pdb_line(90, "HOH", 90, (50, 50, 50), name="O", chain="W"), bead(3, altloc="B"),
    ],
    "B after the blank": [*first(), bead(3, altloc="B")],
    "B after the blank and TER": [*first(), "TER", bead(3, altloc="B")],
    "digits": [*first(3, altloc="1"), bead(3, altloc="2")],
    "every residue, in two blocks": [*first(*range(10)), *[bead(row, altloc="B") for row in range(10)]],
    "every residue, in two chains of one name": [
        *first(*range(10)), "TER", *[bead(row, altloc="B") for row in range(10)],
    ],
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_the_first_letter_counts(tmp_path, place):
    source = read(tmp_path, PLACES[place])
    assert source.trace.sequence == SEQUENCE
    assert source.trace.chain_index.max() == 0
    assert source.trace.resids.tolist() == list(range(1, 11))
    assert [note for note in source.notes if note.startswith("alternate locations, the first is used: A:")]
    assert not source.left_out or set(source.left_out) == {"HOH"}
    np.testing.assert_array_equal(read_all(source)[0][0], XYZ)


@pytest.mark.parametrize("shift", [0.0, 1.2])
@pytest.mark.parametrize("place", ["beside", "a block", "the end", "after TER"])
def test_the_same_atom_again_without_a_letter(tmp_path, place, shift):
    again = [bead(row, shift=shift) for row in (3, 4)]
    lines = first()
    parts = {
        "beside": [*lines[:4], again[0], lines[4], again[1], *lines[5:]],
        "a block": [*lines[:5], *again, *lines[5:]],
        "the end": [*lines, *again],
        "after TER": [*lines, "TER", *again],
    }[place]
    source = read(tmp_path, parts)
    assert source.trace.sequence == SEQUENCE
    assert source.trace.resids.tolist() == list(range(1, 11))
    assert source.notes == ("listed twice, the first is used: A:GLU4, A:PHE5",)
    np.testing.assert_array_equal(read_all(source)[0][0], XYZ)


def test_a_letterless_location_far_from_the_first_is_found_by_its_neighbours(tmp_path):
    other = XYZ.copy()
    middle = (XYZ[2] + XYZ[4]) / 2
    other[3] = 2 * middle - XYZ[3] + np.float32([0, 0, 2.5])
    other[3] = middle + 3.3 * (other[3] - middle) / np.linalg.norm(other[3] - middle)
    assert np.linalg.norm(other[3] - XYZ[3]) > 2.5
    lines = first()
    source = read(tmp_path, lines[:4], atoms(positions=other)[3], lines[4:])
    assert source.trace.sequence == SEQUENCE


def test_two_residues_of_one_number_are_two_residues(tmp_path):
    source = read(tmp_path, atoms("AAAA", resids=[1, 2, 2, 3]))
    assert source.trace.sequence == "AAAA"
    assert source.notes == ("residues of chain 1 numbered from 1: their numbers repeat",)


def test_letters_of_chains_that_share_a_name_stay_apart(tmp_path):
    far = walk(10)[0] + np.float32(200.0)
    chain = [*first(3)[:4], bead(3, altloc="B"), *first(3)[4:]]
    second = atoms(positions=far, altlocs=[""] * 3 + ["A"] + [""] * 6)
    other = atoms(positions=far + np.float32(0.6), altlocs=["B"] * 10)[3]
    parts = [*chain, "TER", *second[:4], other, *second[4:]]
    source = read(tmp_path, parts)
    assert source.trace.sequence == 2 * SEQUENCE
    assert np.bincount(source.trace.chain_index).tolist() == [10, 10]
    blank = read(tmp_path, [line[:21] + " " + line[22:] for line in parts])
    assert blank.trace.sequence == 2 * SEQUENCE


def test_letters_far_apart_in_other_segments_are_refused(tmp_path):
    path = tmp_path / "a.pdb"
    path.write_text(pdb(first(3), "TER", bead(3, altloc="B", shift=40.0)))
    error = refuse("residue A:4 has the alternate locations A and B far apart", [path])
    assert "not altLoc B" in error.hint
    assert open_source([path], options=ReadOptions(selection="not altLoc B")).trace.sequence == SEQUENCE


def test_a_selection_may_choose_the_other_letter(tmp_path):
    parts = PLACES["in a block"]
    source = read(tmp_path, parts, selection="not altLoc A")
    xyz = read_all(source)[0][0]
    assert sorted(source.trace.resids.tolist()) == list(range(1, 11))
    moved = XYZ + np.isin(range(10), (3, 4, 5))[:, None] * np.float32([0, 0, 0.6])
    np.testing.assert_allclose(xyz[np.argsort(source.trace.resids)], moved, atol=1e-3)


def test_side_chains_with_letters(tmp_path):
    lines = []
    for row in range(10):
        for name, altloc in (("N", ""), ("CA", ""), ("CB", "A"), ("CB", "B"), ("OG", "A"), ("OG", "B")):
            at = XYZ[row] + (0 if name == "CA" else 1.2) + (0.5 if altloc == "B" else 0)
            lines.append(pdb_line(len(lines) + 1, "SER", row + 1, at, name=name, altloc=altloc))
    source = read(tmp_path, lines)
    assert source.trace.sequence == "S" * 10
    np.testing.assert_array_equal(read_all(source)[0][0], XYZ)


def test_copies_of_a_chain_without_names_are_chains(tmp_path):
    lines = [
        line
        for copy in range(5)
        for line in atoms(positions=XYZ + np.float32([0, 30.0 * copy, 0]), chains=" " * 10)
    ]
    source = read(tmp_path, lines)
    assert source.trace.chain_index.max() == 4 and len(source.trace) == 50
