"""Frames that name their atoms hold the same residues as the topology, or are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cg_files import NAME_OF, walk, write_ca_pdb, write_gro, write_trajectory
from cg_formats import BOX, STRUCTURE_WRITERS, TOPOLOGY_WRITERS
from cg_formats import SEQUENCE as NAMED
from odd_files import atoms, pdb
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import FrameWindow, ReadOptions

SEQUENCE, OTHER = "ACDEFGHIKL", "ACDEFGHIKM"
XYZ = walk(10)[0]


def models(*blocks: list[str]) -> str:
    return pdb(
        *[part for n, block in enumerate(blocks, 1) for part in (f"MODEL     {n:4d}", block, "ENDMDL")]
    )


def save(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def gro(sequence: str) -> str:
    rows = [
        f"{i + 1:5d}{NAME_OF[letter]:<5s}   CA{i + 1:5d}{x:8.3f}{y:8.3f}{z:8.3f}"
        for i, (letter, (x, y, z)) in enumerate(zip(sequence, XYZ / 10, strict=True))
    ]
    return "\n".join(["beads", f"{len(rows):5d}", *rows, "   0.0   0.0   0.0", ""])


def cif(*sequences: str) -> str:
    tags = "group_PDB id label_atom_id label_comp_id auth_asym_id auth_seq_id Cartn_x Cartn_y Cartn_z"
    rows = [
        f"ATOM {i + 1} CA {NAME_OF[letter]} A {i + 1} {x:.3f} {y:.3f} {z:.3f} {number}"
        for number, sequence in enumerate(sequences, start=1)
        for i, (letter, (x, y, z)) in enumerate(zip(sequence, XYZ, strict=True))
    ]
    loop = ["loop_", *[f"_atom_site.{tag}" for tag in [*tags.split(), "pdbx_PDB_model_num"]]]
    return "\n".join(["data_x", *loop, *rows, ""])


REFUSED = {
    "another sequence in a MODEL": (
        "a.pdb",
        models(atoms(SEQUENCE), atoms(SEQUENCE), atoms(OTHER)),
        "model 3 has A:MET10.* the first model of a.pdb has A:LEU10",
    ),
    "another sequence after END": ("a.pdb", pdb(atoms(SEQUENCE), "END", atoms(OTHER)), "model 2 has A:MET10"),
    "chains of two sequences swapped": (
        "a.pdb",
        models(
            atoms(SEQUENCE, chains="AAAAABBBBB"),
            atoms(SEQUENCE[5:] + SEQUENCE[:5], chains="BBBBBAAAAA", resids=[*range(6, 11), *range(1, 6)]),
        ),
        "model 2 has B:GLY6",
    ),
    "chains of one sequence swapped": (
        "a.pdb",
        models(
            atoms("ACDEFACDEF", chains="AAAAABBBBB", resids=[*range(1, 6)] * 2),
            atoms("ACDEFACDEF", chains="BBBBBAAAAA", resids=[*range(1, 6)] * 2),
        ),
        "model 2 has B:ALA1 .* A:ALA1",
    ),
    "segments instead of chains swapped": (
        "a.pdb",
        models(
            atoms("AAAAAAAAAA", chains=" " * 10, segments=["P"] * 5 + ["Q"] * 5, resids=[*range(1, 6)] * 2),
            atoms("AAAAAAAAAA", chains=" " * 10, segments=["Q"] * 5 + ["P"] * 5, resids=[*range(1, 6)] * 2),
        ),
        "model 2 has Q:ALA1",
    ),
    "one residue listed elsewhere": (
        "a.pdb",
        models(atoms("AAAAA"), atoms("AAAAA", resids=[1, 2, 4, 3, 5])),
        "model 2 has A:ALA4",
    ),
    "another insertion code": (
        "a.pdb",
        models(*[atoms("AAA", resids=[1, 1, 2], icodes=["", icode, ""]) for icode in "AB"]),
        "A:ALA1B",
    ),
    "other atoms first": (
        "a.pdb",
        models(
            atoms("AACC", names=["CA", "CB"] * 2, resids=[1, 1, 2, 2]),
            atoms("AACC", names=["CB", "CA"] * 2, resids=[1, 1, 2, 2]),
        ),
        r"model 2 has A:ALA1 \(CB\)",
    ),
    "another sequence in a GRO frame": ("a.gro", gro(SEQUENCE) + gro(OTHER), "model 2 has MET10"),
    "another sequence in an mmCIF model": ("a.cif", cif(SEQUENCE, SEQUENCE, OTHER), "model 3 has A:MET10"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_other_residues_in_later_models(tmp_path, name):
    file, text, message = REFUSED[name]
    path = save(tmp_path / file, text)
    error = refuse(message, [path])
    assert error.message.startswith(f"{path}: ") and "by itself" in error.hint
    # Models that are not used may hold anything.
    assert open_source([path], options=ReadOptions(window=FrameWindow(frames="0"))).n_frames == 1


@pytest.mark.parametrize("suffix", ["pdb", "gro", "cif"])
def test_other_residues_in_later_files(tmp_path, suffix):
    make = {"pdb": lambda s: pdb(atoms(s)), "gro": gro, "cif": lambda s: cif(s)}[suffix]
    first = save(tmp_path / f"a.{suffix}", make(SEQUENCE))
    same = save(tmp_path / f"b.{suffix}", make(SEQUENCE))
    other = save(tmp_path / f"c.{suffix}", make(OTHER))
    assert open_source([first, same]).n_frames == 2
    assert refuse("it has .*MET10", [first, same, other]).message.startswith(str(other))
    assert refuse("it has .*MET10", [other], first).message.startswith(str(other))


def test_other_residues_than_a_topology_of_another_format(tmp_path):
    top = save(tmp_path / "a.gro", gro(SEQUENCE))
    assert (
        open_source([save(tmp_path / "a.pdb", pdb(atoms(SEQUENCE, resids=range(5, 15))))], top).n_frames == 1
    )
    refuse("it has A:MET10", [save(tmp_path / "b.pdb", pdb(atoms(OTHER)))], top)


def test_particle_types_of_gsd_frames(tmp_path, positions):
    hoomd = pytest.importorskip("gsd.hoomd")
    path = STRUCTURE_WRITERS["gsd"](tmp_path, NAMED, positions, BOX)
    with hoomd.open(str(path), "r+") as file:
        frame = file[1]
        frame.particles.typeid = frame.particles.typeid[::-1].copy()
        file.append(frame)
    refuse("model 7 has E1", [path])


ACCEPTED = {
    "states of protonation": models(
        atoms("HHH", resnames=["HSD", "HIS", "HIE"]), atoms("HHH", resnames=["HSE", "HSP", "HIS"])
    ),
    "serial numbers that go on": models(
        atoms(SEQUENCE), [line[:6] + f"{i + 99_999:6d}" + line[11:] for i, line in enumerate(atoms(SEQUENCE))]
    ),
    "other occupancies": models(
        atoms(SEQUENCE), [line[:54] + "  0.50 99.00" for line in atoms(SEQUENCE)]
    ),
    "other names of water": models(
        [*atoms(SEQUENCE), *atoms("A", resnames=["HOH"], names="O", resids=[90])],
        [*atoms(SEQUENCE), *atoms("A", resnames=["SOL"], names="OW", resids=[91])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_labels_that_mean_the_same(tmp_path, name):
    source = open_source([save(tmp_path / "a.pdb", ACCEPTED[name])])
    xyz = read_all(source)[0]
    np.testing.assert_array_equal(xyz[0], xyz[1])


def test_a_sequence_of_the_user_stands_above_residue_names(tmp_path):
    path = save(tmp_path / "a.pdb", models(atoms("GGGG"), atoms("AAAA")))
    assert open_source([path], options=ReadOptions(sequence="ACDE")).trace.sequence == "ACDE"


@pytest.mark.parametrize("name", TOPOLOGY_WRITERS)
def test_topologies_number_residues_in_their_own_way(tmp_path, positions, name):
    top = TOPOLOGY_WRITERS[name](tmp_path, NAMED, positions, BOX)
    path = write_ca_pdb(tmp_path / "t.pdb", NAMED, positions, resids=range(101, 114))
    assert open_source([path], top).n_frames == 6


def test_binary_trajectories_have_no_labels(tmp_path, positions, ca_pdb):
    paths = [write_trajectory(tmp_path / name, positions) for name in ("a.xtc", "b.dcd")]
    assert open_source(paths, ca_pdb).n_frames == 12
    assert open_source([ca_pdb, *paths]).n_frames == 13


def test_gro_of_the_same_beads(tmp_path, positions, sequence, ca_pdb):
    assert open_source([write_gro(tmp_path / "a.gro", sequence, positions[0])], ca_pdb).n_frames == 1
