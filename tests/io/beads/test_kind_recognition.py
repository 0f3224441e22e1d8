"""Several chains: copies share their kinds, ranges name them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from latcpb_cli.com_beads.definition import centers_of_mass
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.beads.kind_recognition import describe_com, recognize_com
from latcpb_cli.io.beads.spacing import measure_spacing
from latcpb_cli.structure import CGTrace

NATIVE = read_all_atom(Path(__file__).parents[3] / "examples" / "tnc_allatom.pdb")
TYPES = torch.from_numpy(NATIVE.trace.residue_types)
CENTERS = centers_of_mass(torch.from_numpy(NATIVE.atoms[0]), TYPES).numpy()


def copies(ids: str, first: tuple[int, ...], cut: int | None = None) -> CGTrace:
    """Copies of the example; one is cut in two chains at a long step."""
    n = len(NATIVE.trace)
    index = np.repeat(np.arange(len(ids)), n)
    if cut is not None:
        index[cut:] += 1
    return CGTrace(
        sequence=NATIVE.trace.sequence * len(ids),
        chain_ids=np.repeat(list(ids), n),
        chain_index=index.astype(np.int64),
        resids=np.concatenate([np.arange(start, start + n) for start in first]),
        icodes=np.full(n * len(ids), ""),
    )


def distances(*noise: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    steps = [
        np.linalg.norm(np.diff(CENTERS + scale * rng.normal(size=CENTERS.shape), axis=0), axis=1)
        for scale in noise
    ]
    return np.concatenate([np.append(step, 50.0) for step in steps])[:-1]


def test_copies_make_up_for_noise() -> None:
    noise = (0.1, 0.7, 0.1)
    trace, steps = copies("ABC", (1, 1, 1)), distances(*noise)
    found = recognize_com(trace, steps, measure_spacing(trace, steps))
    assert found.certain and found.is_com.all()
    other, steps = copies("ABC", (1, 101, 201)), distances(*noise)
    alone = recognize_com(other, steps, measure_spacing(other, steps))
    assert alone.is_com[:89].all() and not alone.is_com[89:178].all()


def test_a_chain_cut_at_a_long_step_is_one() -> None:
    trace, steps = copies("A", (1,), cut=80), distances(0.0)
    steps[79] = 8.4
    found = recognize_com(trace, steps, measure_spacing(trace, steps))
    assert found.is_com.all() and describe_com(trace, found.is_com) == "--com-residues A:1-89"


def test_ranges_name_what_was_found() -> None:
    is_com = np.tile(np.arange(89) < 60, 2)
    assert describe_com(copies("AB", (1, 1)), is_com) == "--com-residues 1-60"
    assert describe_com(copies("AB", (1, 11)), is_com) == "--com-residues A:1-60,B:11-70"
    repeated = copies("AA", (1, 1))
    assert describe_com(repeated, is_com) == "--com-residues A:1-60"
    is_com[89:] = False
    assert describe_com(repeated, is_com) == f"{repeated.labels[0]} to {repeated.labels[59]}"
