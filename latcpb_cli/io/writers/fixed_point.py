"""Numbers in columns of text, all at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped, UInt8

__all__ = ["format_fixed"]

# Small types, which numpy computes with faster than with Python's numbers.
_TEN = np.uint32(10)
_SPACE, _MINUS, _POINT, _ZERO = np.frombuffer(b" -.0", dtype=np.uint8)


def format_fixed(
    values: Shaped[np.ndarray, "*n"], width: int, decimals: int = 0
) -> UInt8[np.ndarray, "*n width"]:
    """Format numbers as ``%{width}.{decimals}f`` does, in a tenth of its time.

    Parameters
    ----------
    values : numpy.ndarray
        Numbers of up to nine digits that fit into the columns. Those of 32 bits are rounded as by ``%``,
        whose last digit may differ for numbers of 64 bits.
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
    rest = np.rint(np.abs(wide) * 10**decimals).astype(np.uint32)
    sign = np.where(np.signbit(wide), _MINUS, _SPACE)
    point = width - 1 - decimals if decimals else width
    text = np.full((width, *values.shape), _SPACE)
    for column in reversed(range(width)):
        if column == point:
            text[column] = _POINT
            continue
        higher = rest // _TEN
        digit = (rest - _TEN * higher).astype(np.uint8) + _ZERO
        is_digit = (rest > 0) | (column >= point - 1)
        text[column] = np.where(is_digit, digit, sign)
        sign, rest = np.where(is_digit, sign, _SPACE), higher
    return np.ascontiguousarray(np.moveaxis(text, 0, -1))
