"""Training on structures the test makes: packing, batches, losses, resume, export, use."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from peptides import pdb_text, structure
from tiny import TINY, tiny_model
from typer.testing import CliRunner

from latcpb_cli.cli.train import train_app
from latcpb_cli.config import to_json
from latcpb_cli.diffusion.schedule import Schedule
from latcpb_cli.errors import InputError, OutputExistsError, UsageError, WeightsError
from latcpb_cli.geometry.codec import ROTATION, decode
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.train.batch import make_batch
from latcpb_cli.train.checkpoint import read_config
from latcpb_cli.train.config import TrainConfig
from latcpb_cli.train.data import load_structures
from latcpb_cli.train.export import export_weights
from latcpb_cli.train.loop import Trainer
from latcpb_cli.train.losses import reconstruction_terms, steric_loss
from latcpb_cli.train.prepare import prepare_structures
from latcpb_cli.train.stages import peptides_loss

SEQUENCES = ("MKTAYIAKQRQISFVKP", "GDNWLECHAAKELVSTFRY", "PPGFSPFRLLKDE", "AAAAKAAAAKAAAAKA", "DYTWHIMQNC")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, out = tmp_path_factory.mktemp("pdb"), tmp_path_factory.mktemp("packed")
    for number, sequence in enumerate(SEQUENCES):
        (folder / f"p{number}.pdb").write_text(pdb_text(structure(sequence, phi=-65.0 - 10 * number)))
    (folder / "broken.pdb").write_text("this is no structure\n")
    count, skipped = prepare_structures(folder, out)
    assert count == len(SEQUENCES)
    assert len(skipped) == 1
    assert "broken.pdb" in skipped[0]
    return out


def settings(stage: str = "autoencoder", steps: int = 6, **changes) -> TrainConfig:
    return TrainConfig(stage, steps=steps, residues=48, window=24, warmup=2, model=TINY, **changes)


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]


def test_packing_keeps_atoms_sequences_and_links(packed: Path) -> None:
    found = {len(s): s for s in load_structures(packed, "train", ensembles=0)}
    for number, sequence in enumerate(SEQUENCES):
        reference = structure(sequence, phi=-65.0 - 10 * number)
        packed_one = found[len(sequence)]
        assert packed_one.linked.tolist() == [True] * (len(sequence) - 1) + [False]
        here, there = (x - x[:, 1].mean(0) for x in (packed_one.atoms[:, :14], reference.atoms[0][:, :14]))
        mask = packed_one.present[:, :14]
        assert mask.sum() == reference.present[:, :14].sum()
        assert np.abs(here - there)[mask].max() < 0.012


def test_blurred_atoms_are_believed_less(packed: Path, tmp_path: Path) -> None:
    plain = list(load_structures(packed, "train", ensembles=0))
    assert all((s.certainty == 1.0).all() for s in plain), "nothing is known against them"
    blurred = tmp_path / "blurred"
    blurred.mkdir()
    with np.load(packed / "chains_00.npz") as data:
        arrays = dict(data)
    rising = np.concatenate([np.arange(n) * 5 for n in np.diff(arrays["offsets"])]).astype(np.uint8)
    np.savez(blurred / "chains_00.npz", **arrays, bfac=rising)
    header, *rows = (packed / "chains.tsv").read_text().splitlines()
    coarse = [f"{row}\t{3.0 if number == 1 else 1.5}" for number, row in enumerate(rows)]
    (blurred / "chains.tsv").write_text("\n".join([f"{header}\tresolution", *coarse]) + "\n")
    for number, sequence in enumerate(SEQUENCES):
        found = next(s for s in load_structures(blurred, "train", ensembles=0) if len(s) == len(sequence))
        assert (np.diff(found.certainty) < 0).all()
        assert (found.certainty[0] < 0.5) == (number == 1)
        part = found.window(3, 5)
        assert (part.certainty == found.certainty[3:8]).all()


def test_peptides_nobody_believes_teach_nothing(packed: Path) -> None:
    model = tiny_model()
    for reader in model.peptides.readers:
        torch.nn.init.normal_(reader.judge[-1].weight)
    batch = make_batch(load_structures(packed, "train", ensembles=0).batch(0, 1, 60, 60))
    schedule = Schedule.from_config(model.config.schedule, torch.device("cpu"))
    wrong = replace(batch.internal, torsions=batch.internal.torsions.clone())
    wrong.torsions[3, ROTATION] *= -1.0
    doubted = batch.certainty.clone()
    doubted[3] = 0.0
    assert batch.known[3, ROTATION]
    for certainty, same in ((doubted, True), (batch.certainty, False)):
        right, other = (
            float(peptides_loss(model, replace(batch, internal=i, certainty=certainty), schedule)[0])
            for i in (batch.internal, wrong)
        )
        assert (right == other) == same


def test_packing_refuses_what_it_cannot_use(tmp_path: Path, packed: Path) -> None:
    with pytest.raises(InputError, match="no structure files"):
        prepare_structures(tmp_path, tmp_path / "out")
    with pytest.raises(OutputExistsError):
        prepare_structures(tmp_path, packed)
    with pytest.raises(InputError, match="no packed structures"):
        load_structures(tmp_path, "train")
    with pytest.raises(InputError, match="split 'valid'"):
        load_structures(packed, "valid")


def test_batches_depend_on_seed_and_step_alone(packed: Path) -> None:
    structures = load_structures(packed, "train", ensembles=0)
    first, again, other = (structures.batch(1, step, 60, 24) for step in (5, 5, 6))
    assert sum(len(s) for s in first) <= 60
    assert [s.types.tolist() for s in first] == [s.types.tolist() for s in again]
    assert [s.types.tolist() for s in first] != [s.types.tolist() for s in other]
    assert max(len(s) for s in first) <= 24


def test_noise_moves_alpha_carbons_only(packed: Path) -> None:
    drawn = load_structures(packed, "train", ensembles=0).batch(0, 0, 60, 60)
    still = make_batch(drawn)
    moved = make_batch(drawn, noise=0.5, noisy_share=1.0, seed=(0, 3))
    shift = (moved.atoms - still.atoms).norm(dim=-1)
    assert shift[:, 1].max() > 0.05
    assert shift[:, [0, 2, 3, 4]].max() == 0.0


def test_losses_vanish_on_the_truth_and_not_elsewhere(packed: Path) -> None:
    batch = make_batch(load_structures(packed, "train", ensembles=0).batch(0, 1, 60, 60))
    atoms = decode(batch.internal, batch.ca, batch.types, batch.linked)
    right = reconstruction_terms(Decoded(atoms, batch.internal, None), batch, robust=False)
    assert right["cartesian"] < 0.1
    assert right["length"] < 1e-3
    assert right["torsion"] < 1e-2
    worse = reconstruction_terms(Decoded(batch.atoms.roll(1, 0), batch.internal, None), batch, robust=False)
    assert worse["cartesian"] > 1.0


def test_symmetric_groups_may_be_named_either_way(packed: Path) -> None:
    batch = make_batch([s for s in load_structures(packed, "train", ensembles=0) if len(s) == 10])
    atoms = batch.atoms.clone()
    atoms[0, [6, 7]] = atoms[0, [7, 6]]  # Asp OD1, OD2
    atoms[1, [6, 7, 8, 9]] = atoms[1, [7, 6, 9, 8]]  # Tyr CD1, CD2 and CE1, CE2
    terms = reconstruction_terms(Decoded(atoms, batch.internal, None), batch, robust=False)
    assert terms["cartesian"] < 1e-6


def test_steric_loss_sees_atoms_that_share_a_place(packed: Path) -> None:
    from tiny import tiny_model

    batch = make_batch([s for s in load_structures(packed, "train", ensembles=0) if len(s) == 16])
    graph = tiny_model().graph(batch.ca, batch.types, batch.linked, batch.sizes)
    assert steric_loss(batch.atoms, batch.present, graph) < 1e-3
    clashing = batch.atoms.clone()
    clashing[4, 4] = clashing[8, 4] + 0.1
    assert steric_loss(clashing, batch.present, graph) > 0.2


def test_an_interrupted_run_goes_on_with_the_same_losses(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latcpb_cli.train.loop._LOG_EVERY", 1)
    Trainer(settings(steps=6), packed, tmp_path / "whole").run()
    first = Trainer(settings(steps=6), packed, tmp_path / "cut")
    step = first._train_step

    def killed():
        if first.step == 3:
            first.save()
        if first.step == 5:
            raise KeyboardInterrupt  # two steps after the checkpoint, both in the log
        return step()

    monkeypatch.setattr(first, "_train_step", killed)
    with pytest.raises(KeyboardInterrupt):
        first.run()
    assert len(losses(tmp_path / "cut")) == 5
    second = Trainer(settings(steps=6), packed, tmp_path / "cut")
    assert second.step == 3
    second.run()
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")
    assert losses(tmp_path / "whole")[-1] < losses(tmp_path / "whole")[0]


def test_a_folder_of_other_settings_is_refused(packed: Path, tmp_path: Path) -> None:
    Trainer(settings(steps=1), packed, tmp_path / "run").run()
    with pytest.raises(UsageError, match="other settings"):
        Trainer(settings(steps=1, noise=0.1), packed, tmp_path / "run")


def dropouts(part: torch.nn.Module) -> set[float]:
    return {module.p for module in part.modules() if isinstance(module, torch.nn.Dropout)}


def test_all_stages_then_export_then_use(packed: Path, tmp_path: Path) -> None:
    from latcpb_cli.backmapper import Backmapper

    Trainer(settings(steps=2), packed, tmp_path / "ae").run()
    second = Trainer(
        settings("diffusion", steps=2, dropout=0.1), packed, tmp_path / "ldm", start_from=tmp_path / "ae"
    )
    frozen = {key: value.clone() for key, value in second.model.atom_encoder.state_dict().items()}
    second.run()
    for key, value in second.model.atom_encoder.state_dict().items():
        assert torch.equal(value, frozen[key])
    third = Trainer(settings("peptides", steps=2), packed, tmp_path / "turns", start_from=tmp_path / "ldm")
    known = second.average["cg_encoder.around.weight"]
    readers = third.model.peptides.readers
    assert all(torch.equal(reader.encoder.around.weight, known) for reader in readers)
    third.run()
    assert all(reader.judge[-1].weight.abs().max() > 0 for reader in readers)
    assert torch.equal(third.model.cg_encoder.around.weight, known)
    fourth = Trainer(
        settings("packing", steps=3, learning_rate=0.03),
        packed,
        tmp_path / "pack",
        start_from=tmp_path / "turns",
    )
    fourth.run()
    assert fourth.model.packing.energy.abs().max() > 0
    learned = third.average["peptides.readers.1.judge.0.weight"]
    assert torch.equal(fourth.model.peptides.readers[1].judge[0].weight, learned)
    fifth = Trainer(
        settings("rescoring", steps=2, learning_rate=0.03, dropout=0.1),
        packed,
        tmp_path / "rescore",
        start_from=tmp_path / "pack",
    )
    fifth.run()
    assert dropouts(second.model.atom_encoder) == {0.0}
    assert dropouts(second.model.denoiser) == {0.1}
    assert dropouts(fifth.model.denoiser) == dropouts(fifth.model.rescoring) == {0.1}
    assert fifth.model.rescoring.judge.weight.abs().max() > 0
    assert torch.equal(fifth.model.packing.energy, fourth.average["packing.energy"])
    assert export_weights(tmp_path / "rescore", tmp_path / "weights") == 2
    assert Backmapper.from_pretrained(tmp_path / "weights", device="cpu").weights_name == "weights"
    with pytest.raises(OutputExistsError):
        export_weights(tmp_path / "rescore", tmp_path / "weights")
    with pytest.raises(UsageError, match="first stage only"):
        export_weights(tmp_path / "ae", tmp_path / "other")
    with pytest.raises(UsageError, match="starts from autoencoder weights"):
        Trainer(settings("diffusion"), packed, tmp_path / "x", start_from=tmp_path / "ldm")
    with pytest.raises(WeightsError, match="no checkpoint"):
        export_weights(tmp_path, tmp_path / "other")


def test_a_model_of_positions_ends_with_its_diffusion(packed: Path, tmp_path: Path) -> None:
    model = replace(TINY, cartesian=True)
    first, second, third = (
        replace(settings(stage, steps=1), model=model) for stage in ("autoencoder", "diffusion", "peptides")
    )
    Trainer(first, packed, tmp_path / "ae").run()
    Trainer(second, packed, tmp_path / "ldm", start_from=tmp_path / "ae").run()
    with pytest.raises(UsageError, match="decodes positions"):
        Trainer(third, packed, tmp_path / "turns", start_from=tmp_path / "ldm")


@pytest.mark.parametrize("change", ["discrete", "cartesian", "diffusion"])
def test_ablations_are_configurations_that_train(packed: Path, tmp_path: Path, change: str) -> None:
    model = replace(TINY, **{change: change == "cartesian"})
    config = replace(settings(steps=2), model=model)
    trainer = Trainer(config, packed, tmp_path / change)
    trainer.run()
    assert (trainer.model.prior is None) == (change == "discrete")
    assert (trainer.model.denoiser is None) == (change == "diffusion")


def test_the_contrastive_loss_can_be_switched_off(packed: Path, tmp_path: Path) -> None:
    """Table 2 of the paper: its weight is a setting."""
    from latcpb_cli.train.stages import LossWeights

    with_it = Trainer(settings(steps=1), packed, tmp_path / "with")
    without = Trainer(settings(steps=1, weights=LossWeights(contrast=0.0)), packed, tmp_path / "without")
    first, second = with_it._train_step(), without._train_step()
    assert float((first["loss"] - second["loss"]).detach()) == pytest.approx(
        0.1 * float(first["contrast"].detach()), rel=1e-3
    )


def test_the_commands(packed: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    config = tmp_path / "settings.json"
    config.write_text(to_json(settings(steps=9)))

    def call(*arguments: str) -> int:
        return runner.invoke(train_app, arguments).exit_code

    (tmp_path / "pdbs").mkdir()
    (tmp_path / "pdbs" / "one.pdb").write_text(pdb_text(structure(SEQUENCES[0])))
    assert call("prepare", str(tmp_path / "pdbs"), "--out", str(tmp_path / "packed")) == 0
    assert len(load_structures(tmp_path / "packed", "train", ensembles=0)) == 1
    stage_1, stage_2, weights = (str(tmp_path / name) for name in ("ae", "ldm", "weights"))
    assert call("autoencoder", str(packed), "--out", stage_1, "--steps", "2", "--config", str(config)) == 0
    assert read_config(tmp_path / "ae").steps == 2
    assert read_config(tmp_path / "ae").model == TINY
    options = ("--autoencoder", stage_1, "--steps", "1", "--config", str(config))
    assert call("diffusion", str(packed), "--out", stage_2, *options) == 0
    assert call("export", stage_2, "--out", weights) == 0
    names = sorted(path.name for path in (tmp_path / "weights").iterdir())
    assert names == ["SHA256", "config.json", "model.safetensors"]
