"""All metrics of a structure and its reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.errors import InputError
from latcpb_cli.evaluation.evaluate import evaluate_pair as evaluate_columns

SEQUENCE = "MKTAYIAPQRDFEWGV"


def evaluate_pair(*args, **options):
    """The summary of the generated column."""
    return evaluate_columns(*args, **options).methods[0].summary


def rounded(value):
    """A summary to nine digits: sums in another order differ in the last ones."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    return float(f"{value:.9g}") if isinstance(value, float) else value


def noisy(sample, frames, std, seed=0):
    noise = np.random.default_rng(seed).normal(0, std, (frames, *sample.atoms.shape[1:]))
    return replace(sample, atoms=(sample.atoms + noise).astype(np.float32))


def test_a_structure_against_itself():
    sample = structure(SEQUENCE)
    evaluation = evaluate_columns(sample, sample)
    result = evaluation.methods[0].summary
    for region in ("inner", "all"):
        assert set(result[region]["rmsd"].values()) == {0.0}
        assert result[region]["ged"] == result[region]["ged_symmetric"] == 0.0
        assert result[region]["chi"]["chi1_chi2"]["percent"] == 100.0
    assert result["torsions"]["kl"]["mean"] == 0.0
    assert result["diversity"] is None
    assert evaluation.reference.summary["validity"] == result["validity"]


def test_inner_leaves_out_the_ends():
    sample = structure("AAAAA")
    atoms = sample.atoms.copy()
    atoms[:, [0, -1]] += 1.0
    result = evaluate_pair(sample, replace(sample, atoms=atoms))
    assert result["inner"]["rmsd"]["all_heavy"] == 0.0
    assert result["all"]["rmsd"]["all_heavy"] > 0.5


def test_missing_atoms_are_counted_and_left_out():
    sample = structure("AKA")
    short = replace(sample, present=sample.present.copy(), atoms=sample.atoms.copy())
    short.present[1, 8] = False
    short.atoms[:, 1, 8] = 0.0
    result = evaluate_pair(sample, short)
    assert result["atoms"]["missing_in_generated"] == 1
    assert result["all"]["rmsd"]["all_heavy"] == 0.0


def test_the_samples_of_a_frame_follow_each_other():
    one, two = structure("AKDFA"), structure("AKDFA", psi=120)
    reference = replace(one, atoms=np.concatenate([one.atoms, two.atoms]))
    generated = replace(one, atoms=np.repeat(reference.atoms, 3, axis=0))
    evaluation = evaluate_columns(reference, generated, samples=3)
    result = evaluation.methods[0].summary
    assert result["all"]["rmsd"]["all_heavy"] == 0.0
    assert result["diversity"] == {"pairwise_side_chain_rmsd": 0.0, "div": None}
    jumps = [
        column.summary["validity"]["chi1_jumps"] for column in (evaluation.reference, *evaluation.methods)
    ]
    assert jumps == [{"count": 0, "of": 3, "percent": 0.0}, {"count": 0, "of": 9, "percent": 0.0}]


def test_diversity_of_independent_noise():
    sample = structure("AKDFLMRVA")
    result = evaluate_pair(sample, noisy(sample, 12, 0.1), samples=12)
    # Two independent samples are sqrt(2) times as far apart as each is from the truth.
    assert result["diversity"]["div"] == pytest.approx(1 - np.sqrt(2), abs=0.05)


def test_the_result_does_not_depend_on_how_many_frames_are_measured_at_once(monkeypatch):
    reference = noisy(structure("AKDFA"), 7, 0.05, seed=1)
    generated = noisy(structure("AKDFA"), 14, 0.1, seed=2)
    whole = evaluate_pair(reference, generated, samples=2)
    monkeypatch.setattr("latcpb_cli.evaluation.measured.RESIDUES_AT_ONCE", 30)
    assert rounded(evaluate_pair(reference, generated, samples=2)) == rounded(whole)


@pytest.mark.parametrize(("samples", "message"), [(1, "--samples 3"), (2, "should have 4")])
def test_numbers_of_frames_that_do_not_match_are_an_error(samples, message):
    one = structure("AAA")
    reference, generated = noisy(one, 2, 0.0), noisy(one, 6, 0.0)
    with pytest.raises(InputError) as error:
        evaluate_pair(reference, generated, samples)
    assert message in f"{error.value.message} {error.value.hint}"


def test_names_of_the_structures_are_in_messages():
    with pytest.raises(InputError, match=r"A:TRP3 in made\.pdb"):
        evaluate_pair(structure("AKF"), structure("AKW"), names=("native.pdb", "made.pdb"))
