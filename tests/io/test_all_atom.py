"""Reading all-atom files into slots."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import pdb_text, structure

from latcpb_cli.errors import InputError
from latcpb_cli.io.all_atom import read_all_atom

SAMPLE = structure("MKIDF")


def read_text(tmp_path, text, name="in.pdb"):
    path = tmp_path / name
    path.write_text(text)
    return read_all_atom(path)


def atom_line(line, **columns):
    """Change fixed columns of an ATOM line: altloc, resname, chain, resid, icode, name."""
    where = {"name": (12, 16), "altloc": (16, 17), "resname": (17, 20), "chain": (21, 22), "icode": (26, 27)}
    for key, value in columns.items():
        start, stop = where[key]
        line = line[:start] + value.ljust(stop - start) + line[stop:]
    return line


def test_pdb_round_trip(tmp_path):
    result = read_text(tmp_path, pdb_text(SAMPLE))
    assert result.trace.sequence == "MKIDF"
    assert result.trace.labels[2] == "A:ILE3"
    assert np.array_equal(result.present, SAMPLE.present)
    assert np.abs(result.atoms - SAMPLE.atoms).max() < 0.001
    assert result.linked().tolist() == [[True, True, True, True, False]]


def test_models_become_frames(tmp_path):
    shifted = structure("MKIDF", frames=np.concatenate([SAMPLE.atoms, SAMPLE.atoms + 1.0]))
    result = read_text(tmp_path, pdb_text(shifted))
    assert len(result) == 2
    step = (result.atoms[1] - result.atoms[0])[result.present]
    assert step == pytest.approx(1.0, abs=0.002)
    assert not result.atoms[:, ~result.present].any()


def test_mmcif_and_trajectory_give_what_the_pdb_gives(tmp_path):
    gemmi = pytest.importorskip("gemmi")
    mda = pytest.importorskip("MDAnalysis")
    pdb = tmp_path / "in.pdb"
    pdb.write_text(pdb_text(SAMPLE))
    gemmi.read_structure(str(pdb)).make_mmcif_document().write_file(str(tmp_path / "in.cif"))
    universe = mda.Universe(str(pdb), to_guess=())
    universe.atoms.write(str(tmp_path / "in.xtc"))
    expected = read_all_atom(pdb)
    for result in (read_all_atom(tmp_path / "in.cif"), read_all_atom(tmp_path / "in.xtc", pdb)):
        assert result.trace.sequence == expected.trace.sequence
        assert np.array_equal(result.present, expected.present)
        assert np.abs(result.atoms - expected.atoms).max() < 0.01


def test_names_of_other_force_fields(tmp_path):
    lines = []
    for line in pdb_text(structure("MIH")).splitlines():
        names = {"MET": "MSE", "HIS": "HSD"}
        if line.startswith("ATOM"):
            line = atom_line(line, resname=names.get(line[17:20], line[17:20]))
            if line[17:20] == "MSE" and line[12:16].strip() == "SD":
                line = atom_line(line, name="SE")
            if line[17:20] == "ILE" and line[12:16].strip() == "CD1":
                line = atom_line(line, name=" CD")
            if line[17:20] == "HSD" and line[12:16].strip() in ("O", "OXT"):
                line = atom_line(line, name={"O": " OT1", "OXT": " OT2"}[line[12:16].strip()])
        lines.append(line)
    result = read_text(tmp_path, "\n".join(lines))
    assert result.trace.sequence == "MIH"
    assert np.array_equal(result.present, structure("MIH").present)


def test_hydrogens_and_second_locations_are_ignored(tmp_path):
    lines = []
    for line in pdb_text(structure("AKA")).splitlines():
        lines.append(line)
        if line[12:16].strip() == "CB":
            lines[-1] = atom_line(line, altloc="A")
            lines.append(atom_line(line, altloc="B")[:30] + f"{99:8.3f}" + line[38:])
            lines.append(atom_line(line, name=" HB1"))
    result = read_text(tmp_path, "\n".join(lines))
    assert np.array_equal(result.present, structure("AKA").present)
    assert np.abs(result.atoms - structure("AKA").atoms).max() < 0.001


def test_a_second_residue_at_one_site_is_ignored(tmp_path):
    lines = []
    for line in pdb_text(structure("ASA")).splitlines():
        lines.append(line)
        if line[17:20] == "SER":
            lines[-1] = atom_line(line, altloc="A")
            lines.append(atom_line(line, altloc="B", resname="THR"))
    result = read_text(tmp_path, "\n".join(lines))
    assert result.trace.sequence == "ASA"


def test_what_is_no_amino_acid_is_left_out_and_counted(tmp_path):
    water = "HETATM  900  O   HOH A 201       9.000   9.000   9.000  1.00  0.00           O"
    text = pdb_text(structure("AKA")).replace("ENDMDL", f"{water}\n{water.replace('201', '202')}\nENDMDL")
    result = read_text(tmp_path, text)
    assert result.trace.sequence == "AKA"
    assert result.left_out == {"HOH": 2}


def test_insertion_codes_are_kept(tmp_path):
    text = "\n".join(
        atom_line(line, icode="B") if line[17:20] == "LYS" else line
        for line in pdb_text(structure("AKA")).splitlines()
    )
    assert read_text(tmp_path, text).trace.labels[1] == "A:LYS2B"


def test_files_without_a_protein(tmp_path):
    water = "HETATM    1  O   HOH A   1       9.000   9.000   9.000  1.00  0.00           O\n"
    with pytest.raises(InputError, match="water.pdb: no amino acid"):
        read_text(tmp_path, water, "water.pdb")
    beads = "\n".join(line for line in pdb_text(SAMPLE).splitlines() if line[12:16].strip() == "CA")
    with pytest.raises(InputError, match="beads.pdb: Cα atoms only"):
        read_text(tmp_path, beads, "beads.pdb")


def test_missing_and_empty_files(tmp_path):
    with pytest.raises(InputError, match="none.pdb"):
        read_all_atom(tmp_path / "none.pdb")
    with pytest.raises(InputError, match="empty.pdb"):
        read_text(tmp_path, "", "empty.pdb")


def test_a_topology_of_other_size(tmp_path):
    pdb, other = tmp_path / "in.pdb", tmp_path / "other.pdb"
    pdb.write_text(pdb_text(SAMPLE))
    other.write_text(pdb_text(structure("AK")))
    with pytest.raises(InputError, match="in.pdb: 45 atoms, but .*other.pdb has 15"):
        read_all_atom(pdb, other)


def test_models_of_other_sequences_are_refused(tmp_path):
    model = [line for line in pdb_text(SAMPLE).splitlines() if line.startswith("ATOM")]
    other = [atom_line(line, resname="LEU") if line[17:20] == "ILE" else line for line in model]
    text = "\n".join(["MODEL        1", *model, "ENDMDL", "MODEL        2", *other, "ENDMDL", "END", ""])
    with pytest.raises(InputError, match="model 2 has A:LEU3 .* A:ILE3"):
        read_text(tmp_path, text)
