"""A process can keep the memory that it frees."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from latcpb_cli.run.malloc import keep_freed_memory

STATUS = Path("/proc/self/statm")
BLOCK = 128 * 2**20


def resident_after_freeing(prepare: str, size: int = BLOCK) -> int:
    """Bytes by which a process has grown once it has filled and freed a block of memory."""
    script = f"""
        import resource
        import numpy as np
        {prepare}
        def resident():
            return int(open({str(STATUS)!r}).read().split()[1]) * resource.getpagesize()
        before = resident()
        np.ones({size}, dtype=np.uint8)
        print(resident() - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or not STATUS.exists(),
    reason="the setting is of glibc, the measurement of Linux",
)
def test_freed_memory_is_kept():
    keep = "from latcpb_cli.run.malloc import keep_freed_memory; keep_freed_memory()"
    assert resident_after_freeing("") < BLOCK / 10
    assert resident_after_freeing(keep) > 0.9 * BLOCK
    assert resident_after_freeing(keep, 3 * BLOCK) < BLOCK / 10  # the largest blocks are still returned


def test_other_c_libraries_are_left_alone():
    class Library:
        def mallopt(self, *_: int) -> None:
            raise AssertionError("not glibc")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ctypes.CDLL", lambda _: Library())
        keep_freed_memory()
