"""Beads without a position: chains are made whole around them, and they touch nothing."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import walk, write_ca_pdb, write_trajectory
from reading import refuse

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

BOX = 40.0


def wrapped_chains(missing: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Two chains of ten beads, whole, and wrapped bead by bead with some beads missing."""
    whole = walk(20, 3) + np.float32(3.0)
    whole[:, 10:] += np.array([0, 12.0, 0], dtype=np.float32)
    wrapped = np.mod(whole, BOX)
    wrapped[1, missing] = np.nan
    return whole, wrapped


def read(tmp_path, wrapped: np.ndarray, **options):
    top = write_ca_pdb(tmp_path / "cg.pdb", "A" * 20, walk(20), chains="A" * 10 + "B" * 10)
    trajectory = write_trajectory(tmp_path / "t.dcd", wrapped, box=[BOX, BOX, BOX, 90, 90, 90])
    return next(open_source([trajectory], top, ReadOptions(**options)).chunks(3))


def test_chains_are_made_whole_around_missing_beads(tmp_path):
    for missing in ([4], [9], [8, 9], [0], [10], [3, 4, 5, 13]):
        whole, wrapped = wrapped_chains(missing)
        chunk = read(tmp_path, wrapped)
        assert np.flatnonzero(chunk.missing[1]).tolist() == missing
        for chain in (slice(0, 10), slice(10, 20)):
            known = np.array([i for i in range(20)[chain] if i not in missing])
            shape = chunk.positions[1, known] - chunk.positions[1, known[0]]
            np.testing.assert_allclose(shape, whole[1, known] - whole[1, known[0]], atol=1e-4)


def test_missing_beads_touch_nothing(tmp_path):
    for missing in ([4], list(range(10)), list(range(20))):
        chunk = read(tmp_path, wrapped_chains(missing)[1])
        positions = chunk.positions[1]
        assert np.isfinite(positions).all()
        distance = np.linalg.norm(positions[:, None] - positions, axis=-1) + 1e3 * np.eye(20)
        assert distance[missing].min() > 40.0


def test_complete_frames_are_not_touched(tmp_path):
    _, wrapped = wrapped_chains([4])
    chunk = read(tmp_path, wrapped, pbc="none")
    np.testing.assert_array_equal(chunk.positions[[0, 2]], wrapped[[0, 2]])
    np.testing.assert_array_equal(chunk.positions[1, 5:], wrapped[1, 5:])
    assert read(tmp_path, wrapped_chains([])[1]).missing is None


def test_strict_reading_stops_at_a_frame_with_problems(tmp_path, ca_pdb, positions):
    positions[3, 4] = np.nan
    path = write_trajectory(tmp_path / "t.dcd", positions)
    refuse("t.dcd: frame 3, residue A:THR5: ", [path], ca_pdb, strict=True)


def test_the_reason_why_a_bead_has_no_position(tmp_path, ca_pdb, positions):
    positions[1, 4], positions[3, 4] = np.nan, 2e6
    path = write_trajectory(tmp_path / "t.dcd", positions)
    assert next(open_source([path], ca_pdb).chunks(6)).problems == {
        1: "residue A:THR5: position is not a number",
        3: "residue A:THR5: position is beyond 1,000,000 Å",
    }


@pytest.mark.parametrize(("n_collapsed", "n_marked"), [(28, 28), (12, 12), (8, 8), (4, 0)])
@pytest.mark.parametrize("point", [0.0, 1.5, 4.2, -6.0])
def test_beads_on_one_point_are_not_built(tmp_path, n_collapsed, n_marked, point):
    positions = walk(28, 6) + np.float32(100.0)
    rng = np.random.default_rng(0)
    positions[1, :n_collapsed] = point + rng.uniform(-0.2, 0.2, size=(n_collapsed, 3))
    top = write_ca_pdb(tmp_path / "cg.pdb", "A" * 28, positions[:1])
    chunk = next(open_source([write_trajectory(tmp_path / "t.dcd", positions)], top).chunks(2))
    assert set(chunk.problems) == {1}
    if not n_marked:
        assert chunk.missing is None
        return
    assert np.flatnonzero(chunk.missing[1]).tolist() == list(range(n_marked))
    assert not chunk.missing[0].any()
    assert f"collapsed: not built: {n_marked} residues from A:ALA1 on" in chunk.problems[1]


def test_missing_beads_are_not_collapsed(tmp_path):
    positions = walk(28, 2)
    positions[1, 4:20] = np.nan
    top = write_ca_pdb(tmp_path / "cg.pdb", "A" * 28, positions[:1])
    chunk = next(open_source([write_trajectory(tmp_path / "t.dcd", positions)], top).chunks(2))
    assert np.flatnonzero(chunk.missing[1]).tolist() == list(range(4, 20))
