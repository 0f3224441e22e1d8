"""A server on 127.0.0.1 that speaks as much of the Hub's HTTP interface as a download needs."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass
class HubServer:
    """What the server holds, and the requests it received.

    Attributes
    ----------
    repositories
        Content by path, by repository id; every repository has the one branch ``main``.
    drops
        How many times each path is still to be cut off half-way.
    requests
        Method, path and Range header of every request, in order.
    """

    endpoint: str = ""
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    drops: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)

    def commit(self, repo_id: str) -> str:
        """Return the commit hash of a repository: it changes with the content."""
        commit = hashlib.sha1()
        for name, content in sorted(self.repositories[repo_id].items()):
            commit.update(name.encode() + content)
        return commit.hexdigest()

    def fetched(self, suffix: str) -> list[str | None]:
        """Return the Range header of every GET of a file."""
        return [rng for method, path, rng in self.requests if method == "GET" and path.endswith(suffix)]


@contextmanager
def serve_hub() -> Iterator[HubServer]:
    """Run a Hub without repositories until the block ends."""
    hub = HubServer()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Log nothing; the tests use ``requests``."""

    def do_HEAD(self) -> None:  # noqa: N802
        self._answer()

    def do_GET(self) -> None:  # noqa: N802
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path, self.headers.get("Range")))
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            repo_id, revision = "/".join(parts[2:4]), parts[5] if parts[4:5] == ["revision"] else "main"
        else:
            repo_id, revision = "/".join(parts[:2]), parts[3]
        if repo_id not in self.hub.repositories:
            self._refuse("RepoNotFound", "Repository not found")
        elif revision not in ("main", self.hub.commit(repo_id)):
            self._refuse("RevisionNotFound", f"Invalid rev id: {revision}")
        elif parts[0] == "api":
            self._send_info(repo_id)
        elif (file := "/".join(parts[4:])) not in self.hub.repositories[repo_id]:
            self._refuse("EntryNotFound", "Entry not found", commit=self.hub.commit(repo_id))
        else:
            self._send_file(repo_id, file)

    def _send_info(self, repo_id: str) -> None:
        files = self.hub.repositories[repo_id]
        siblings = [{"rfilename": name} for name in files]
        info = {"id": repo_id, "sha": self.hub.commit(repo_id), "siblings": siblings}
        self._send(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _send_file(self, repo_id: str, file: str) -> None:
        content = self.hub.repositories[repo_id][file]
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"ETag": etag, "X-Repo-Commit": self.hub.commit(repo_id), "Accept-Ranges": "bytes"}
        if file.endswith(".safetensors"):  # what the Hub keeps in large file storage
            headers |= {"X-Linked-Etag": etag, "X-Linked-Size": str(len(content))}
        byte_range = self.headers.get("Range")
        if byte_range is None:
            self._send(200, content, headers, drop=self._drops(file))
            return
        start = int(byte_range.removeprefix("bytes=").split("-")[0])
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206, content[start:], headers, drop=self._drops(file))

    def _drops(self, file: str) -> bool:
        left = self.hub.drops.get(file, 0)
        if self.command == "HEAD" or not left:
            return False
        self.hub.drops[file] = left - 1
        return True

    def _refuse(self, code: str, message: str, commit: str | None = None) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message}
        if commit is not None:
            headers["X-Repo-Commit"] = commit
        self._send(404, json.dumps({"error": message}).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str], drop: bool = False) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[: len(body) // 2] if drop else body)
        self.close_connection = self.close_connection or drop
