"""Complexes are cut with their partners, and no chain of theirs is trained on alone or when held out."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from peptides import pdb_text
from tiny import coil
from training import dimer, train_config, write_pdb_files

from latcpb_cli.chem.residues import CA_SLOT, LETTERS, N_SLOTS
from latcpb_cli.train.complexes import ComplexStructure, load_complexes, load_training_structures
from latcpb_cli.train.data import load_structures
from latcpb_cli.train.prepare import prepare_structures
from latcpb_cli.train.stages import STAGES
from latcpb_cli.train.structures import Structure
from latcpb_cli.train.trainer import Trainer

DIMERS = (
    ("KTAYIAKQRQISFVKPG", "DNWLECHAAKELVSTFG"),
    ("AEKLAWIVEKLGDAKR", "SEELLKRVEEWLRRV"),
    ("DPAERLLKQWEEAVN", "DPAERLLKQWEEAVN"),
)
HELD_OUT = next(str(n) for n in count() if zlib.crc32(str(n).encode()) % 50 == 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The peptides of `training.SEQUENCES` and three dimers, packed."""
    folder, out = tmp_path / "pdb", tmp_path / "data"
    folder.mkdir()
    write_pdb_files(folder)
    for number, sequences in enumerate(DIMERS):
        (folder / f"dimer{number}.pdb").write_text(pdb_text(dimer(*sequences)))
    assert prepare_structures(folder, out).complexes == len(DIMERS)
    return out


def change(table: Path, changed: Callable[[dict[str, str]], bool], **columns: str) -> None:
    """Put values into some rows of a table."""
    with table.open() as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    for row in rows:
        row.update(columns if changed(row) else {})
    with table.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), delimiter="\t")
        writer.writeheader()
        writer.writerows(rows)


def sequences(structures: Iterable[Structure]) -> list[str]:
    return sorted("".join(LETTERS[index] for index in structure.types) for structure in structures)


@pytest.fixture
def pair_of_coils() -> ComplexStructure:
    """Two chains of 150 residues side by side, of which the middle is the interface, with a break in one."""
    length = 150
    ca = coil(length).numpy()
    atoms = np.zeros((2 * length, N_SLOTS, 3), dtype=np.float32)
    atoms[:, CA_SLOT] = np.concatenate([ca, ca + [9.0, 0.0, 0.0]])
    present = np.zeros((2 * length, N_SLOTS), dtype=bool)
    present[:, CA_SLOT] = True
    linked = np.ones(2 * length, dtype=bool)
    linked[[70, length - 1, -1]] = False
    residue = np.arange(2 * length)
    return ComplexStructure(
        atoms,
        present,
        residue,  # in place of types, to tell residues apart
        linked,
        np.ones(2 * length, dtype=np.float32),
        chain=residue // length,
        interface=np.abs(residue % length - 75) < 10,
    )


