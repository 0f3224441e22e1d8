"""Chains that a periodic box has cut."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import walk, write_ca_pdb, write_gro, write_trajectory
from reading import read_all

from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions


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


def test_wrapped_bonds_do_not_end_chains(tmp_path):
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
