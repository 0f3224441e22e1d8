"""``latcpb doctor`` as a user calls it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

from latcpb_cli import __version__


def test_doctor(latcpb):
    code, output, messages = latcpb("doctor")
    assert (code, messages) == (0, "")
    assert output.startswith(f"latcpb     {__version__}, Python 3.")
    for part in ("libraries  torch ", "threads    ", "devices    cpu", "optional   h5py (.h5 .h5md): "):
        assert part in output
    assert "weights    latcpb-base, bundled: ok, sha256 " in output


def test_doctor_without_weights(tmp_path, latcpb, monkeypatch):
    monkeypatch.setattr("latcpb_cli.hub.bundled_directory", lambda name: None)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("latcpb_cli.hub._cached", lambda *_: None)
    code, _, messages = latcpb("doctor")
    assert code == 5
    assert "error: there are no intact weights on this machine" in messages


def test_doctor_names_what_is_missing(latcpb, monkeypatch):
    def version(package: str) -> str:
        if package in ("gsd", "e3nn"):
            raise PackageNotFoundError
        return "1"

    monkeypatch.setattr("importlib.metadata.version", version)
    output = latcpb("doctor")[1]
    assert "optional   gsd (.gsd): not installed: pip install 'latcpb-cli[formats]'" in output
    assert "MISSING    e3nn: install latcpb again" in output
