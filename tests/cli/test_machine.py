"""Threads of a run."""

from __future__ import annotations

import pytest
import torch

from latcpb_cli.cli.machine import Machine


@pytest.mark.parametrize(
    ("threads", "n_residues", "expected"),
    [(None, 89, [1]), (None, 5000, []), (None, None, []), (3, 89, [3]), (3, 5000, [3])],
)
def test_a_small_structure_has_one_thread_unless_they_are_given(monkeypatch, threads, n_residues, expected):
    calls: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", calls.append)
    Machine(None, "cpu", threads, None, None).use_threads(n_residues)
    assert calls == expected
