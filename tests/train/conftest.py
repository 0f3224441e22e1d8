"""Fixtures of the training tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from training import SEQUENCES, train_config, write_pdb_files

from latcpb_cli.train.prepare import prepare_structures
from latcpb_cli.train.stages import STAGES
from latcpb_cli.train.trainer import Trainer


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the peptides of `training.SEQUENCES`."""
    folder, out = tmp_path_factory.mktemp("pdb"), tmp_path_factory.mktemp("packed")
    write_pdb_files(folder)
    prepared = prepare_structures(folder, out)
    assert (prepared.chains, prepared.complexes) == (len(SEQUENCES), 0)
    assert len(prepared.skipped) == 1
    assert "broken.pdb" in prepared.skipped[0]
    return out


@pytest.fixture(scope="session")
def trained(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of finished runs of all stages, each from the one before."""
    folder, runs = tmp_path_factory.mktemp("runs"), {}
    for name, stage in STAGES.items():
        config = train_config(name, steps=2, learning_rate=0.03)
        Trainer(config, packed, folder / name, previous=runs.get(stage.previous or "")).run()
        runs[name] = folder / name
    return runs
