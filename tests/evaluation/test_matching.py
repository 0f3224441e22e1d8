"""Matching of the residues of two structures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.errors import InputError
from latcpb_cli.evaluation.matching import LabelledTrace, match_residues
from latcpb_cli.structure import CGTrace

SEQUENCE = "MKTAYIAPQRDFEWGV"
INNER = SEQUENCE[1:-1]
WHOLE = np.arange(len(SEQUENCE))


def labelled(sequence, name, chain="A", first=1, rows=None):
    """Residues of a peptide, all of them or some, numbered from ``first``."""
    sample = structure(sequence, chain=chain)
    trace, ca = sample.trace, sample.atoms[0, :, 1]
    trace = replace(trace, resids=trace.resids + first - 1)
    return reordered(LabelledTrace(name, trace, ca), np.arange(len(trace)) if rows is None else rows)


def reordered(part, order):
    trace = part.trace
    columns = (trace.chain_ids, trace.chain_index, trace.resids, trace.icodes)
    letters = "".join(trace.sequence[i] for i in order)
    return LabelledTrace(part.name, CGTrace(letters, *(column[order] for column in columns)), part.ca[order])


def joined(name, *parts):
    """Several chains in one file."""
    traces = [part.trace for part in parts]
    trace = CGTrace(
        "".join(trace.sequence for trace in traces),
        np.concatenate([trace.chain_ids for trace in traces]),
        np.repeat(np.arange(len(traces)), [len(trace) for trace in traces]),
        np.concatenate([trace.resids for trace in traces]),
        np.concatenate([trace.icodes for trace in traces]),
    )
    return LabelledTrace(name, trace, np.concatenate([part.ca for part in parts]))


NATIVE = labelled(SEQUENCE, "native.pdb")


def test_residues_are_matched_in_any_order():
    order = np.random.default_rng(0).permutation(len(SEQUENCE))
    matching = match_residues(NATIVE, reordered(NATIVE, order))
    assert np.array_equal(order[matching.generated], matching.reference)
    assert matching.notes == ()


def test_files_without_chain_identifiers_are_matched_by_chain_number():
    matching = match_residues(NATIVE, labelled(SEQUENCE, "made.pdb", chain=""))
    assert np.array_equal(matching.generated, WHOLE) and not matching.notes


@pytest.mark.parametrize(
    ("made", "rows", "note"),
    [
        (labelled(INNER, "made.pdb", first=2), WHOLE[1:-1], "not in made.pdb: 2 residues (A:MET1, A:VAL16)"),
        (labelled(INNER, "made.pdb"), WHOLE[1:-1], "its residue numbers are 1 lower than in native.pdb"),
        (labelled(SEQUENCE, "made.pdb", chain="X"), WHOLE, "chain X is chain A of native.pdb"),
        (labelled(SEQUENCE, "made.pdb", first=101), WHOLE, "its residue numbers are 100 higher"),
        (
            labelled(SEQUENCE, "made.pdb", rows=np.r_[0:6, 9:16]),
            np.r_[0:6, 9:16],
            "not in made.pdb: 3 residues (A:ALA7, A:PRO8, A:GLN9)",
        ),
        (
            labelled(SEQUENCE[:6] + SEQUENCE[9:], "made.pdb"),
            np.r_[0:6, 9:16],
            "its residues are numbered in another way",
        ),
    ],
    ids=["no termini", "renumbered without termini", "other chain", "shifted", "gap", "renumbered gap"],
)  # fmt: skip
def test_what_is_missing_or_labelled_otherwise_is_matched_and_said(made, rows, note):
    matching = match_residues(NATIVE, made)
    assert np.array_equal(matching.reference, rows)
    assert note in "; ".join(matching.notes)


def test_residues_that_only_the_generated_structure_has_are_said():
    matching = match_residues(labelled(SEQUENCE[:-1], "native.pdb"), labelled(SEQUENCE, "made.pdb"))
    assert len(matching) == len(SEQUENCE) - 1
    assert matching.notes == ("not in native.pdb: 1 residue (A:VAL16) of made.pdb",)


def test_chains_in_another_order_under_other_names():
    other = "GSWTHKLE"
    native = joined("native.pdb", NATIVE, labelled(other, "", chain="B"))
    made = joined("made.pdb", labelled(other, "", chain="P"), labelled(SEQUENCE, "", chain="Q"))
    matching = match_residues(native, made)
    assert np.array_equal(matching.generated, np.r_[len(other) + WHOLE, np.arange(len(other))])
    assert any("chain Q is chain A" in note for note in matching.notes)


def test_coordinates_decide_where_a_repeat_fits():
    native = labelled("AAAAAAAA", "native.pdb")
    part = reordered(native, np.arange(3, 8))
    made = LabelledTrace("made.pdb", replace(part.trace, resids=np.arange(51, 56)), part.ca)
    assert np.array_equal(match_residues(native, made).reference, np.arange(3, 8))


@pytest.mark.parametrize(
    ("native", "made", "message"),
    [
        ("AKF", "AKW", "A:PHE3 of native.pdb is A:TRP3 in made.pdb"),
        (SEQUENCE, SEQUENCE.replace("Y", "W"), "A:TYR5 of native.pdb is A:TRP5 in made.pdb"),
        (SEQUENCE, "GGSSLLCCHHNN", "0 of the 12 residues of made.pdb are among the 16 of native.pdb"),
    ],
)
def test_another_protein_is_an_error(native, made, message):
    with pytest.raises(InputError) as error:
        match_residues(labelled(native, "native.pdb"), labelled(made, "made.pdb"))
    assert message in error.value.message
