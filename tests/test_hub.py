"""Weights by the real client of the Hub, from a server on 127.0.0.1.

huggingface_hub reads its environment when it is imported, so every call runs
in a process of its own, as it does for a user.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_server import HubServer, serve_hub

from latcpb_cli.choices import DEFAULT_REPO_ID
from latcpb_cli.errors import WeightsError
from latcpb_cli.hub import ENVIRONMENT_VARIABLE, resolve_weights
from latcpb_cli.weights import bundled_directory, write_checksums

pytestmark = pytest.mark.hub

NAME = "tiny"
FILES = {
    f"{NAME}/config.json": b"{}",
    f"{NAME}/model.safetensors": bytes(range(256)) * 4096,
    f"{NAME}/README.md": b"# tiny",
    f"{NAME}/confidence.json": b'{"modes": {}}',
}

CALL = """
import json, logging, sys
from pathlib import Path
from latcpb_cli import hub, weights
from latcpb_cli.errors import LatcpbError

logging.basicConfig()
function, arguments, manifest, bundle = sys.argv[1:]
weights.MANIFEST_FILE, weights.BUNDLES = Path(manifest), (Path(bundle),)
try:
    files = getattr(hub, function)(**json.loads(arguments))
    result = {"directory": str(files.directory), "origin": files.origin, "sha256": files.sha256}
except LatcpbError as error:
    result = {"error": error.message, "hint": error.hint, "exit_code": int(error.exit_code)}
