"""Numbers in a form that a page can hold."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from jaxtyping import Shaped

__all__ = ["pack", "rounded"]

_NAMES = {"int16": "Int16Array", "uint8": "Uint8Array", "uint16": "Uint16Array", "uint32": "Uint32Array"}
"""Typed arrays of JavaScript by dtype."""


def pack(array: Shaped[np.ndarray, "..."]) -> dict[str, Any]:
    """Return an array as base64, with the name of the typed array that takes it and its shape.

    Parameters
    ----------
    array : numpy.ndarray
        Of dtype int16, uint8, uint16 or uint32.
    """
    little = array.astype(array.dtype.newbyteorder("<"))
    data = base64.b64encode(np.ascontiguousarray(little).tobytes()).decode("ascii")
    return {"type": _NAMES[array.dtype.name], "shape": list(array.shape), "data": data}


def rounded(values: Shaped[np.ndarray, "..."], digits: int = 3) -> list[Any]:
    """Return numbers as nested lists, None where one is not finite."""
    if np.ndim(values) < 2:
        return [_short(float(x), digits) if np.isfinite(x) else None for x in np.ravel(values)]
    width = int(np.prod(np.shape(values)[1:]))
    rows = np.reshape(values, (len(values), width)) if width else np.empty((len(values), 0))
    return [rounded(row.reshape(np.shape(values)[1:]), digits) for row in rows]


def _short(value: float, digits: int) -> float | int:
    """A rounded number, without a point where it is whole."""
    value = round(value, digits)
    return int(value) if value == int(value) else value
