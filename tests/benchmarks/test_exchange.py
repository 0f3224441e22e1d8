"""Input of the programs, and assignment of their output to the reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exchange import backbone_text, read_back, trace_text
from peptides import structure

from latcpb_cli.chem.residues import OXT_SLOT
from latcpb_cli.errors import InputError

SEQUENCE = "MKTAYIG"


@pytest.fixture
def native():
    """A peptide with residue numbers that do not start at one, and with a loop missing."""
    peptide = structure(SEQUENCE)
    gap = np.array([0, 0, 0, 1, 1, 1, 1])
    numbers = np.array([5, 6, 7, 20, 21, 22, 23])
    return replace(peptide, trace=replace(peptide.trace, chain_index=gap, resids=numbers))


def lines(text):
    return [line for line in text.splitlines() if line.startswith("ATOM")]


def test_a_trace_is_one_chain_of_ca_numbered_from_one(native):
    atoms = lines(trace_text(native))
    assert [line[12:16].strip() for line in atoms] == ["CA"] * 7
    assert [int(line[22:26]) for line in atoms] == [1, 2, 3, 4, 5, 6, 7]
    assert {line[21] for line in atoms} == {"A"}
    assert sum(line.startswith("TER") for line in trace_text(native).splitlines()) == 1
    np.testing.assert_allclose(float(atoms[3][30:38]), native.atoms[0, 3, 1, 0], atol=5e-4)


def test_a_backbone_has_no_side_chain(native):
    assert [line[12:16].strip() for line in lines(backbone_text(native))] == ["N", "CA", "C", "O"] * 7


def test_a_residue_with_an_incomplete_backbone_is_left_out(native):
    native.present[2, 3] = False
    assert [int(line[22:26]) for line in lines(backbone_text(native))[::4]] == [1, 2, 4, 5, 6, 7]
    assert len(lines(trace_text(native))) == 7


def write_pdb(folder, kept):
    path = folder / "output.pdb"
    path.write_text("\n".join(kept) + "\nEND\n")
    return path


def test_a_backbone_read_back_is_unchanged(native, tmp_path):
    output = read_back(write_pdb(tmp_path, lines(backbone_text(native))), native)
    assert output.trace is native.trace
    assert output.present[:, :4].all() and not output.present[:, 4:].any()
    np.testing.assert_allclose(output.atoms[0, :, :4], native.atoms[0, :, :4], atol=5e-4)
    assert not output.atoms[0, :, 4:].any()


def test_residues_and_atoms_that_were_not_built_are_missing(native, tmp_path):
    text = [line for line in lines(backbone_text(native)) if int(line[22:26]) != 4 and line[12:16] != " O  "]
    output = read_back(write_pdb(tmp_path, text), native)
    assert output.present[:, :4].tolist() == [[row != 3] * 3 + [False] for row in range(7)]
    # Its Cα stays that of the input, so that no break appears beside it.
    np.testing.assert_array_equal(output.atoms[0, 3, 1], native.atoms[0, 3, 1])
    assert (output.linked() == native.linked()).all()


def test_atoms_that_the_reference_lacks_do_not_count(native, tmp_path):
    text = lines(backbone_text(native))
    text.append(text[-1].replace(" O  ", " OXT"))
    native.present[:, OXT_SLOT] = False
    native.present[0, 0] = False
    output = read_back(write_pdb(tmp_path, text), native)
    assert not output.present[6, OXT_SLOT]
    assert not output.present[0, 0] and not output.atoms[0, 0, 0].any()


def test_samples_are_frames(native, tmp_path):
    body = "\n".join(lines(backbone_text(native)))
    path = tmp_path / "output.pdb"
    path.write_text("".join(f"MODEL {number}\n{body}\nENDMDL\n" for number in (1, 2)) + "END\n")
    assert read_back(path, native).atoms.shape == (2, 7, 15, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("MET A   1", "MET A   9", "numbered 2 to 9, not 1 to 7"),
        ("MET A   1", "MET A   0", "numbered 0 to 7"),
        ("LYS A   2", "ALA A   2", "residue 2 came back as A, not K"),
    ],
)
def test_another_chain_is_refused(native, tmp_path, old, new, message):
    text = [line.replace(old, new) for line in lines(backbone_text(native))]
    with pytest.raises(InputError, match=message):
        read_back(write_pdb(tmp_path, text), native)