print(json.dumps(result))
"""

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def server() -> Iterator[HubServer]:
    with serve_hub() as hub:
        yield hub


@pytest.fixture
def published(server: HubServer, tmp_path: Path) -> HubServer:
    """Return a Hub that holds the model that the manifest of `call` pins."""
    model = write_model(tmp_path / "original" / NAME)
    server.repositories[DEFAULT_REPO_ID] = {
        f"{NAME}/{path.name}": path.read_bytes() for path in model.iterdir()
    }
    return server


@pytest.fixture
def call(server: HubServer, tmp_path: Path) -> Call:
    """Return a function that calls one of latcpb_cli.hub, in a new process with an empty cache."""
    checksums = write_checksums(write_model(tmp_path / "pinned" / NAME))
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"default": NAME, "revision": "main", "models": {NAME: checksums}}))

    def run(function: str = "resolve_weights", env: dict[str, str] | None = None, **arguments: Any) -> Any:
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        hub = {
            "HF_ENDPOINT": server.endpoint,
            "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        command = [sys.executable, "-c", CALL, function, json.dumps(arguments), manifest, tmp_path / "bundle"]
        done = subprocess.run(
            command, env=kept | hub | (env or {}), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) | {"stderr": done.stderr}

    return run


def write_model(directory: Path) -> Path:
    for file, content in FILES.items():
        path = directory.parent / directory.name / Path(file).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write_checksums(directory)
    return directory


def cached_files(tmp_path: Path) -> list[str]:
    """Return the names of all files in the cache that are as large as the model."""
    cache = tmp_path / "hf" / "hub"
    return [path.name for path in cache.rglob("*") if path.is_file() and path.stat().st_size > 100_000]


def test_download_then_cache_then_offline(published: HubServer, call: Call) -> None:
    first = call()
    assert first["origin"] == "network"
    assert Path(first["directory"], "model.safetensors").read_bytes() == FILES[f"{NAME}/model.safetensors"]
    assert all(Path(first["directory"], name).is_file() for name in ("README.md", "confidence.json"))

    published.requests.clear()
    second = call()
    assert (second["origin"], second["directory"]) == ("cache", first["directory"])
    assert published.requests == []

    offline = call(env={"HF_HUB_OFFLINE": "1"})
    assert (offline["origin"], offline["sha256"]) == ("cache", first["sha256"])


def test_offline_without_a_copy(published: HubServer, call: Call) -> None:
    result = call(env={"HF_HUB_OFFLINE": "1"})
    assert result["exit_code"] == 5
    assert "HF_HUB_OFFLINE" in result["error"]
    assert "--weights" in result["hint"]
    assert published.requests == []


def test_cache_dir(published: HubServer, call: Call, tmp_path: Path) -> None:
    result = call("download", name=NAME, cache_dir=str(tmp_path / "elsewhere"))
    assert result["directory"].startswith(str(tmp_path / "elsewhere"))
    assert cached_files(tmp_path) == []


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_wrong_hash_is_refused_and_not_kept(
    published: HubServer, call: Call, tmp_path: Path, file: str
) -> None:
    """The SHA256 file of the repository fits its files, the manifest does not."""
    repository = published.repositories[DEFAULT_REPO_ID]
    repository[f"{NAME}/{file}"] += b"tampered"
    copy = tmp_path / "tampered"
    copy.mkdir()
    for name in ("model.safetensors", "config.json"):
        (copy / name).write_bytes(repository[f"{NAME}/{name}"])
    write_checksums(copy)
    repository[f"{NAME}/SHA256"] = (copy / "SHA256").read_bytes()

    result = call()
    assert result["exit_code"] == 5
    assert f"{file}: sha256 is " in result["error"]
    assert ", expected " in result["error"]
    assert cached_files(tmp_path) == []
    assert not list((tmp_path / "hf").rglob("config.json"))
    assert call(env={"HF_HUB_OFFLINE": "1"})["exit_code"] == 5


def test_damaged_cache_is_replaced(published: HubServer, call: Call) -> None:
    model = Path(call()["directory"], "model.safetensors")
    model.write_bytes(b"bit rot")
    published.requests.clear()
    again = call()
    assert again["origin"] == "network"
    assert "bit rot" not in again["stderr"] and "removed" in again["stderr"]
    assert model.read_bytes() == FILES[f"{NAME}/model.safetensors"]


def test_damaged_cache_offline(published: HubServer, call: Call) -> None:
    Path(call()["directory"], "model.safetensors").write_bytes(b"bit rot")
    assert call(env={"HF_HUB_OFFLINE": "1"})["exit_code"] == 5


def test_unpublished_repository(server: HubServer, call: Call) -> None:
    result = call()
    assert result["exit_code"] == 5
    assert f"no repository {DEFAULT_REPO_ID}" in result["error"]
    assert "not published" in result["error"]
    for alternative in ("--weights DIR", f"${ENVIRONMENT_VARIABLE}", "bundled"):
        assert alternative in result["hint"]


def test_other_missing_repository_and_revision(published: HubServer, call: Call) -> None:
    result = call("download", name=NAME, repo_id="some/one")
    assert result["exit_code"] == 5
    assert "not published" not in result["error"]
    result = call("download", name=NAME, revision="v9")
    assert result["exit_code"] == 5
    assert "no revision 'v9'" in result["error"]
    result = call("download", name=NAME, repo_id="not an id")
    assert result["exit_code"] == 2


def test_model_that_the_repository_lacks(published: HubServer, call: Call) -> None:
    published.repositories["some/one"] = published.repositories[DEFAULT_REPO_ID]
    result = call("download", name="other", repo_id="some/one")
    assert result["exit_code"] == 5
    assert result["hint"].startswith(f"it has: {NAME};")


def test_dropped_connection_is_resumed(published: HubServer, call: Call, tmp_path: Path) -> None:
    """The client writes pieces of 10 MiB, so the file must be larger."""
    model = write_model(tmp_path / "large" / NAME)
    content = bytes(range(256)) * (24 * 4096)
    (model / "model.safetensors").write_bytes(content)
    write_checksums(model)
    published.repositories["some/one"] = {
        f"{NAME}/{path.name}": path.read_bytes() for path in model.iterdir()
    }
    published.drops[f"{NAME}/model.safetensors"] = 1
    result = call("download", name=NAME, repo_id="some/one")
    assert published.fetched("model.safetensors") == [None, f"bytes={10 * 1024**2}-"]
    assert Path(result["directory"], "model.safetensors").read_bytes() == content


def test_unreachable_hub(call: Call) -> None:
    result = call(env={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert result["exit_code"] == 5
    assert "cannot be had from" in result["error"]
    assert "\n" not in result["error"]


@pytest.mark.parametrize("case", ["unreachable", "dropped", "unpublished", "complete"])
def test_the_password_of_the_endpoint_is_never_printed(
    published: HubServer, call: Call, tmp_path: Path, case: str
) -> None:
    address = published.endpoint.removeprefix("http://") if case != "unreachable" else "127.0.0.1:9"
    if case == "unpublished":
        published.repositories.clear()
    if case == "dropped":
        published.drops[f"{NAME}/model.safetensors"] = 1
    result = call(env={"HF_ENDPOINT": f"http://somebody:secret@{address}", "PYTHONUNBUFFERED": "1"})
    assert ("error" in result) is (case in ("unreachable", "unpublished"))
    assert "secret" not in json.dumps(result)


def test_other_repository_is_compared_with_its_own_sums(
    published: HubServer, call: Call, tmp_path: Path
) -> None:
    files = dict(published.repositories[DEFAULT_REPO_ID])
    published.repositories["some/one"] = files
    assert call("download", name=NAME, repo_id="some/one")["origin"] == "network"

    # A branch may change, so the Hub is queried again; without a network the copy is used.
    published.requests.clear()
    assert call("download", name=NAME, repo_id="some/one")["origin"] == "network"
    assert published.requests and not published.fetched("model.safetensors")
    offline = call("download", name=NAME, repo_id="some/one", env={"HF_HUB_OFFLINE": "1"})
    assert offline["origin"] == "cache"

    files[f"{NAME}/model.safetensors"] = b"cut short"
    assert call("download", name=NAME, repo_id="some/one")["exit_code"] == 5


def test_order(published: HubServer, call: Call, tmp_path: Path) -> None:
    """An argument goes before the environment, that before the bundle, that before the cache."""
    assert call()["origin"] == "network"
    bundled = write_model(tmp_path / "bundle" / NAME)
    assert call() == call(name_or_path=NAME) | {"directory": str(bundled), "origin": "bundled"}
    in_environment = write_model(tmp_path / "environment")
    env = {ENVIRONMENT_VARIABLE: str(in_environment)}
    assert call(env=env)["directory"] == str(in_environment)
    given = write_model(tmp_path / "given")
    assert call(env=env, name_or_path=str(given))["directory"] == str(given)
    assert call(env=env, name_or_path=NAME)["origin"] == "bundled"


def test_damaged_bundle_is_an_error(published: HubServer, call: Call, tmp_path: Path) -> None:
    bundled = write_model(tmp_path / "bundle" / NAME)
    (bundled / "config.json").write_bytes(b'{"layers": 99}')
    write_checksums(bundled)
    result = call()
    assert result["exit_code"] == 5
    assert str(bundled / "config.json") in result["error"]


def test_unknown_name_and_missing_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match="no weights are called 'nonsense'") as caught:
        resolve_weights("nonsense")
    assert "known names" in caught.value.hint
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(WeightsError, match="no directory"):
        resolve_weights()


def test_bundled_weights_need_no_client() -> None:
    """Offline use does not import the client of the Hub."""
    code = (
        "import sys, latcpb_cli.hub as hub\n"
        "try: hub.resolve_weights('./gone')\n"
        "except Exception: pass\n"
        "print(sorted({'huggingface_hub', 'torch', 'MDAnalysis'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert bundled_directory("nonsense") is None
