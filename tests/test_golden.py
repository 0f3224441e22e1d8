"""What the shipped weights do: bounds on accuracy, and coordinates that a defect of the predictor changes."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from golden import OPTIONS, Deviation, build_atoms, deviation, load_golden, references

from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.evaluation.evaluate import evaluate_pair
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.predictor import Predictor
from latcpb_cli.structure import AtomStructure, AtomTopology

REFERENCES = references()

MAX_BACKBONE = 0.05
"""Tolerance (Å) of N, C, O and Cβ."""
MAX_MOVED_SIDE_CHAINS = 3.0
"""Tolerance (%) of side chains with an atom more than 0.1 Å away.

With other vector instructions the coordinates are equal to 0.001 Å, but the last bits may choose between
two rotamers of equal probability.
"""


def check(result: Deviation) -> None:
    """Compare a deviation with the tolerance."""
    assert result.backbone <= MAX_BACKBONE
    assert result.moved_side_chains <= MAX_MOVED_SIDE_CHAINS


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel.from_pretrained(device="cpu")


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    return load_golden()


@pytest.fixture(scope="module")
def built(model) -> dict[str, np.ndarray]:
    """Atoms (F, L, 15, 3) by names of options and structure."""
    return {
        f"{kind}/{name}": build_atoms(model, reference, options)
        for kind, options in OPTIONS.items()
        for name, reference in REFERENCES.items()
    }


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("name", REFERENCES)
def test_coordinates_are_the_golden_ones(built, golden, kind, name):
    key = f"{kind}/{name}"
    check(deviation(REFERENCES[name], golden[key], built[key]))


def test_the_file_holds_every_atom(golden):
    assert sorted(golden) == sorted(f"{kind}/{name}" for kind in OPTIONS for name in REFERENCES)
    for key, atoms in golden.items():
        present = AtomTopology.heavy_atoms(REFERENCES[key.partition("/")[2]].trace).present
        assert (np.abs(atoms).sum(-1) > 0)[:, present].all()


@dataclass(frozen=True)
class Bounds:
    """Largest RMSD (Å), least percent of χ1 within 40 degrees, and most overlaps per 1,000 atoms."""

    all_heavy: float
    backbone: float
    side_chain: float
    chi1: float
    overlaps: float


def assert_within(reference: AtomStructure, samples: list[np.ndarray], bounds: Bounds) -> None:
    """Compare the means over samples, each (F, L, 15, 3), with bounds."""
    present = AtomTopology.heavy_atoms(reference.trace).present
    pairs = [
        evaluate_pair(reference, AtomStructure(reference.trace, atoms, present, {})) for atoms in samples
    ]
    summaries = [pair.methods[0].summary for pair in pairs]
    figures = [
        (*(each["inner"]["rmsd"][atoms] for atoms in ("all_heavy", "backbone", "side_chain")),
         each["inner"]["chi"]["chi1"]["percent"], each["validity"]["overlap04_per_1000"]["mean"])
        for each in summaries
    ]  # fmt: skip
    all_heavy, backbone, side_chain, chi1, overlaps = np.mean(figures, axis=0)
    assert all_heavy <= bounds.all_heavy
    assert backbone <= bounds.backbone
    assert side_chain <= bounds.side_chain
    assert chi1 >= bounds.chi1
    assert overlaps <= bounds.overlaps
    for validity in (each["validity"] for each in summaries):
        assert validity["contact12_percent"]["max"] == validity["d_residues"]["count"] == 0
        assert validity["pierced_rings"]["count"] == 0


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("tnc", Bounds(1.25, 0.30, 1.76, chi1=65.0, overlaps=2.0)),
        ("helix", Bounds(2.05, 0.05, 2.80, chi1=62.0, overlaps=0.0)),
        ("coil", Bounds(1.48, 0.22, 2.08, chi1=62.0, overlaps=8.0)),
    ],
)
def test_accuracy_is_within_bounds(built, name, bounds):
    """The reference of a peptide has χ1 = -65 degrees, its most frequent value, in every residue."""
    assert_within(REFERENCES[name], [built[f"best/{name}"]], bounds)


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("tnc", Bounds(1.43, 0.34, 2.02, chi1=59.0, overlaps=5.0)),
        ("helix", Bounds(2.20, 0.10, 3.00, chi1=57.0, overlaps=2.0)),
        ("coil", Bounds(1.98, 0.36, 2.78, chi1=44.0, overlaps=24.0)),
    ],
)
def test_samples_are_within_bounds_on_average(model, name, bounds):
    """Single samples of short peptides differ by half an Å and by tens of overlaps."""
    samples = [
        build_atoms(model, REFERENCES[name], BackmapOptions(mode="ensemble", seed=seed)) for seed in range(8)
    ]
    assert_within(REFERENCES[name], samples, bounds)


def scramble_contact_energies(predictor: Predictor) -> None:
    """Pairs of atom types get the energies of other pairs."""
    order = torch.randperm(len(predictor.packing.contact_energy), generator=torch.Generator().manual_seed(0))
    predictor.packing.contact_energy.data = predictor.packing.contact_energy.data[order]


def shift_chi(predictor: Predictor) -> None:
    """Every χ of the decoder is 5 degrees larger."""
    decoder = predictor.latcpb.decoder
    forward = decoder.forward

    def shifted(*arguments, **options):
        decoded = forward(*arguments, **options)
        rotamers = replace(decoded.rotamers, chi=decoded.rotamers.chi + np.radians(5.0))
        return replace(decoded, rotamers=rotamers)

    decoder.forward = shifted


def swap_rotamer_head(predictor: Predictor) -> None:
    """The logits of a third of the rotamers are those of the next third: χ1 is taken for another state."""
    head = predictor.latcpb.decoder.rotamer_head
    for parameter in (head.weight, head.bias):
        parameter.data = parameter.data.roll(N_ROTAMERS // 3, 0)


def swap_rescoring_layers(predictor: Predictor) -> None:
    """The hidden layer of the rescoring has the weights of its input."""
    layer = predictor.rescoring.candidate_hidden
    layer.weight.data = layer.weight.data.T.contiguous()


def zero_peptide_rotations(predictor: Predictor) -> None:
    """Every sector has the same probability."""
    for parameter in predictor.peptide_rotations.logit_head[-1].parameters():
        parameter.data.zero_()


def shuffle_condition(predictor: Predictor) -> None:
    """The channels of the condition have the weights of their neighbours."""
    layer = predictor.latcpb.decoder.condition_projection
    layer.weight.data = layer.weight.data.roll(1, 0)


DEFECTS = (
    scramble_contact_energies,
    shift_chi,
    swap_rotamer_head,
    swap_rescoring_layers,
    zero_peptide_rotations,
    shuffle_condition,
)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_of_the_predictor_is_detected(model, golden, defect: Callable[[Predictor], None]):
    defective = deepcopy(model)
    defect(defective.predictor)
    reference = REFERENCES["tnc"]
    result = deviation(reference, golden["best/tnc"], build_atoms(defective, reference, OPTIONS["best"]))
    with pytest.raises(AssertionError):
        check(result)


def test_a_defect_of_the_denoiser_is_detected(model, golden):
    defective = deepcopy(model)
    for parameter in defective.predictor.latcpb.denoiser.parameters():
        parameter.data *= 0.98
    reference = REFERENCES["tnc"]
    result = deviation(
        reference, golden["ensemble/tnc"], build_atoms(defective, reference, OPTIONS["ensemble"])
    )
    with pytest.raises(AssertionError):
        check(result)
