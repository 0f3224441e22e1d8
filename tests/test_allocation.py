"""Freed memory stays with a process that asks for it: counted in pages that the system has to hand out."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap

import pytest

from latcpb_cli.allocation import keep_freed_memory

ROUNDS, BLOCK = 20, 256 * 2**20


def pages(prepare: str) -> int:
    """Page faults of a process that fills and frees one block of memory after another."""
    script = f"""
        import resource
        import numpy as np
        {prepare}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range({ROUNDS}):
            np.empty({BLOCK}, dtype=np.uint8)[:: resource.getpagesize()] = 1
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives large blocks back at once")
def test_blocks_are_handed_out_once():
    usual = pages("")
    kept = pages("from latcpb_cli.allocation import keep_freed_memory; keep_freed_memory()")
    assert kept < usual / (ROUNDS / 2)


def test_other_libraries_are_left_alone():
    class Library:
        def mallopt(self, *_: int) -> None:
            raise AssertionError("not glibc")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ctypes.CDLL", lambda _: Library())
        keep_freed_memory()
