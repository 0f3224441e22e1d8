"""Reading: formats, chains, periodic boxes, frames, and every kind of bad input."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from cg_files import pdb_line, walk, write_ca_pdb, write_gro, write_trajectory

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import FrameWindow, ReadOptions

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


def read_all(source, size: int = 2):
    chunks = list(source.chunks(size))
    assert all(len(chunk) <= size for chunk in chunks)
    return tuple(
        np.concatenate([getattr(chunk, name) for chunk in chunks])
        for name in ("positions", "times", "boxes", "indices")
    )


def test_pdb_keeps_labels(tmp_path, positions, sequence):
    path = write_ca_pdb(
        tmp_path / "a.pdb",
        sequence,
        positions[:1],
        chains="A" * 6 + "B" * 7,
        resids=[-1, 0, 1, 1, 1, 2, *range(50, 57)],
        icodes=["", "", "", "A", "B", "", *[""] * 7],
        box=(80, 90, 100, 90, 90, 90),
    )
    source = open_source([path])
    trace = source.trace
    assert trace.sequence == sequence
    assert "".join(trace.chain_ids) == "A" * 6 + "B" * 7
    assert trace.resids.tolist() == [-1, 0, 1, 1, 1, 2, *range(50, 57)]
    assert trace.icodes.tolist()[2:5] == ["", "A", "B"]
    assert trace.chain_index.tolist() == [0] * 6 + [1] * 7
    xyz, _, boxes, _ = read_all(source)
    np.testing.assert_array_equal(xyz, positions[:1])
    np.testing.assert_allclose(boxes, [[80, 90, 100, 90, 90, 90]])


@pytest.mark.parametrize("separator", ["MODEL", "END"])
def test_models_are_frames(tmp_path, positions, sequence, separator):
    path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions, separator=separator)
    source = open_source([path])
    xyz, times, boxes, indices = read_all(source)
    np.testing.assert_array_equal(xyz, positions)
    assert times.tolist() == indices.tolist() == list(range(6))
    assert not boxes.any()


def test_coordinate_fields_that_touch(tmp_path):
    line = np.stack([np.zeros(5), np.zeros(5), -446.5 + 3.8 * np.arange(5)], axis=1)[None]
    path = write_ca_pdb(tmp_path / "line.pdb", "AAAAA", line)
    assert "0.000-446.500" in path.read_text()
    np.testing.assert_allclose(read_all(open_source([path]))[0], line, atol=1e-3)


def test_gro_is_read_in_angstrom_and_split_at_gaps(tmp_path):
    xyz = walk(10)[0]
    xyz[5:] += 40.0
    path = write_gro(tmp_path / "a.gro", "ACDEFGHIKL", xyz, box=(300, 300, 300))
    source = open_source([path])
    np.testing.assert_allclose(read_all(source)[0][0], xyz, atol=0.006)
    assert source.trace.chain_index.tolist() == [0] * 5 + [1] * 5
    assert "2 chains" in source.notes[0]


def test_stretched_bond_starts_no_chain(tmp_path):
    """Bead models stretch bonds past 4.5 Å; that is a break in one frame, not a chain end."""
    xyz = walk(10)[0]
    xyz[5:] += np.array([1.2, 0, 0], dtype=np.float32)
    source = open_source([write_gro(tmp_path / "a.gro", "ACDEFGHIKL", xyz)])
    assert source.trace.chain_index.max() == 0


def test_missing_loop_starts_no_chain(tmp_path):
    xyz = walk(10)
    xyz[:, 5:] += 15.0
    path = write_ca_pdb(
        tmp_path / "a.pdb", "ACDEFGHIKL", xyz, chains=" " * 10, resids=[1, 2, 3, 4, 5, 20, 21, 22, 23, 24]
    )
    assert open_source([path]).trace.chain_index.max() == 0


@pytest.mark.parametrize(
    "options",
    [
        {"chains": " " * 10, "ter_after": [4]},
        {"chains": " " * 10, "resids": [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]},
        {"chains": "AAAAABBBBB"},
        {"chains": "A" * 10, "resids": [5001, 5002, 5003, 5004, 5005, 1, 2, 3, 4, 5]},
    ],
    ids=["TER", "falling numbers", "chain ids", "numbers falling by thousands"],
)
def test_signs_of_a_chain_end(tmp_path, options):
    path = write_ca_pdb(tmp_path / "a.pdb", "ACDEFGHIKL", walk(10), **options)
    trace = open_source([path]).trace
    assert trace.chain_index.tolist() == [0] * 5 + [1] * 5
    if "resids" in options:
        assert trace.resids.tolist() == options["resids"]


def test_segments_end_chains(tmp_path):
    xyz = walk(4)[0]
    lines = [
        pdb_line(i + 1, "ALA", i + 1, xyz[i], chain=" ", segment="PA" if i < 2 else "PB") for i in range(4)
    ]
    path = tmp_path / "a.pdb"
    path.write_text("\n".join([*lines, "END", ""]))
    assert open_source([path]).trace.chain_index.tolist() == [0, 0, 1, 1]


def test_mmcif_with_author_numbering_and_models(tmp_path):
    xyz = walk(4, 2)
    rows = [
        f"ATOM {m * 4 + i + 1} C CA . {name} {'A' if i < 2 else 'B'} {i + 1} {ins} "
        f"{xyz[m, i, 0]:.3f} {xyz[m, i, 1]:.3f} {xyz[m, i, 2]:.3f} {'H' if i < 2 else 'LL'} {10 + i} {m + 1}"
        for m in range(2)
        for i, (name, ins) in enumerate([("ALA", "?"), ("MSE", "A"), ("GLY", "?"), ("HIE", "?")])
    ]
    tags = (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id "
        "pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z auth_asym_id auth_seq_id pdbx_PDB_model_num"
    )
    path = tmp_path / "a.cif"
    path.write_text("\n".join(["data_x", "loop_", *[f"_atom_site.{tag}" for tag in tags.split()], *rows, ""]))
    source = open_source([path])
    np.testing.assert_allclose(read_all(source)[0], xyz, atol=1e-3)
    assert source.trace.sequence == "AMGH"
    assert source.trace.chain_ids.tolist() == ["H", "H", "LL", "LL"]
    assert source.trace.resids.tolist() == [10, 11, 12, 13]
    assert source.trace.icodes.tolist() == ["", "A", "", ""]
    assert source.renamed == {("MSE", "MET"): 1, ("HIE", "HIS"): 1}


@pytest.mark.parametrize("suffix", [".xtc", ".trr", ".dcd"])
def test_trajectories(tmp_path, ca_pdb, positions, suffix):
    path = write_trajectory(tmp_path / f"t{suffix}", positions, box=[120, 130, 140, 90, 90, 90])
    source = open_source([path], ca_pdb)
    assert source.n_frames == 6
    assert source.interval == pytest.approx(10.0, rel=1e-5)
    xyz, times, boxes, indices = read_all(source, 4)
    np.testing.assert_allclose(xyz, positions, atol=0.006 if suffix == ".xtc" else 1e-4)
    np.testing.assert_allclose(times, 10.0 * np.arange(6), rtol=1e-5)
    np.testing.assert_allclose(boxes, np.tile([120, 130, 140, 90, 90, 90], (6, 1)), rtol=1e-6)
    assert indices.tolist() == list(range(6))


@pytest.mark.parametrize("suffix", [".xtc", ".trr", ".dcd"])
def test_reading_leaves_nothing_behind(tmp_path, ca_pdb, positions, suffix):
    folder = tmp_path / "input"
    folder.mkdir()
    path = write_trajectory(folder / f"t{suffix}", positions)
    read_all(open_source([path], ca_pdb))
    assert [entry.name for entry in folder.iterdir()] == [path.name]


def test_trajectories_one_after_the_other(tmp_path, ca_pdb, positions):
    first = write_trajectory(tmp_path / "a.xtc", positions[:4])
    second = write_trajectory(tmp_path / "b.dcd", positions[4:])
    xyz, _, _, indices = read_all(open_source([first, second], ca_pdb), 3)
    np.testing.assert_allclose(xyz, positions, atol=0.006)
    assert indices.tolist() == list(range(6))


def all_atom_pdb(path: Path) -> Path:
    """Two residues, alternate locations, water, a calcium ion."""
    rows = [
        ("N", "ALA", 1, "", (0, 0, 0)),
        ("CA", "ALA", 1, "A", (1.4, 0, 0)),
        ("CA", "ALA", 1, "B", (1.5, 0, 0)),
        ("C", "ALA", 1, "", (2, 1.4, 0)),
        ("N", "HSD", 2, "", (3, 1.4, 0)),
        ("CA", "HSD", 2, "", (4.1, 2.6, 0)),
        ("CA", "CA", 201, "", (20, 20, 20)),
        ("O", "HOH", 301, "", (30, 20, 20)),
        ("O", "HOH", 302, "", (33, 20, 20)),
    ]
    lines = [
        pdb_line(i + 1, resname, resid, xyz, name=name, altloc=altloc)
        for i, (name, resname, resid, altloc, xyz) in enumerate(rows)
    ]
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def test_all_atom_input_gives_its_alpha_carbons(tmp_path):
    source = open_source([all_atom_pdb(tmp_path / "a.pdb")])
    assert source.trace.sequence == "AH"
    np.testing.assert_allclose(read_all(source)[0][0], [[1.4, 0, 0], [4.1, 2.6, 0]], atol=1e-5)
    assert source.left_out == {"HOH": 2, "CA": 1}
    assert source.renamed == {("HSD", "HIS"): 1}


def test_trajectory_of_the_beads_of_an_all_atom_topology(tmp_path):
    top = all_atom_pdb(tmp_path / "a.pdb")
    xyz = walk(2, 3)
    source = open_source([write_trajectory(tmp_path / "t.dcd", xyz)], top)
    np.testing.assert_allclose(read_all(source)[0], xyz, atol=1e-5)


def test_one_letter_names_and_any_bead_name(tmp_path):
    xyz = walk(3)[0]
    lines = [pdb_line(i + 1, "AGW"[i], i + 1, xyz[i], name="B") for i in range(3)]
    path = tmp_path / "a.pdb"
    path.write_text("\n".join([*lines, "END", ""]))
    assert open_source([path]).trace.sequence == "AGW"


def test_repeated_residue_numbers_are_replaced(tmp_path):
    path = write_ca_pdb(tmp_path / "a.pdb", "ACDE", walk(4), resids=[1, 1, 1, 1])
    source = open_source([path])
    assert source.trace.resids.tolist() == [1, 2, 3, 4]
    assert "numbered from 1" in source.notes[0]


def wrap(xyz: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    fractions = xyz @ np.linalg.inv(vectors)
    return ((fractions - np.floor(fractions)) @ vectors).astype(np.float32)


@pytest.mark.parametrize(
    "box", [[40, 50, 60, 90, 90, 90], [50, 50, 50, 60, 60, 90], [55, 50, 45, 75, 80, 110]]
)
def test_wrapped_chains_are_made_whole(tmp_path, box):
    from MDAnalysis.lib.mdamath import triclinic_vectors

    xyz = walk(60, 5, seed=3) + 7.0
    xyz[:, 30:] += 11.0
    wrapped = wrap(xyz, triclinic_vectors(box).astype(float))
    assert np.linalg.norm(np.diff(wrapped, axis=1), axis=-1).max() > 20
    top = write_ca_pdb(tmp_path / "a.pdb", "A" * 60, wrapped[:1], chains="A" * 30 + "B" * 30)
    trajectory = write_trajectory(tmp_path / "t.dcd", wrapped, box=box)
    whole = read_all(open_source([trajectory], top))[0]
    for chain in (slice(0, 30), slice(30, 60)):
        np.testing.assert_allclose(
            whole[:, chain] - whole[:, chain][:, :1], xyz[:, chain] - xyz[:, chain][:, :1], atol=2e-3
        )
        np.testing.assert_array_equal(whole[:, chain][:, 0], wrapped[:, chain][:, 0])
    as_it_is = read_all(open_source([trajectory], top, ReadOptions(pbc="none")))[0]
    np.testing.assert_array_equal(as_it_is, wrapped)


def test_chains_found_by_gaps_even_where_the_box_cuts_them(tmp_path):
    """Without chain names, a wrapped bond must not look like a chain end."""
    xyz = walk(20)[0]
    xyz[10:] += np.array([0, 15.0, 0], dtype=np.float32)
    wrapped = wrap(xyz, np.eye(3) * 40.0)
    source = open_source([write_gro(tmp_path / "a.gro", "A" * 20, wrapped, box=(40, 40, 40))])
    assert source.trace.chain_index.tolist() == [0] * 10 + [1] * 10


def test_crystal_loop_longer_than_half_the_cell_stays(tmp_path):
    xyz = walk(10)
    xyz[:, 5:] += np.array([0, 25.0, 0], dtype=np.float32)
    path = write_ca_pdb(
        tmp_path / "a.pdb",
        "A" * 10,
        xyz,
        resids=[1, 2, 3, 4, 5, 20, 21, 22, 23, 24],
        box=(45, 45, 45, 90, 90, 90),
    )
    np.testing.assert_allclose(read_all(open_source([path]))[0], xyz, atol=1e-3)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (FrameWindow(frames="1:5:2"), [1, 3]),
        (FrameWindow(frames=":2"), [0, 1]),
        (FrameWindow(frames="-1"), [5]),
        (FrameWindow(frames="3"), [3]),
        (FrameWindow(stride=4), [0, 4]),
        (FrameWindow(begin=10.0, end=30.0), [1, 2, 3]),
        (FrameWindow(begin=10.0, end=40.0, stride=2), [1, 3]),
    ],
)
@pytest.mark.parametrize("suffix", [".xtc", ".dcd"])
def test_choice_of_frames(tmp_path, ca_pdb, positions, suffix, window, expected):
    path = write_trajectory(tmp_path / f"t{suffix}", positions)
    source = open_source([path], ca_pdb, ReadOptions(window=window))
    xyz, times, _, indices = read_all(source)
    assert indices.tolist() == expected
    np.testing.assert_allclose(xyz, positions[expected], atol=0.006)
    np.testing.assert_allclose(times, 10.0 * np.array(expected), rtol=1e-5)


@pytest.mark.parametrize(
    "options", [{"frames": "a:b"}, {"frames": "1:2:-1"}, {"frames": "1", "stride": 2}, {"stride": 0}]
)
def test_impossible_choices(options):
    with pytest.raises(UsageError):
        FrameWindow(**options)


def test_selection(tmp_path, positions, sequence):
    path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions[:1], chains="A" * 6 + "B" * 7)
    source = open_source([path], options=ReadOptions(selection="chainID B and not resname HIS"))
    assert source.trace.sequence == "PLKCDE"
    with pytest.raises(UsageError, match="not understood"):
        open_source([path], options=ReadOptions(selection="chain of fools"))
    with pytest.raises(InputError, match="selects nothing"):
        open_source([path], options=ReadOptions(selection="chainID Z"))


class TestBadInput:
    """One line that names the file and says what to try."""

    def refused(self, message: str, *args, **options) -> InputError:
        with pytest.raises(InputError, match=message) as caught:
            read_all(open_source(*args, options=ReadOptions(**options)))
        assert "\n" not in caught.value.message
        assert caught.value.hint
        return caught.value

    def test_missing(self, tmp_path):
        error = self.refused("no such file", [tmp_path / "a.pdb"])
        assert "a.pdb" in error.message

    @pytest.mark.parametrize("name", ["a.pdb", "a.gro", "a.cif", "a.xtc", "a.dcd", "a.trr"])
    def test_empty(self, tmp_path, ca_pdb, name):
        (tmp_path / name).touch()
        self.refused(f"{name}: the file is empty", [tmp_path / name], ca_pdb)
        self.refused(f"{name}: the file is empty", [tmp_path / name])

    @pytest.mark.parametrize("name", ["a.pdb", "a.gro", "a.cif", "a.xtc", "a.dcd", "a.trr", "a.nc"])
    def test_garbage(self, tmp_path, ca_pdb, name):
        (tmp_path / name).write_bytes(b"\x00\xffgarbage\n" * 50)
        error = self.refused(name, [tmp_path / name], ca_pdb)
        assert error.message.startswith(str(tmp_path / name))

    def test_unknown_format(self, tmp_path):
        (tmp_path / "a.docx").write_text("x")
        error = self.refused("unknown format '.docx'", [tmp_path / "a.docx"])
        assert ".xtc" in error.hint

    def test_folder(self, tmp_path):
        (tmp_path / "a.pdb").mkdir()
        self.refused("not a file", [tmp_path / "a.pdb"])

    def test_trajectory_without_topology(self, tmp_path, positions):
        path = write_trajectory(tmp_path / "t.xtc", positions)
        assert "--top" in self.refused("which residues", [path]).hint

    @pytest.mark.parametrize("suffix", [".xtc", ".dcd", ".trr"])
    @pytest.mark.parametrize("lost", [7, 150])
    def test_truncated_trajectory(self, tmp_path, ca_pdb, positions, suffix, lost):
        path = write_trajectory(tmp_path / f"t{suffix}", positions)
        os.truncate(path, path.stat().st_size - lost)
        error = self.refused("truncated after [45] whole frames", [path], ca_pdb)
        whole = int(error.hint.rsplit(":", 1)[1])
        source = open_source([path], ca_pdb, ReadOptions(window=FrameWindow(frames=f"0:{whole}")))
        np.testing.assert_allclose(read_all(source)[0], positions[:whole], atol=0.006)

    def test_truncated_in_the_first_frame(self, tmp_path, ca_pdb, positions):
        for suffix in (".xtc", ".dcd", ".trr"):
            path = write_trajectory(tmp_path / f"t{suffix}", positions[:1])
            os.truncate(path, path.stat().st_size - 10)
            self.refused(f"t{suffix}", [path], ca_pdb)

    def test_truncated_pdb(self, tmp_path, sequence, positions):
        one = write_ca_pdb(tmp_path / "one.pdb", sequence, positions[:1])
        one.write_text(one.read_text()[:-60])
        self.refused("cut short in line 13", [one])
        many = write_ca_pdb(tmp_path / "many.pdb", sequence, positions)
        many.write_text("\n".join(many.read_text().splitlines()[:-6]) + "\n")
        self.refused("truncated after 5 whole frames", [many])

    def test_truncated_gro(self, tmp_path, sequence, positions):
        path = write_gro(tmp_path / "a.gro", sequence, positions[0])
        path.write_text("\n".join(path.read_text().splitlines()[:-4]) + "\n")
        self.refused("cannot be read", [path])

    def test_truncated_cif(self, tmp_path):
        (tmp_path / "a.cif").write_text("data_x\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n1 2.0 3\n")
        self.refused("cannot be read as mmCIF", [tmp_path / "a.cif"])

    def test_models_of_different_sizes(self, tmp_path, sequence, positions):
        path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions)
        lines = path.read_text().splitlines()
        path.write_text("\n".join(lines[:20] + lines[21:]))
        self.refused("frame 1 has 12 atoms", [path])

    def test_bad_columns(self, tmp_path, ca_pdb):
        lines = ca_pdb.read_text().splitlines()
        lines[4] = lines[4][:30] + "  ******" + lines[4][38:]
        ca_pdb.write_text("\n".join(lines))
        self.refused("line 5: no coordinates", [ca_pdb])

    def test_no_beads(self, tmp_path):
        xyz = walk(4)[0]
        lines = [pdb_line(i + 1, "ALA", i // 2 + 1, xyz[i], name=f"X{i % 2}") for i in range(4)]
        path = tmp_path / "a.pdb"
        path.write_text("\n".join(lines))
        self.refused("no Cα beads", [path])

    def test_another_atom_count(self, tmp_path, ca_pdb):
        path = write_trajectory(tmp_path / "t.xtc", walk(20, 2))
        error = self.refused("t.xtc: 20 atoms, but .*cg.pdb has 13", [path], ca_pdb)
        assert "topology" in error.hint

    def test_nan(self, tmp_path, ca_pdb, positions):
        positions[3, 4] = np.nan
        path = write_trajectory(tmp_path / "t.dcd", positions)
        self.refused("t.dcd: frame 3, residue A:THR5: ", [path], ca_pdb, strict=True)

    def test_unknown_residues(self, tmp_path):
        path = write_ca_pdb(
            tmp_path / "a.pdb", "AAAAA", walk(5), resnames=["ALA", "HYP", "GLY", "HYP", "XYZ"]
        )
        error = self.refused(r"HYP \(2\), XYZ \(1\)", [path])
        assert "--selection 'not resname HYP XYZ'" in error.hint
        assert (
            open_source([path], options=ReadOptions(selection="not resname HYP XYZ")).trace.sequence == "AG"
        )

    def test_nm_coordinates(self, tmp_path, sequence, positions):
        path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions[:1] / 10)
        self.refused("nm coordinates", [path])

    def test_no_frame_left(self, tmp_path, ca_pdb, positions):
        path = write_trajectory(tmp_path / "t.xtc", positions)
        error = self.refused("no frame is left", [path], ca_pdb, window=FrameWindow(begin=1000.0))
        assert "0 to 50 ps" in error.hint


def test_read_only_folder(tmp_path, ca_pdb, positions):
    folder = tmp_path / "locked"
    folder.mkdir()
    path = shutil.move(write_trajectory(tmp_path / "t.xtc", positions), folder / "t.xtc")
    folder.chmod(0o555)
    try:
        assert open_source([Path(path)], ca_pdb).n_frames == 6
    finally:
        folder.chmod(0o755)
