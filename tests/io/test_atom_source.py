"""All-atom frames that are read in pieces."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import pdb_text, structure

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.all_atom import open_all_atom
from latcpb_cli.read_options import FrameWindow

SAMPLE = structure("MKIDF")
CRYST1 = "CRYST1   40.000   40.000   40.000  90.00  90.00  90.00 P 1           1\n"


def write(tmp_path, sample=SAMPLE, head=""):
    path = tmp_path / "in.pdb"
    path.write_text(head + pdb_text(sample))
    return path


def frames(count):
    atoms = np.concatenate([SAMPLE.atoms + np.float32(n) for n in range(count)])
    return structure("MKIDF", frames=atoms)


def test_pieces_of_a_window(tmp_path):
    source = open_all_atom(write(tmp_path, frames(6)), window=FrameWindow(frames="1:6:2"))
    assert (len(source), source.frame_numbers.tolist()) == (3, [1, 3, 5])
    assert source.read(1, 9)[:, SAMPLE.present] == pytest.approx(
        frames(6).atoms[[3, 5]][:, SAMPLE.present], abs=1e-3
    )


def test_a_selection(tmp_path):
    path = write(tmp_path)
    source = open_all_atom(path, selection="resid 2:4 and not name CG")
    assert source.trace.sequence == "KID"
    assert source.present.sum() == SAMPLE.present[1:4].sum() - 2
    with pytest.raises(InputError, match="selects nothing"):
        open_all_atom(path, selection="resname LIG")
    with pytest.raises(UsageError):
        open_all_atom(path, selection="no such word")


def test_chains_cut_by_the_box_are_made_whole(tmp_path):
    wrapped = SAMPLE.atoms.copy()
    wrapped[0, 2:] += np.float32([0, 40.0, 0])
    wrapped[0, 3, 5:8] -= np.float32([40.0, 0, 0])
    source = open_all_atom(write(tmp_path, structure("MKIDF", frames=wrapped), CRYST1))
    assert source.read(0, 1)[0, SAMPLE.present] == pytest.approx(SAMPLE.atoms[0, SAMPLE.present], abs=2e-3)


def test_residues_without_a_position_are_left_out_or_refused(tmp_path):
    moved = frames(2).atoms.copy()
    moved[:, 4] = 0.0
    source = open_all_atom(write(tmp_path, structure("MKIDF", frames=moved)))
    assert source.trace.sequence == "MKID" and source.left_out == {"at 0, 0, 0": 1}
    moved = frames(2).atoms.copy()
    moved[1, 2] = 0.0
    source = open_all_atom(write(tmp_path, structure("MKIDF", frames=moved)))
    with pytest.raises(InputError, match="frame 1: A:ILE3 has all atoms at 0, 0, 0"):
        source.read(0, 2)


def test_hydrogens_belong_to_the_nearest_heavy_atom(tmp_path):
    path = write(tmp_path, frames(2))
    text = path.read_text().replace("ENDMDL", "TER\nENDMDL")
    lines = []
    for line in text.splitlines():
        lines.append(line)
        if line[:4] == "ATOM" and line[12:16].strip() in ("N", "CB"):
            x = float(line[30:38]) + 0.5
            name = {"N": " H  ", "CB": "1HB "}[line[12:16].strip()]
            lines.append(f"{line[:12]}{name}{line[16:30]}{x:8.3f}{line[38:76]} H")
    path.write_text("\n".join(lines))
    source = open_all_atom(path)
    assert np.array_equal(source.present, SAMPLE.present)
    assert source.hydrogens.slot.tolist() == [0, 4] * 5
    assert source.hydrogens.residue.tolist() == np.repeat(np.arange(5), 2).tolist()
    hydrogens, heavy = source.read_hydrogens(0, 2), source.read(0, 2)
    step = hydrogens - heavy[:, source.hydrogens.residue, source.hydrogens.slot]
    assert step == pytest.approx(np.broadcast_to([0.5, 0.0, 0.0], step.shape), abs=2e-3)
