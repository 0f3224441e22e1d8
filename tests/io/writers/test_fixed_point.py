"""Columns of numbers against those of Python's formatting."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.io.writers.fixed_point import format_fixed

TIES = [0.0005, 0.0015, 0.0625, 0.1875, 9.9995, 99.9995, 9999.9985]


def numbers() -> np.ndarray:
    """Numbers of all sizes, and those that round to the next power of ten, to an even digit or to zero."""
    random = np.random.default_rng(0)
    scales = [1e-4, 1e-3, 0.1, 1.0, 30.0, 2000.0]
    values = np.concatenate([random.normal(0.0, scale, 3000) for scale in scales])
    return np.clip(np.r_[values, TIES, 0.0, -0.0, -0.0004], -999.999, 9999.999).astype(np.float32)


@pytest.mark.parametrize(("width", "decimals"), [(8, 3), (9, 2), (7, 0), (12, 4)])
def test_columns_are_those_of_python(width: int, decimals: int) -> None:
    values = numbers()
    expected = "".join(f"{value:{width}.{decimals}f}" for value in values.tolist())
    assert format_fixed(values, width, decimals).tobytes().decode() == expected


def test_integers_and_arrays_of_more_axes() -> None:
    serials = np.array([[1, 10], [99_999, 0]])
    assert format_fixed(serials, 5).shape == (2, 2, 5)
    assert format_fixed(serials, 5).tobytes() == b"    1   1099999    0"
