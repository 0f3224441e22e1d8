"""TRR frames without positions, and XTC frames that are damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from cg_files import walk, write_trajectory
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source

N = 13


def trr_frame(
    number: int, positions: np.ndarray | None, *, velocities: bool = False, box: bool = True, kind: str = "f"
) -> bytes:
    """One frame of `N` atoms in single (f) or double (d) precision, positions in Å, a frame every 2 ps."""
    width = struct.calcsize(kind)
    sizes = [0, 0, 9 * width * box, 0, 0, 0, 0, 0, 0, 0]
    sizes[7], sizes[8] = 3 * N * width * (positions is not None), 3 * N * width * velocities
    head = struct.pack(">3i", 1993, 13, 12) + b"GMX_trn_file" + struct.pack(">10i3i", *sizes, N, number, 0)
    values = [2.0 * number, 0.0, *(np.eye(3) * 9.0).ravel().tolist()[: 9 * box]]
    if positions is not None:
        values += (positions.astype(float) / 10).ravel().tolist()
    values += [0.1] * (3 * N * velocities)
    return head + struct.pack(f">{len(values)}{kind}", *values)


def save(path: Path, *frames: bytes) -> Path:
    path.write_bytes(b"".join(frames))
    return path


@pytest.mark.parametrize("kind", ["f", "d"])
@pytest.mark.parametrize("box", [True, False], ids=["box", "no box"])
def test_frames_without_positions_are_passed_over(tmp_path, ca_pdb, kind, box):
    xyz = walk(N, 4)
    frames = [
        trr_frame(n, xyz[n // 2] if n % 2 == 0 else None, velocities=True, box=box, kind=kind)
        for n in range(8)
    ]
    source = open_source([save(tmp_path / "t.trr", *frames)], ca_pdb)
    positions, times, _, _ = read_all(source)
    np.testing.assert_allclose(positions, xyz, atol=1e-3)
    assert times.tolist() == [0.0, 4.0, 8.0, 12.0]
    assert source.notes == ("passed over: 4 frames without positions in t.trr",)


def test_frames_with_a_box_and_nothing_else(tmp_path, ca_pdb):
    path = save(tmp_path / "t.trr", trr_frame(0, None), trr_frame(1, walk(N)[0]))
    assert open_source([path], ca_pdb).notes == ("passed over: 1 frame without positions in t.trr",)


PATTERNS = (
    "xv", "vx", "xxv", "vvx", "xvx", "bxb", "bvxx", "xbvx", "vxvxvx", "xvvvvx", "bbbbbx", "xxxxxb", "vbvbxx",
    "xvbxvb", "vvvvvvx", "xxbbxx",
)  # fmt: skip
"""Frames with positions (x), with velocities only (v) and with a box only (b)."""


@pytest.mark.parametrize("pattern", PATTERNS)
def test_only_frames_with_positions_are_read_wherever_the_others_are(tmp_path, ca_pdb, pattern):
    xyz = walk(N, len(pattern))
    frames = [
        trr_frame(n, xyz[n] if kind == "x" else None, velocities=kind == "v", kind="fd"[n % 2])
        for n, kind in enumerate(pattern)
    ]
    source = open_source([save(tmp_path / "t.trr", *frames)], ca_pdb)
    positions, times, _, _ = read_all(source)
    there = [n for n, kind in enumerate(pattern) if kind == "x"]
    np.testing.assert_allclose(positions, xyz[there], atol=1e-3)
    assert times.tolist() == [2.0 * n for n in there]
    count = len(pattern) - len(there)
    assert source.notes[0].startswith(f"passed over: {count} frame")


def test_no_frame_has_positions(tmp_path, ca_pdb):
    path = save(tmp_path / "t.trr", *[trr_frame(n, None, velocities=True) for n in range(3)])
    refuse("no frame has positions", [path], ca_pdb)


def test_impossible_sizes_stay_an_error(tmp_path, ca_pdb):
    frame = bytearray(trr_frame(1, None, velocities=True))
    frame[56:60] = struct.pack(">i", 12)
    refuse(
        "frame 1 cannot be read", [save(tmp_path / "t.trr", trr_frame(0, walk(N)[0]), bytes(frame))], ca_pdb
    )


def test_damaged_xtc_stays_an_error(tmp_path, ca_pdb, positions):
    path = write_trajectory(tmp_path / "t.xtc", positions)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)
    refuse("t.xtc", [path], ca_pdb)
