"""Numbers in columns of text, all at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped, UInt8

__all__ = ["format_fixed"]


def format_fixed(
    values: Shaped[np.ndarray, "*n"], width: int, decimals: int = 0
) -> UInt8[np.ndarray, "*n width"]:
    """Format numbers as ``%{width}.{decimals}f`` does, in a quarter of its time.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers that fit into the columns. Those of 32 bits are rounded as by ``%``, whose last digit may
        differ for numbers of 64 bits.
    width : int
        Columns of each number.
    decimals : int
        Digits after the point; without any there is no point.

    Returns
    -------
    numpy.ndarray
        The ASCII codes.
    """
    wide = values.astype(np.float64)
    rest = np.rint(np.abs(wide) * 10**decimals).astype(np.int64)
    sign = np.where(np.signbit(wide), ord("-"), ord(" "))
    point = width - 1 - decimals if decimals else width
    columns = [np.full(values.shape, ord(" "))] * width
    for column in reversed(range(width)):
        if column == point:
            columns[column] = np.full(values.shape, ord("."))
            continue
        is_digit = (rest > 0) | (column >= point - 1)
        higher = rest // 10
        columns[column] = np.where(is_digit, ord("0") + rest - 10 * higher, sign)
        sign, rest = np.where(is_digit, sign, ord(" ")), higher
    return np.stack(columns, axis=-1).astype(np.uint8)
