"""Numbers of a page: base64 of typed arrays, and lists without NaN."""

from __future__ import annotations

import base64

import numpy as np

from latcpb_cli.html_report.packing import pack, rounded


def test_a_packed_array_is_little_endian():
    packed = pack(np.array([[1, -2], [300, 4]], dtype=">i2"))
    assert packed["type"] == "Int16Array"
    assert packed["shape"] == [2, 2]
    assert np.frombuffer(base64.b64decode(packed["data"]), dtype="<i2").tolist() == [1, -2, 300, 4]


def test_lists_have_no_nan():
    assert rounded(np.array([1.23456, np.nan, np.inf]), 2) == [1.23, None, None]
    assert rounded(np.array([[1.0, np.nan], [2.0, 3.0]])) == [[1.0, None], [2.0, 3.0]]
    assert rounded(np.empty((0, 2))) == []
