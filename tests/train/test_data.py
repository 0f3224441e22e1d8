"""Packed structures are read with their confidence, and batches are sampled reproducibly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training import packed_chains

from latcpb_cli.errors import InputError
from latcpb_cli.train.data import load_structures


def test_confidence_is_full_without_b_factors_and_resolution(packed: Path) -> None:
    assert all((chain.confidence == 1.0).all() for chain in packed_chains(packed))


def test_confidence_falls_with_b_factor_and_coarse_resolution(packed: Path, tmp_path: Path) -> None:
    with np.load(packed / "chains_00.npz") as data:
        arrays = dict(data)
    rising = np.concatenate([np.arange(n) * 5 for n in np.diff(arrays["offsets"])]).astype(np.uint8)
    np.savez(tmp_path / "chains_00.npz", **arrays, bfac=rising)
    header, *rows = (packed / "chains.tsv").read_text().splitlines()
    with_resolution = [f"{row}\t{3.0 if number == 1 else 1.5}" for number, row in enumerate(rows)]
    (tmp_path / "chains.tsv").write_text("\n".join([f"{header}\tresolution", *with_resolution]) + "\n")
    for number, chain in enumerate(packed_chains(tmp_path)):
        assert (np.diff(chain.confidence) < 0).all()
        assert (chain.confidence[0] < 0.5) == (number == 1)


def test_a_window_ends_its_chain(packed: Path) -> None:
    chain = packed_chains(packed)[0]
    window = chain.window(3, 5)
    assert window.types.tolist() == chain.types[3:8].tolist()
    assert window.linked.tolist() == [True] * 4 + [False]
    assert (window.confidence == chain.confidence[3:8]).all()
    assert chain.linked[7], "the chain itself is unchanged"


def test_batches_depend_on_seed_and_step_alone(packed: Path) -> None:
    structures = load_structures(packed, "train", ensemble_probability=0.0)
    first, again, other = (structures.batch(1, step, 60, 24) for step in (5, 5, 6))
    assert 44 < sum(len(s) for s in first) <= 60, "less than one shortest window is left out"
    assert [s.types.tolist() for s in first] == [s.types.tolist() for s in again]
    assert [s.types.tolist() for s in first] != [s.types.tolist() for s in other]
    assert max(len(s) for s in first) <= 24


def test_missing_data_and_splits_are_refused(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no packed structures"):
        load_structures(tmp_path, "train")
    with pytest.raises(InputError, match="split 'valid'"):
        load_structures(packed, "valid")
