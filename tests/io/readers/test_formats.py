"""Every format gives the same beads; what is missing for one is named."""

from __future__ import annotations

import gzip
import sys

import numpy as np
import pytest
from cg_files import walk, write_ca_pdb, write_trajectory
from cg_formats import STRUCTURE_WRITERS, TOPOLOGY_WRITERS, TRAJECTORY_WRITERS

from latcpb_cli.errors import InputError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import ReadOptions

SEQUENCE = "MGSWTYPLKHCDE"
BOX = np.array([80.0, 90.0, 100.0])
HAS_TIMES = ("gro", "h5", "h5md", "xtc", "dcd", "trr", "nc", "gsd", "lammpstrj")
"""Formats with times, or step numbers in their place."""
EXTRAS = {"gsd": "gsd", "h5": "h5py", "h5md": "h5py"}
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def positions() -> np.ndarray:
    """Four frames of beads inside the box."""
    return walk(len(SEQUENCE), 4) + np.float32(3.0)


def need(name: str) -> None:
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])


def check(source, positions: np.ndarray, times: bool) -> None:
    assert source.trace.sequence == SEQUENCE
    assert source.trace.chain_index.max() == 0
    chunks = list(source.chunks(3))
    np.testing.assert_allclose(np.concatenate([chunk.positions for chunk in chunks]), positions, atol=0.006)
    boxes = np.concatenate([chunk.boxes for chunk in chunks])
    np.testing.assert_allclose(boxes, np.tile([*BOX, 90, 90, 90], (len(positions), 1)), rtol=1e-5)
    if times:
        clock = np.concatenate([chunk.times for chunk in chunks])
        np.testing.assert_allclose(clock, 10.0 * np.arange(len(positions)), rtol=1e-5)


@pytest.mark.parametrize("name", STRUCTURE_WRITERS)
def test_structures(tmp_path, positions, name):
    need(name)
    if name == "data":
        path = STRUCTURE_WRITERS[name](tmp_path, SEQUENCE, positions, BOX)
        check(open_source([path], options=ReadOptions(sequence=SEQUENCE)), positions[:1], False)
        return
    path = STRUCTURE_WRITERS[name](tmp_path, SEQUENCE, positions, BOX)
    source = open_source([path])
    assert source.n_frames == 4
    check(source, positions, name in HAS_TIMES)


@pytest.mark.parametrize("name", TRAJECTORY_WRITERS)
def test_trajectories(tmp_path, positions, name):
    need(name)
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    path = TRAJECTORY_WRITERS[name](tmp_path, SEQUENCE, positions, BOX)
    before = sorted(entry.name for entry in tmp_path.iterdir())
    source = open_source([path], top)
    assert source.n_frames == 4
    check(source, positions, name in HAS_TIMES)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", [*TOPOLOGY_WRITERS, *STRUCTURE_WRITERS])
def test_topologies(tmp_path, positions, name):
    need(name)
    top = {**TOPOLOGY_WRITERS, **STRUCTURE_WRITERS}[name](tmp_path, SEQUENCE, positions, BOX)
    path = write_trajectory(tmp_path / "t.xtc", positions, box=np.array([*BOX, 90, 90, 90]))
    check(
        open_source([path], top, ReadOptions(sequence=SEQUENCE if name == "data" else None)), positions, True
    )


@pytest.mark.parametrize("name", ["gro", "lammpstrj", "mdcrd"])
def test_cut_text_trajectories(tmp_path, positions, name):
    """What is cut in its last frame is refused, and read up to there when asked for."""
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    path = {**STRUCTURE_WRITERS, **TRAJECTORY_WRITERS}[name](tmp_path, SEQUENCE, positions, BOX)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(InputError, match="truncated after 3 whole frames"):
        open_source([path], top)


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        ("xs ys zs", lambda xyz: xyz / BOX),
        ("xu yu zu", lambda xyz: xyz),
        ("x y z ix iy iz", lambda xyz: [*xyz, 0, 0, 0]),
    ],
)
def test_columns_of_dumps(tmp_path, positions, columns, value):
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    lines = ["ITEM: TIMESTEP", "5", "ITEM: NUMBER OF ATOMS", "13", "ITEM: BOX BOUNDS pp pp pp"]
    lines += [*[f"0 {edge}" for edge in BOX], f"ITEM: ATOMS id element {columns}"]
    lines += [f"{i + 1} C " + " ".join(f"{x:.6f}" for x in value(xyz)) for i, xyz in enumerate(positions[0])]
    path = tmp_path / "t.dump"
    path.write_text("\n".join([*lines, ""]))
    check(open_source([path], top), positions[:1], False)


def test_tilted_boxes(tmp_path, positions):
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    head = "ITEM: TIMESTEP\n5\nITEM: NUMBER OF ATOMS\n13\nITEM: BOX BOUNDS xy xz yz pp pp pp\n"
    # The bounds of a tilted box enclose all of it: 80 Å wide, tilted by 20 Å in y.
    head += "0 100 20\n0 80 0\n0 80 0\nITEM: ATOMS id x y z\n"
    rows = [f"{i + 1} " + " ".join(f"{x:.3f}" for x in xyz) for i, xyz in enumerate(positions[0])]
    (tmp_path / "t.dump").write_text(head + "\n".join([*rows, ""]))
    box = next(open_source([tmp_path / "t.dump"], top).chunks(1)).boxes[0]
    np.testing.assert_allclose(
        box, [80, np.hypot(80, 20), 80, 90, 90, np.degrees(np.arctan2(80, 20))], rtol=1e-5
    )


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
@pytest.mark.parametrize("name", ["pdb", "gro", "cif", "xtc"])
def test_compressed(tmp_path, positions, name, suffix):
    import bz2
    import lzma

    pack = {".gz": gzip, ".bz2": bz2, ".xz": lzma}[suffix].compress
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    plain = {**STRUCTURE_WRITERS, **TRAJECTORY_WRITERS}[name](tmp_path, SEQUENCE, positions, BOX)
    packed = plain.with_name(plain.name + suffix)
    packed.write_bytes(pack(plain.read_bytes()))
    plain.unlink()
    before = sorted(entry.name for entry in tmp_path.iterdir())
    source = open_source([packed], top)
    assert source.paths == (top, packed)
    check(source, positions, False)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["gsd", "h5"])
def test_missing_libraries_are_named(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "gsd.hoomd" if name == "gsd" else "h5py", None)
    path = tmp_path / f"a.{name}"
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=f"needs the package {EXTRAS[name]}") as caught:
        open_source([path])
    assert caught.value.hint == "pip install 'latcpb-cli[formats]'"


def test_bonds_tell_chains_apart(tmp_path, positions):
    hoomd = pytest.importorskip("gsd.hoomd")
    path = STRUCTURE_WRITERS["gsd"](tmp_path, SEQUENCE, positions[:1], BOX)
    with hoomd.open(str(path), "r") as old:
        frame = old[0]
    pairs = [(i, i + 1) for i in range(12) if i != 5]
    frame.bonds.N, frame.bonds.types, frame.bonds.group = len(pairs), ["b"], pairs
    frame.bonds.typeid = [0] * len(pairs)
    with hoomd.open(str(tmp_path / "b.gsd"), "w") as out:
        out.append(frame)
    assert open_source([tmp_path / "b.gsd"]).trace.chain_index.tolist() == [0] * 6 + [1] * 7
