"""Matching of the residues of two structures."""

from __future__ import annotations

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.errors import InputError
from latcpb_cli.metrics.matching import match_residues
from latcpb_cli.structure import AtomStructure, CGTrace

SEQUENCE = "MKTAYIAPQRDFEWGV"


def reordered(sample, order):
    trace = sample.trace
    return AtomStructure(
        CGTrace(
            "".join(trace.sequence[i] for i in order),
            trace.chain_ids[order],
            trace.chain_index,
            trace.resids[order],
            trace.icodes[order],
        ),
        sample.atoms[:, order],
        sample.present[order],
        {},
    )


def test_residues_are_matched_in_any_order():
    sample = structure(SEQUENCE)
    order = np.random.default_rng(0).permutation(len(SEQUENCE))
    matched = match_residues(sample, reordered(sample, order))
    assert np.array_equal(matched.atoms, sample.atoms)
    assert np.array_equal(matched.present, sample.present)


def test_files_without_chain_identifiers_are_matched_by_chain_number():
    named, nameless = structure("AKA", chain="A"), structure("AKA", chain="")
    assert np.array_equal(match_residues(named, nameless).atoms, named.atoms)


@pytest.mark.parametrize(
    ("generated", "message"),
    [
        (structure("AKW"), "A:PHE3 of native.pdb is A:TRP3 in made.pdb"),
        (structure("AK"), "A:PHE3 of native.pdb (3 residues) is not in made.pdb (2 residues)"),
        (structure("AKFA"), "A:ALA4 of made.pdb (4 residues) is not in native.pdb (3 residues)"),
        (structure("AKF", chain="B"), "A:ALA1 of native.pdb"),
    ],
)
def test_the_first_residue_that_differs_is_named(generated, message):
    with pytest.raises(InputError) as error:
        match_residues(structure("AKF"), generated, names=("native.pdb", "made.pdb"))
    assert message in error.value.message
