"""Freed memory stays with a process that asks for it."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from latcpb_cli.run.malloc import keep_freed_memory

STATUS = Path("/proc/self/statm")
BLOCK = 256 * 2**20


def left_over(prepare: str) -> int:
    """Bytes that a process still has when it has filled and freed a block of memory."""
    script = f"""
        import resource
        import numpy as np
        {prepare}
        def resident():
            return int(open({str(STATUS)!r}).read().split()[1]) * resource.getpagesize()
        before = resident()
        np.ones({BLOCK}, dtype=np.uint8)
        print(resident() - before)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not STATUS.exists(),
    reason="only glibc is told, and only Linux says what came of it",
)
def test_freed_memory_stays_where_it_is_asked_for():
    assert left_over("") < BLOCK / 10
    assert left_over("from latcpb_cli.run.malloc import keep_freed_memory; keep_freed_memory()") > 0.9 * BLOCK


def test_other_libraries_are_left_alone():
    class Library:
        def mallopt(self, *_: int) -> None:
            raise AssertionError("not glibc")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ctypes.CDLL", lambda _: Library())
        keep_freed_memory()
