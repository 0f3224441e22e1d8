"""Reading small inputs whole, or finding out why they are refused."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.errors import InputError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.source import Source
from latcpb_cli.read_options import ReadOptions

__all__ = ["read_all", "refuse"]


def read_all(source: Source, size: int = 2) -> tuple[np.ndarray, ...]:
    """Read positions, times, boxes and frame numbers of all frames, in chunks of ``size``."""
    chunks = list(source.chunks(size))
    assert all(len(chunk) <= size for chunk in chunks)
    return tuple(
        np.concatenate([getattr(chunk, name) for chunk in chunks])
        for name in ("positions", "times", "boxes", "indices")
    )


def refuse(message: str, *args, **options) -> InputError:
    """Check that an input ends in one line that matches, with a hint, and return the error."""
    with pytest.raises(InputError, match=message) as caught:
        read_all(open_source(*args, options=ReadOptions(**options)))
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value