@pytest.mark.parametrize("length", [48, 96, 200])
def test_a_crop_keeps_the_partner_and_links_of_whole_stretches(
    pair_of_coils: ComplexStructure, length: int
) -> None:
    for seed in range(20):
        crop = pair_of_coils.crop(np.random.default_rng(seed), length)
        kept = crop.types
        assert len(kept) == length
        assert (np.diff(kept) > 0).all()
        assert (crop.atoms == pair_of_coils.atoms[kept]).all()
        follows = np.append(np.diff(kept) == 1, False)
        assert (crop.linked == (follows & pair_of_coils.linked[kept])).all()
        assert (np.bincount(pair_of_coils.chain[kept], minlength=2) > length // 4).all()
        ends = np.flatnonzero((np.diff(kept) != 1) | (np.diff(pair_of_coils.chain[kept]) != 0))
        assert len(ends) == 1, "one stretch of each chain"


def test_most_crops_are_around_the_interface(pair_of_coils: ComplexStructure) -> None:
    crops = [pair_of_coils.crop(np.random.default_rng(seed), 48) for seed in range(200)]
    around = np.mean([pair_of_coils.interface[crop.types].sum() > 10 for crop in crops])
    assert 0.75 < around < 0.97, "of the others some are there by chance"


def test_a_crop_of_all_residues_is_the_complex(pair_of_coils: ComplexStructure) -> None:
    crop = pair_of_coils.crop(np.random.default_rng(0), len(pair_of_coils))
    assert (crop.types == pair_of_coils.types).all()
    assert (crop.linked == pair_of_coils.linked).all()


def test_batches_of_chains_and_complexes_depend_on_seed_and_step_alone(data: Path) -> None:
    structures = load_training_structures(data, complex_probability=0.5, ensemble_probability=0.0)
    first, again, other = (structures.batch(1, step, 200, 24) for step in (5, 5, 6))
    assert sequences(first) == sequences(again) != sequences(other)
    assert all((one.linked == two.linked).all() for one, two in zip(first, again, strict=True))
    assert 184 < sum(len(structure) for structure in first) <= 200


def test_a_chain_is_trained_on_alone_or_in_its_complex(data: Path) -> None:
    alone = load_structures(data, "train")
    with_partners = load_training_structures(data, complex_probability=0.5, ensemble_probability=0.0)
    without = load_training_structures(data, complex_probability=0.0, ensemble_probability=0.0)
    assert sequences(without) == sequences(alone)
    complexes = ["".join(pair) for pair in DIMERS]
    in_dimers = {chain for pair in DIMERS for chain in pair}
    chains = [sequence for sequence in sequences(alone) if sequence not in in_dimers]
    assert sequences(with_partners) == sorted(chains + complexes)


def test_complexes_of_held_out_chains_are_held_out(data: Path) -> None:
    change(data / "chains.tsv", lambda row: row["sequence"] == DIMERS[0][1], cluster30=HELD_OUT)
    change(data / "complexes" / "complexes.tsv", lambda row: row["id"] in ("dimer0", "dimer1"), cluster30="x")
    assert sequences(load_complexes(data, "heldout")) == sorted("".join(pair) for pair in DIMERS[:2])
    assert sequences(load_complexes(data, "train")) == ["".join(DIMERS[2])]
    assert sequences(load_structures(data, "heldout")) == [DIMERS[0][1]], "chains are held out as ever"
    for probability in (0.0, 0.5):
        trained = sequences(
            load_training_structures(data, complex_probability=probability, ensemble_probability=0.0)
        )
        assert not [name for name in trained if any(chain in name for pair in DIMERS[:2] for chain in pair)]


def test_complexes_of_held_out_clusters_are_held_out(data: Path) -> None:
    change(data / "complexes" / "complexes.tsv", lambda row: row["id"] == "dimer2", cluster30=HELD_OUT)
    assert sequences(load_complexes(data, "heldout")) == ["".join(DIMERS[2])]
    assert "".join(DIMERS[2]) not in sequences(load_complexes(data, "train"))


def test_a_folder_of_complexes_alone_is_trained_on(tmp_path: Path) -> None:
    (tmp_path / "pdb").mkdir()
    (tmp_path / "pdb" / "one.pdb").write_text(pdb_text(dimer(*DIMERS[1])))
    prepare_structures(tmp_path / "pdb", tmp_path / "data")
    structures = load_training_structures(
        tmp_path / "data", complex_probability=0.5, ensemble_probability=0.1
    )
    assert sequences(structures) == ["".join(DIMERS[1])]


def test_other_stages_train_on_chains_alone(data: Path, tmp_path: Path) -> None:
    trainer = Trainer(train_config("autoencoder"), data, tmp_path / "run")
    assert len(trainer.structures) == len(load_structures(data, "train"))
    assert not any(isinstance(structure, ComplexStructure) for structure in trainer.structures)


@pytest.mark.parametrize("stage", [name for name, stage in STAGES.items() if stage.complexes])
def test_stages_with_side_chains_train_on_complexes(
    stage: str, data: Path, trained: dict[str, Path], tmp_path: Path
) -> None:
    config = train_config(stage, steps=2, complex_probability=0.9)
    trainer = Trainer(config, data, tmp_path / "run", previous=trained[STAGES[stage].previous or ""])
    assert any(isinstance(structure, ComplexStructure) for structure in trainer.structures)
    batch: list[Structure] = trainer.structures.batch(0, 0, 48, 24)
    assert any((~structure.linked[:-1]).any() for structure in batch), "several chains as one system"
    trainer.run()
    assert trainer.step == 2
    assert all(torch.isfinite(value).all() for value in trainer.average.values())
