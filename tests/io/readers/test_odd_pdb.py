"""PDB files as people have them: one oddity each, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from cg_files import NAME_OF, pdb_line, walk
from odd_files import SEQUENCE, atoms, pdb

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

LETTERS62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Case:
    """A file and what it is read as: chains divided by "/", and attributes of trace or source."""

    text: str
    chains: str
    options: dict[str, Any] = field(default_factory=dict)
    ids: str | None = None
    resids: list[int] | None = None
    left_out: dict[str, int] | None = None
    note: str = ""


def apart(n_first: int, n: int, step: float = 30.0) -> np.ndarray:
    """Two chains in a file, far from each other."""
    xyz = walk(n)[0].copy()
    xyz[n_first:] += step
    return xyz


def residue(start: int, resname: str, resid: int, names: str, at: np.ndarray, chain: str = "A") -> list[str]:
    """Several atoms of one residue, CA where it should be."""
    return [
        pdb_line(
            start + i, resname, resid, at + (0.0 if name == "CA" else 0.7 * (i + 1)), name=name, chain=chain
        )
        for i, name in enumerate(names.split())
    ]


def with_side_chains(names: str) -> list[str]:
    xyz = walk(5)[0]
    return [line for i in range(5) for line in residue(5 * i + 1, NAME_OF[SEQUENCE[i]], i + 1, names, xyz[i])]


def beside(resname: str, name: str, chain: str = "X") -> list[str]:
    """Two further particles."""
    return [pdb_line(90 + i, resname, 90 + i, (50 + 5 * i, 50, 50), name=name, chain=chain) for i in range(2)]


def shifted(by: int) -> list[str]:
    """Columns moved to the right by a serial number too wide, or to the left by one too narrow."""
    return [line[:6] + " " * by + line[6:] if by > 0 else line[:6] + line[6 - by :] for line in atoms()]


FOUR_LETTERS = ["NALA", "CYX", "ASH", "GLH", "PHE", "GLY", "HSD", "ILE", "LYN", "CLEU"]
ZEROS = walk(10)[0].copy()
ZEROS[[3, 4]] = 0.0
ONE_ZERO = walk(10)[0] + 40.0
ONE_ZERO[5] = 0.0
ORIGIN = walk(10)[0] - walk(10)[0][0]

CASES = {
    "beads named BB": Case(pdb(atoms(names="BB")), SEQUENCE),
    "beads named CG, one per residue": Case(pdb(atoms(names="CG")), SEQUENCE),
    "beads named CAlpha, cut to four letters": Case(pdb(with_side_chains("CALP SC1")), SEQUENCE[:5]),
    "beads of any name": Case(pdb(atoms(names="Q5")), SEQUENCE),
    "names without spaces before them": Case(pdb(atoms()).replace("  CA ", " CA  "), SEQUENCE),
    "a side-chain bead beside CA": Case(pdb(with_side_chains("CA SC1 SC2")), SEQUENCE[:5]),
    "N CA C O CB of AWSEM": Case(pdb(with_side_chains("N CA C O CB")), SEQUENCE[:5]),
    "BB and side-chain beads of Martini": Case(pdb(with_side_chains("BB SC1")), SEQUENCE[:5]),
    "one-letter names": Case(pdb(atoms(resnames=list(SEQUENCE))), SEQUENCE),
    "names in lower case": Case(pdb(atoms(resnames=[NAME_OF[a].lower() for a in SEQUENCE])), SEQUENCE),
    "names of Amber with ends and charges": Case(pdb(atoms(resnames=FOUR_LETTERS)), SEQUENCE),
    "hydroxyproline, nearest": Case(
        pdb(atoms("AAA", resnames=["ALA", "HYP", "GLY"])), "APG", {"on_unknown": "nearest"}
    ),
    "phosphates and oxidised methionine": Case(
        pdb(atoms("AAAAAA", resnames=["SEP", "T1P", "TP2", "MHO", "SME", "MSE"])), "STYMMM"
    ),
    "an unknown residue, skipped": Case(
        pdb(atoms("AAA", resnames=["ALA", "XYZ", "GLY"])), "AG", {"on_unknown": "skip"},
        note="left out, unknown residues: XYZ (1)",
    ),
    "numbers for names, one sequence": Case(
        pdb(atoms(resnames=[str(i) for i in range(10)])), SEQUENCE, {"sequence": SEQUENCE}
    ),
    "numbers for names, copies of one sequence": Case(
        pdb(atoms(resnames=["1"] * 10)), "ACDEF/ACDEF", {"sequence": "ACDEF"}
    ),
    "X and Z for ends, with a sequence": Case(
        pdb(atoms(resnames=["X", *SEQUENCE[1:-1], "Z"])), SEQUENCE, {"sequence": SEQUENCE}
    ),
    "no chain ids, TER": Case(
        pdb(atoms("ACD", chains="   "), "TER", atoms("EFG", chains="   ", resids=[4, 5, 6])), "ACD/EFG"
    ),
    "no chain ids, segments": Case(
        pdb(atoms(chains=" " * 10, segments=["PROA"] * 4 + ["PROB"] * 6)), "ACDE/FGHIKL", ids=" "
    ),
    "no chain ids, segments of one letter": Case(
        pdb(atoms(chains=" " * 10, segments=["P"] * 4 + ["Q"] * 6)), "ACDE/FGHIKL", ids="PQ"
    ),
    "no chain ids, numbers start again": Case(
        pdb(atoms(chains=" " * 10, resids=[1, 2, 3, 4, 1, 2, 3, 4, 5, 6])), "ACDE/FGHIKL"
    ),
    "no chain ids, a long gap": Case(
        pdb(atoms(positions=apart(4, 10), chains=" " * 10)), "ACDE/FGHIKL", note="2 chains separated by gap"
    ),
    "one chain id for all, a long gap": Case(
        pdb(atoms(positions=apart(4, 10))), "ACDE/FGHIKL", ids="A", note="2 chains separated by gap"
    ),
    "one chain id for all, a gap wider than the missing loop": Case(
        pdb(atoms(positions=apart(4, 10), resids=[1, 2, 3, 4, 7, 8, 9, 10, 11, 12])), "ACDE/FGHIKL"
    ),
    "one chain id for all, TER": Case(pdb(atoms()[:4], "TER", atoms()[4:]), "ACDE/FGHIKL"),
    "a chain id that comes back": Case(pdb(atoms(chains="AABBBBAAAA")), "AC/DEFG/HIKL", ids="AB"),
    "64 chains, ids used again": Case(
        pdb(atoms("G" * 64, chains=LETTERS62 + "AB")), "/".join("G" * 64), ids=LETTERS62
    ),
    "insertion codes": Case(
        pdb(atoms("ACDE", resids=[52, 52, 52, 53], icodes=["", "A", "B", ""])),
        "ACDE",
        resids=[52, 52, 52, 53],
    ),
    "numbers from 0": Case(pdb(atoms("ACD", resids=[0, 1, 2])), "ACD", resids=[0, 1, 2]),
    "negative numbers": Case(pdb(atoms("ACD", resids=[-3, -2, -1])), "ACD", resids=[-3, -2, -1]),
    "one number for all": Case(pdb(atoms("ACD", resids=[1, 1, 1])), "ACD", resids=[1, 2, 3]),
    "five columns of number": Case(
        pdb(atoms("AC", resids=[9999, 9999])).replace("9999 ", "10001"), "AC", resids=[1, 2]
    ),
    "numbers that pass 9999": Case(
        pdb(atoms("ACD", resids=[9998, 9999, 0])), "ACD", resids=[9998, 9999, 10000]
    ),
    "hybrid-36 numbers": Case(
        pdb(atoms("AC", resids=[1, 2])).replace("A   1", "AA000").replace("A   2", "AA001"),
        "AC",
        resids=[10000, 10001],
    ),
    "neither TER nor END": Case("\n".join(atoms()), SEQUENCE),
    "a missing loop": Case(
        pdb(atoms("ACDE", apart(2, 4, 8.0), resids=[1, 2, 9, 10])), "ACDE", resids=[1, 2, 9, 10]
    ),
    "MODEL 0": Case(pdb("MODEL        0", atoms(), "ENDMDL"), SEQUENCE),
    "MODEL without ENDMDL": Case(pdb("MODEL        1", atoms(), "MODEL        2", atoms()), SEQUENCE),
    "all atoms": Case(pdb(with_side_chains("N CA C O CB HA")), SEQUENCE[:5]),
    "alternate locations": Case(
        pdb(atoms("AACA", walk(3)[0][[0, 0, 1, 2]], resids=[1, 1, 2, 3], altlocs=["A", "B", "", ""])),
        "ACA",
        resids=[1, 2, 3],
    ),
    "placeholders at 0, 0, 0": Case(
        pdb(atoms(positions=ZEROS)), "ACDGHIKL", resids=[1, 2, 3, 6, 7, 8, 9, 10], note="at exactly 0, 0, 0"
    ),
    "one placeholder at 0, 0, 0": Case(
        pdb(atoms(positions=ONE_ZERO)), "ACDEFHIKL", note="at exactly 0, 0, 0"
    ),
    "a first bead at the origin": Case(pdb(atoms(positions=ORIGIN)), SEQUENCE),
    "DNA beside": Case(pdb(atoms(), beside("DA", "P")), SEQUENCE, left_out={"DA": 2}),
    "RNA in one-letter names": Case(
        pdb(atoms("ACDEFGHIKLACGU", resnames=list("ACDEFGHIKLACGU"), names="B", chains="A" * 10 + "R" * 4)),
        SEQUENCE,
        left_out={"A": 1, "C": 1, "G": 1, "U": 1},
    ),
    "lipids beside": Case(pdb(atoms(), beside("DPPC", "PO4")), SEQUENCE, left_out={"DPPC": 2}),
    "lipids with a CA": Case(pdb(atoms(), beside("POPC", "CA")), SEQUENCE, left_out={"POPC": 2}),
    "calcium": Case(pdb(atoms(), beside("CA", "CA")), SEQUENCE, left_out={"CA": 2}),
    "potassium, not lysine": Case(pdb(atoms(names="B"), beside("K", "K")), SEQUENCE, left_out={"K": 2}),
    "water beads, not tryptophan": Case(pdb(atoms(names="B"), beside("W", "W")), SEQUENCE, left_out={"W": 2}),
    "a ligand": Case(
        pdb(atoms(), residue(91, "ATP", 300, "PG O1 N9", np.zeros(3))), SEQUENCE, left_out={"ATP": 1}
    ),
    "caps": Case(
        pdb(atoms("AACA", resnames=["ACE", "ALA", "CYS", "NME"], names=["CH3", "CA", "CA", "CH3"])),
        "AC",
        left_out={"ACE": 1, "NME": 1},
    ),
    "Windows line ends": Case(pdb(atoms()).replace("\n", "\r\n"), SEQUENCE),
    "a byte order mark": Case("\ufeffREMARK\n" + pdb(atoms()), SEQUENCE),
    "a title that is no ASCII": Case("TITLE     α-Synuklein in Ångström\n" + pdb(atoms()), SEQUENCE),
    "columns one to the right": Case(pdb(shifted(1)), SEQUENCE),
    "columns two to the right": Case(pdb(shifted(2)), SEQUENCE),
    "columns one to the left": Case(pdb(shifted(-1)), SEQUENCE),
    "coordinates that touch": Case(pdb(atoms(positions=walk(10)[0] - 500.0)), SEQUENCE),
    "a residue name one to the left": Case(
        pdb([line[:16] + line[17:20] + " " + line[20:] for line in atoms()]), SEQUENCE
    ),
    "HETATM": Case(pdb(atoms()).replace("ATOM  ", "HETATM"), SEQUENCE),
    "lines cut after the coordinates": Case(pdb([line[:54] for line in atoms()]), SEQUENCE),
    "records of all kinds between": Case(
        pdb("HEADER", atoms()[:5], "ANISOU    5  CA  PHE A   5", "SIGATM", atoms()[5:], "CONECT", "MASTER"),
        SEQUENCE,
    ),
    "text after the end": Case(pdb(atoms(), "END", "", "some notes of mine"), SEQUENCE),
    "a line of a megabyte": Case(pdb("REMARK " + "x" * 1_000_000, atoms()), SEQUENCE),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_reading(tmp_path, name):
    case = CASES[name]
    path = tmp_path / "odd.pdb"
    path.write_bytes(case.text.encode())
    source = open_source([path], options=ReadOptions(**case.options))
    trace = source.trace
    bounds = np.flatnonzero(np.diff(trace.chain_index)) + 1
    assert "/".join("".join(part) for part in np.split(np.array(list(trace.sequence)), bounds)) == case.chains
    assert source.left_out == (case.left_out or {})
    if case.ids is not None:
        assert "".join(dict.fromkeys(str(name) or " " for name in trace.chain_ids)) == case.ids
    if case.resids is not None:
        assert trace.resids.tolist() == case.resids
    if case.note:
        assert any(note.startswith(case.note) or case.note in note for note in source.notes)
    chunk = next(source.chunks(1))
    assert np.isfinite(chunk.positions).all()
    steps = np.linalg.norm(np.diff(chunk.positions[0], axis=0), axis=1)
    plain = trace.same_chain_as_next()[:-1] & (np.diff(trace.resids) == 1)
    np.testing.assert_allclose(steps[plain], 3.8, atol=0.02)


BOXES = {
    "none": ("", [0, 0, 0]),
    "a dummy of 1 Å": ("CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1", [0, 0, 0]),
    "zeros": ("CRYST1    0.000    0.000    0.000  90.00  90.00  90.00 P 1           1", [0, 0, 0]),
    "angles of 0": ("CRYST1   80.000   80.000   80.000   0.00   0.00   0.00 P 1           1", [0, 0, 0]),
    "words": ("CRYST1  a box of water", [0, 0, 0]),
    "short": ("CRYST1   80.000   90.000  100.000  90.00  90.00  90.00", [80, 90, 100]),
}


@pytest.mark.parametrize("name", BOXES)
def test_boxes(tmp_path, name):
    record, edges = BOXES[name]
    path = tmp_path / "odd.pdb"
    path.write_text(pdb(record, atoms()))
    chunk = next(open_source([path]).chunks(1))
    np.testing.assert_allclose(chunk.boxes[0, :3], edges)
