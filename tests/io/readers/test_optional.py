"""Formats whose library is not installed."""

from __future__ import annotations

import sys

import pytest

from latcpb_cli.errors import InputError
from latcpb_cli.io.open_source import open_source

PACKAGES = {"gsd": "gsd", "h5": "h5py"}


@pytest.mark.parametrize("name", PACKAGES)
def test_missing_package_is_named(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "gsd.hoomd" if name == "gsd" else "h5py", None)
    path = tmp_path / f"a.{name}"
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=f"needs the package {PACKAGES[name]}") as caught:
        open_source([path])
    assert caught.value.hint == "pip install 'latcpb-cli[formats]'"
