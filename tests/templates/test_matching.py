"""Residues of templates are found by sequence, identifier or the user's word."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.structure import CGTrace
from latcpb_cli.templates.matching import match_chains

DOMAIN = "MKTAYIAKQRQISFVKPGDNWLECHGSSAPLVE"
OTHER = "GHHWDPERNKMMLVTSYCAFQILEVDRRTNPKG"


def make_trace(*chains: str, names: str = "ABCDEF") -> CGTrace:
    sequence = "".join(chains)
    index = np.repeat(np.arange(len(chains)), [len(chain) for chain in chains])
    numbers = np.concatenate([np.arange(1, len(chain) + 1) for chain in chains])
    ids = np.array([names[i] for i in index])
    return CGTrace(sequence, ids, index, numbers, np.full(len(sequence), ""))


def matched_letters(trace: CGTrace, template: CGTrace, rows: np.ndarray) -> str:
    """Letters of the template beside those of the input, ``-`` for none."""
    letters = ["-" if row < 0 else template.sequence[row] for row in rows.tolist()]
    assert all(letter in ("-", own) for letter, own in zip(letters, trace.sequence, strict=True))
    return "".join(letters)


def test_a_domain_is_found_in_a_longer_chain() -> None:
    trace, template = make_trace(OTHER + DOMAIN + "GGS"), make_trace(DOMAIN)
    rows = match_chains(trace, template)
    assert rows.tolist() == [-1] * len(OTHER) + list(range(len(DOMAIN))) + [-1] * 3
    assert match_chains(template, trace).tolist() == list(range(len(OTHER), len(OTHER) + len(DOMAIN)))


def test_mismatches_and_missing_residues_have_no_partner() -> None:
    mutated = DOMAIN[:10] + "W" + DOMAIN[11:20] + DOMAIN[24:]
    trace, template = make_trace(DOMAIN), make_trace(mutated)
    letters = matched_letters(trace, template, match_chains(trace, template))
    assert letters == DOMAIN[:10] + "-" + DOMAIN[11:20] + "----" + DOMAIN[24:]


def test_another_protein_does_not_match() -> None:
    assert (match_chains(make_trace(DOMAIN), make_trace(OTHER)) == -1).all()


def test_every_copy_of_a_chain_matches() -> None:
    length = len(DOMAIN)
    trace = make_trace(DOMAIN, DOMAIN, OTHER, DOMAIN)
    rows = match_chains(trace, make_trace(DOMAIN)).reshape(4, length)
    assert (rows[[0, 1, 3]] == np.arange(length)).all() and (rows[2] == -1).all()
    two = match_chains(trace, make_trace(DOMAIN, DOMAIN, names="XY")).reshape(4, length)
    assert [row[0] for row in two] == [0, length, -1, 0]
    named = match_chains(trace, make_trace(DOMAIN, DOMAIN, names="BA")).reshape(4, length)
    assert [row[0] for row in named] == [length, 0, -1, 0]


def test_a_chain_may_have_several_template_chains() -> None:
    trace, template = make_trace(DOMAIN + "GGSGGS" + OTHER), make_trace(OTHER, DOMAIN)
    assert matched_letters(trace, template, match_chains(trace, template)) == DOMAIN + "------" + OTHER


@pytest.mark.parametrize(("chains", "first"), [({"A": ("B",)}, len(DOMAIN)), ({"A": ("A",)}, 0)])
def test_the_user_decides_on_chains(chains: dict[str, tuple[str, ...]], first: int) -> None:
    trace, template = make_trace(DOMAIN, DOMAIN), make_trace(DOMAIN, DOMAIN)
    rows = match_chains(trace, template, chains)
    assert rows[0] == first and (rows[len(DOMAIN) :] == -1).all()
