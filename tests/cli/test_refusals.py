"""Inputs that are refused: error, hint, exit code, and no output."""

from __future__ import annotations

import gzip
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cg_files import FakeModel, walk, write_ca_pdb, write_gro, write_trajectory
from odd_files import SEQUENCE, atoms, com_beads, pdb

from latcpb_cli.cli.app import main


def text(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content)


def beads(*args, **options) -> Callable[[Path], object]:
    return text("a.pdb", pdb(atoms(*args, **options)))


def binary(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def good(folder: Path) -> object:
    return (folder / "cg.pdb").write_text(pdb(atoms()))


def with_trajectory(name: str, positions: np.ndarray, **options) -> Callable[[Path], object]:
    return lambda folder: (good(folder), write_trajectory(folder / name, positions, **options))


def truncated(name: str, n_bytes: int) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        good(folder)
        path = write_trajectory(folder / name, walk(10, 6))
        os.truncate(path, path.stat().st_size - n_bytes)

    return make


def with_nan(folder: Path) -> None:
    positions = walk(10, 6)
    positions[2, 1] = np.nan
    with_trajectory("t.dcd", positions)(folder)


def nm(folder: Path) -> object:
    return write_ca_pdb(folder / "nm.pdb", SEQUENCE, walk(10) / 10)


def angstrom_gro(folder: Path) -> object:
    return write_gro(folder / "a.gro", SEQUENCE, walk(10)[0] * 10)


PSF = """PSF

       1 !NTITLE
 REMARKS nothing

       1 !NATOM
       1 P    1    ALA  CA   CA     0.000000       71.0000           0

       0 !NBOND: bonds
"""
STRETCHED = walk(10, bond=4.9)[0]
ZEROS = np.zeros((10, 3))
BOMB = gzip.compress(b"ATOM" * (1 << 25))
STARS = [line[:30] + "********" + line[38:] for line in atoms()]
TWO_SIZES = pdb("MODEL 1", atoms(), "ENDMDL", "MODEL 2", atoms()[:9], "ENDMDL", "MODEL 3", atoms())
ONE_ATOM = (
    "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n"
    "ITEM: ATOMS id type\n1 1\n"
)
GRO = "beads\n{n}\n    1ALA     CA    1   1.000   1.000   1.000\n   9.00000   9.00000   9.00000\n"
SEVENTY = "x\n70\n" + "".join(f"{1:5d}ALA     CA{i:5d}{2 * i:8.3f}{1:8.3f}{1:8.3f}\n" for i in range(70))
SEVENTY += "   0   0   0\n"
HUGE_DCD = (
    b"T\0\0\0CORD" + b"\0" * 84 + b"\x04\0\0\0" + b"\0" * 4 + b"\x04\0\0\0\xff\xff\xff\x7f" + b"\0" * 40
)

CASES = {
    # name: (function that makes the input, arguments, exit code, error)
    "missing": (good, "nothing.pdb", 3, "nothing.pdb: no such file"),
    "a folder": (lambda f: (f / "d.pdb").mkdir(), "d.pdb", 3, "d.pdb: not a file"),
    "a dangling link": (lambda f: (f / "l.pdb").symlink_to("nowhere"), "l.pdb", 3, "l.pdb: no such file"),
    "a link to itself": (
        lambda f: (f / "l.pdb").symlink_to("l.pdb"), "l.pdb", 3, "l.pdb: cannot be opened (Too many levels",
    ),
    "a pipe": (lambda f: os.mkfifo(f / "p.pdb"), "p.pdb", 3, "p.pdb: not a file"),
    "empty": (text("e.pdb", ""), "e.pdb", 3, "e.pdb: the file is empty"),
    "nothing but blanks": (text("e.pdb", " \n\n"), "e.pdb", 3, "e.pdb: no ATOM or HETATM record"),
    "a name with a line end": (text("a\nb.pdb", "x"), "'a\nb.pdb'", 3, "a\\nb.pdb: no ATOM or HETATM record"),
    "a name that steers the terminal": (text("\x1b[2J.pdb", "x"), "\x1b[2J.pdb", 3, "\\x1b[2J.pdb: no ATOM"),
    "unknown format": (text("a.docx", "x"), "a.docx", 3, "a.docx: unknown format '.docx'"),
    "no suffix": (text("traj", "x"), "traj", 3, "traj: its name has no suffix, so no format"),
    "include files of GROMACS": (text("a.itp", "x"), "a.itp", 3, "a.itp: unknown format '.itp'"),
    "binary junk": (
        binary("j.pdb", os.urandom(5000).replace(b"A", b"")), "j.pdb", 3, "j.pdb: null bytes in a text file",
    ),
    "not gzip": (binary("a.pdb.gz", b"ATOM"), "a.pdb.gz", 3, "a.pdb.gz: cannot be unpacked"),
    "truncated gzip": (
        binary("a.pdb.gz", gzip.compress(pdb(atoms()).encode())[:-20]),
        "a.pdb.gz", 3, "a.pdb.gz: cannot",
    ),
    "empty gzip": (binary("a.pdb.gz", gzip.compress(b"")), "a.pdb.gz", 3, "a.pdb.gz: the file is empty"),
    "a gzip bomb": (binary("a.pdb.gz", BOMB), "a.pdb.gz", 3, "a.pdb.gz: unpacks to more than 64 MiB"),
    "gzip of nothing known": (
        binary("a.gz", gzip.compress(b"x")), "a.gz", 3, "a.gz: its name has no suffix, so no format",
    ),
    "nm in a PDB": (nm, "nm.pdb", 3, "nm.pdb: neighbouring Cα are 0.38 Å apart: nm coordinates"),
    "Å in a GRO": (angstrom_gro, "a.gro", 3, "a.gro: neighbouring Cα are 38.0 Å apart: Å coordinates"),
    "beads on top of each other": (
        beads(positions=0.01 * walk(10)[0]), "a.pdb", 3, "a.pdb: neigh"),
    "all at 0, 0, 0": (beads(positions=ZEROS), "a.pdb", 3, "a.pdb: frame 0: every bead is at 0, 0"),
    "centres of mass": (
        text("com.pdb", pdb(atoms("A" * 30, com_beads(30)))), "com.pdb", 3,
        "com.pdb: beads do not have the spacing of Cα in A:ALA1 to A:ALA30 (4.",
    ),
    "a stretched chain": (beads(positions=STRETCHED), "a.pdb", 3, "a.pdb: beads do not have the spacing of"),
    "stars for coordinates": (
        text("a.pdb", pdb(STARS)),
        "a.pdb", 3, "a.pdb: line 1: no coordinates in columns 31-54",
    ),
    "no number for a residue": (
        text("a.pdb", pdb(atoms()).replace("A   3", "A  ##")),
        "a.pdb", 3, "a.pdb: '  ##' is",
    ),
    "models of two sizes": (
        text("a.pdb", TWO_SIZES),
        "a.pdb", 3, "a.pdb: frame 1 has 9 atoms, frame 0 has 10",
    ),
    "unknown names": (beads("XX"), "a.pdb", 3, "a.pdb: residue names that mean no amino acid: UNK (2)"),
    "numbers for names": (
        beads(resnames=["1"] * 10), "a.pdb", 3, "a.pdb: residue names that mean no amino acid: 1 (10)",
    ),
    "no names": (beads(resnames=[""] * 10), "a.pdb", 3, "a.pdb: residue names that mean no amino acid"),
    "lipids alone": (beads(resnames=["DPPC"] * 10), "a.pdb", 3, "a.pdb: no amino acid in it"),
    "several atoms and no CA": (
        beads(names=["X", "Y"] * 5, resids=[1, 1, 2, 2, 3, 3, 4, 4, 5, 5], resnames=["ALA"] * 10),
        "a.pdb", 3, "a.pdb: no Cα beads",
    ),
    "a sequence of another length": (
        beads(), "a.pdb --sequence ACD", 3, "a.pdb: 10 beads, but --sequence has 3 residues",
    ),
    "a sequence that is none": (
        good,
        "cg.pdb --sequence nothing.fa", 3, "--sequence nothing.fa: neither a FASTA",
    ),
    "a letter that is no residue": (
        lambda f: (good(f), text("s.fa", ">a\nACDB\n")(f)), "cg.pdb --sequence s.fa", 3,
        "s.fa: line 2: 'B' is not one of the twenty",
    ),
    "a trajectory alone": (
        with_trajectory("t.xtc", walk(10, 2)),
        "t.xtc", 3, "t.xtc: a trajectory does not name",
    ),
    "a topology alone": (text("a.psf", PSF), "a.psf", 3, "a.psf: a topology holds no positions"),
    "another number of atoms": (
        with_trajectory("t.xtc", walk(20, 2)),
        "t.xtc -s cg.pdb", 3, "t.xtc: 20 atoms, but",
    ),
    "a truncated XTC": (truncated("t.xtc", 9), "t.xtc -s cg.pdb", 3, "t.xtc: truncated after 5 whole frames"),
    "a truncated DCD": (truncated("t.dcd", 9), "t.dcd -s cg.pdb", 3, "t.dcd: truncated after 5 whole frames"),
    "a DCD of two thousand million atoms": (
        lambda f: (good(f), binary("t.dcd", HUGE_DCD)(f)), "t.dcd -s cg.pdb", 3, "t.dcd",
    ),
    "a GRO of more atoms than lines": (text("a.gro", GRO.format(n=2)), "a.gro", 3, "a.gro: cannot be read"),
    "a GRO of ten million million atoms": (
        text("a.gro", GRO.format(n=10**13)),
        "a.gro", 3, "a.gro: cannot be read",
    ),
    "a GRO of words": (text("a.gro", "a\nb\nc\n"), "a.gro", 3, "a.gro: line 2: no number of atoms"),
    "a dump without positions": (
        lambda f: (text("a.lammpstrj", ONE_ATOM)(f), text("o.pdb", pdb(atoms("A")))(f)),
        "a.lammpstrj -s o.pdb", 3, "a.lammpstrj: frame 0: no coordinates among its columns (id type)",
    ),
    "a dump of words": (
        lambda f: (good(f), text("a.dump", "ITEM: TIMESTEP\nsoon\n")(f)),
        "a.dump -s cg.pdb", 3, "a.dump: line 2: cannot",
    ),
    "an mdcrd of another topology": (
        lambda f: (good(f), text("a.mdcrd", "title\n" + "   1.000" * 7 + "\n")(f)), "a.mdcrd -s cg.pdb", 3,
        "a.mdcrd: no frame of 10 atoms",
    ),
    "mmCIF without atoms": (text("a.cif", "data_a\n_cell.length_a 1\n"), "a.cif", 3, "a.cif: no atoms"),
    "no number, strictly": (
        with_nan,
        "t.dcd -s cg.pdb --strict -o o.pdb", 3, "t.dcd: frame 2, residue A:CYS2: position is not",
    ),
    "beyond a PDB": (
        beads(positions=walk(10)[0] + 9980.0), "a.pdb", 3,
        "frame 0, residue A:ASP3: coordinates beyond -999 to 9999 Å do not fit into PDB",
    ),
    "too many chains for a PDB": (
        text("a.gro", SEVENTY), "a.gro -o o.pdb", 3, "the result does not fit into a PDB file: 70 chains",
    ),
    "no frame left": (good, "cg.pdb -b 100", 3, "no frame is left of 1 in cg.pdb"),
    "a selection of nothing": (good, "cg.pdb --selection 'bynum 99'", 3, "cg.pdb: --selection"),
    "a selection that is none": (
        good,
        "cg.pdb --selection fools", 2, "selection 'fools' is not understood",
    ),
    "a scale of nothing": (good, "cg.pdb --scale 0", 2, "--scale 0.0 is not possible"),
    "a scale of no number": (good, "cg.pdb --scale nan", 2, "--scale nan is not possible"),
    "frames that are none": (good, "cg.pdb --frames 1:2:-1", 2, "--frames '1:2:-1' is not understood"),
    "an output of no format": (good, "cg.pdb -o a.txt", 2, "a.txt: cannot write format '.txt'"),
    "an output in no folder": (good, "cg.pdb -o no/a.pdb", 4, "no: no such folder"),
    "an output without a name": (good, "cg.pdb -o ''", 2, "--output '.' is no file name"),
    "the folder for an output": (good, "cg.pdb -o .", 2, "--output '.' is no file name"),
    "an output of the kernel": (good, "cg.pdb -o /proc/a.pdb", 4, "/proc"),
    "a name with no room for suffixes": (
        good, f"cg.pdb -o {'n' * 240}.xtc", 4, f"{'n' * 240}.xtc: the name is too long",
    ),
    "the sequence as output": (
        lambda f: (good(f), text("s.pdb", f">a\n{SEQUENCE}\n")(f)),
        "cg.pdb --sequence s.pdb -o s.pdb --overwrite", 2, "s.pdb: is an input of this run",
    ),
    "an output that exists": (
        lambda f: (good(f), (f / "o.pdb").touch()), "cg.pdb -o o.pdb", 4, "o.pdb: exists already"),
}  # fmt: skip


@pytest.fixture
def run(backmap, monkeypatch):
    """Run ``latcpb backmap`` with a model that must not be loaded; returns exit code and lines of stderr."""

    def never(*_, **__):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(FakeModel, "from_pretrained", never)

    def call(*arguments: str) -> tuple[int, list[str]]:
        code, messages = backmap(*arguments)
        return code, messages.splitlines()

    return call


@pytest.mark.parametrize("name", CASES)
def test_refused(tmp_path, run, name):
    make, arguments, code, message = CASES[name]
    make(tmp_path)
    before = sorted(entry.name for entry in tmp_path.iterdir())
    exit_code, messages = run(*shlex.split(arguments))
    assert exit_code == code, messages
    error, hint = messages[-2:]
    assert error.startswith(f"error: {message}")
    assert hint.startswith("hint: ")
    assert len(hint) > len("hint: ") + 10
    assert not [line for line in messages if "Traceback" in line]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


def test_no_weights(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    good(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["backmap", "cg.pdb", "--weights", "./nowhere"])
    assert caught.value.code == 5
    assert "error: no directory nowhere" in capsys.readouterr().err
