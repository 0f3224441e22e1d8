"""Inputs and models of the Python interface."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from bridges import facing
from cg_files import FakeModel, write_ca_pdb, write_trajectory

import latcpb_cli as latcpb

SEQUENCE = "GASACASG"
RESNAMES = ["GLY", "ALA", "SEP", "ALA", "CYS", "ALA", "SER", "GLY"] * 2


class Model(FakeModel, latcpb.Backmapper):
    """The Python interface of a stand-in for the model."""


class Files(NamedTuple):
    """A topology and a trajectory."""

    top: Path
    trajectory: Path


@pytest.fixture
def model() -> Model:
    """A stand-in for the model."""
    return Model()


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Files:
    """Two chains with a disulfide, phosphoserines and a box; the last of three frames has exploded."""
    folder = tmp_path_factory.mktemp("api")
    trace, atoms, _ = facing(sequence=SEQUENCE)
    positions = np.stack([atoms[:, 1]] * 3) + 30.0
    positions[1] += 0.25
    positions[2, 3] *= 5000.0
    chains, resids = "".join(trace.chain_ids), trace.resids.tolist()
    box = (60.0, 60.0, 70.0, 90.0, 90.0, 90.0)
    top = write_ca_pdb(
        folder / "cg.pdb",
        trace.sequence,
        positions[:1],
        chains=chains,
        resids=resids,
        resnames=RESNAMES,
        box=box,
    )
    return Files(top, write_trajectory(folder / "cg.xtc", positions, box=box))
