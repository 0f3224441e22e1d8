"""How the C library treats memory that large tensors leave."""

from __future__ import annotations

import ctypes

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_AT_LEAST = 2**28  # bytes at which a block is still returned at once
_MAX_INT = 2**31 - 1


def keep_freed_memory() -> None:
    """Have this process reuse memory that it has freed, for the rest of its life.

    glibc returns each block over 32 MB to the system as soon as it is free, and the next one
    comes back page by page, every page zeroed: two fifths of the time that a frame of 40,000
    residues takes. Larger blocks, which frames of some 100,000 residues have, are still returned:
    they would leave gaps that nothing fits into. Without glibc nothing happens.
    """
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return
    if hasattr(library, "gnu_get_libc_version"):  # others have no mallopt, or one that means something else
        library.mallopt(_MMAP_THRESHOLD, _AT_LEAST)
        library.mallopt(_TRIM_THRESHOLD, _MAX_INT)
