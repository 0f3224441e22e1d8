"""One numbering of residues for all columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from latcpb_cli.evaluation.evaluate import MethodInput, evaluate, from_memory
from latcpb_cli.html_report.residue_index import ResidueIndex


def part_of(sample, rows):
    """A structure with some of the residues."""
    trace = sample.trace
    columns = {name: getattr(trace, name)[rows] for name in ("chain_ids", "chain_index", "resids", "icodes")}
    shorter = replace(trace, sequence="".join(np.array(list(trace.sequence))[rows]), **columns)
    return replace(sample, trace=shorter, atoms=sample.atoms[:, rows], present=sample.present[rows])


def test_a_method_without_termini_keeps_the_numbers_of_the_reference(native):
    inner = part_of(native, slice(1, -1))
    result = evaluate(
        MethodInput("reference", (from_memory(native, "native"),)),
        [MethodInput("inner", (from_memory(inner, "inner"),))],
    )
    index = ResidueIndex.of_columns([result.reference, *result.methods])
    assert len(index.labels) == len(native.trace)
    assert index.rows[1].tolist() == list(range(1, len(native.trace) - 1))
    spread = index.spread(1, np.ones(len(native.trace) - 2))
    assert np.isnan(spread[[0, -1]]).all() and (spread[1:-1] == 1).all()


def test_methods_without_a_reference_share_equal_labels(native):
    parts = {"all": native, "part": part_of(native, slice(3, 9))}
    result = evaluate(None, [MethodInput(name, (from_memory(part, name),)) for name, part in parts.items()])
    index = ResidueIndex.of_columns(result.methods)
    assert len(index.labels) == len(native.trace)
    assert index.rows[1].tolist() == list(range(3, 9))


def test_structures_of_folders_are_matched_by_name(native):
    def column(name, order):
        parts = tuple(replace(from_memory(native, key), name=key) for key in order)
        return MethodInput(name, parts)

    result = evaluate(column("reference", "ab"), [column("method", "ba")])
    index = ResidueIndex.of_columns([result.reference, *result.methods])
    assert [group.name for group in index.groups] == ["a", "b"]
    length = len(native.trace)
    assert index.rows[1].tolist() == [*range(length, 2 * length), *range(length)]
    assert index.chain_starts == [0, length]
