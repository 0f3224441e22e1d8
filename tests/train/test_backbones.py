"""Backbones without side chains are read, sampled by cluster and trained on in stage 3 alone."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from training import packed_chains, train_config

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, O_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.train.backbones import has_backbones, load_backbones
from latcpb_cli.train.data import load_structures
from latcpb_cli.train.trainer import Trainer

OTHERS = [N_SLOT, C_SLOT, O_SLOT]


@pytest.fixture
def data(packed: Path, tmp_path: Path) -> Path:
    """The packed peptides, and their backbones: two clusters of one group each, and the others in one."""
    folder = tmp_path / "data"
    shutil.copytree(packed, folder / "chains")
    chains = [chain for chain in packed_chains(packed) if chain.present[:, [CA_SLOT, *OTHERS]].all()]
    ca = np.concatenate([100 * chain.atoms[:, CA_SLOT] for chain in chains])
    nco = np.concatenate([100 * (chain.atoms[:, OTHERS] - chain.atoms[:, [CA_SLOT]]) for chain in chains])
    arrays = {
        "offsets": np.cumsum([0, *map(len, chains)]),
        "ca": ca.round().astype(np.int16),
        "nco": nco.round().astype(np.int16),
        "seq": np.concatenate([chain.types for chain in chains]).astype(np.uint8),
        "flags": np.concatenate([np.where(chain.linked, 1, 3) for chain in chains]).astype(np.uint8),
    }
    arrays["flags"][2] |= 4
    (folder / "backbones").mkdir()
    np.savez(folder / "backbones" / "backbones_00.npz", **arrays)
    with (folder / "backbones" / "backbones.tsv").open("w", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t")
        writer.writerow(["shard", "index", "cluster30", "group30"])
        writer.writerows([0, index, min(index, 2), min(index, 2)] for index in range(len(chains)))
    return folder


def test_backbones_are_those_of_the_chains_without_side_chains(data: Path, packed: Path) -> None:
    read = {len(backbone): backbone for backbone in load_backbones(data)}
    for chain in packed_chains(packed):
        if len(chain) not in read:
            continue
        backbone = read[len(chain)]
        assert (backbone.types == chain.types).all()
        assert (backbone.linked == chain.linked).all()
        assert np.abs(backbone.atoms[:, OTHERS] - chain.atoms[:, OTHERS]).max() < 0.02
        assert (backbone.present.sum(-1) == 4).all()
        assert not backbone.side_chains
    assert sorted(confidence for backbone in read.values() for confidence in backbone.confidence)[:2] == [
        pytest.approx(0.1),
        1.0,
    ]


def test_groups_that_are_left_out_are_not_read(data: Path) -> None:
    count = len(load_backbones(data))
    (data / "backbones" / "left_out.txt").write_text("0\n1\n")
    assert len(load_backbones(data)) == count - 2
    (data / "backbones" / "left_out.txt").write_text("0 1 2")
    with pytest.raises(InputError, match="no backbone"):
        load_backbones(data)


def test_a_mixed_set_has_the_given_fraction_of_backbones(data: Path) -> None:
    structures = load_structures(data, "train", ensemble_probability=0.0).mixed(load_backbones(data), 0.75)
    sampled = [structure for step in range(60) for structure in structures.batch(0, step, 200, 24)]
    fraction = np.mean([not structure.side_chains for structure in sampled])
    assert len(sampled) > 400
    assert abs(fraction - 0.75) < 0.08


def test_only_the_peptides_stage_is_trained_on_them(
    data: Path, trained: dict[str, Path], tmp_path: Path
) -> None:
    assert has_backbones(data)
    peptides = Trainer(train_config("peptides"), data, tmp_path / "p", previous=trained["diffusion"])
    packing = Trainer(train_config("packing"), data, tmp_path / "c", previous=trained["peptides"])
    assert any(not structure.side_chains for structure in peptides.structures)
    assert all(structure.side_chains for structure in packing.structures)
    peptides.run()
    assert peptides.step == train_config("peptides").steps
