"""A small web server as a pod: what its readiness is, a test can decide."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PORT = 8080

# Answers 200 to everything, or 503 while a file `sick` is in the data directory; dies on /die.
PROGRAM = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(3)
        self.send_response(503 if os.path.exists("sick") else 200)
        self.end_headers()
        self.wfile.write(os.environ.get("GREETING", "").encode())
class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):  # the original asks a name server for the host's name
        import socketserver
        socketserver.TCPServer.server_bind(self)
print("started as", os.getpid(), flush=True)
Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


@dataclass(frozen=True)
class WebCommand:
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)

    def write_files(self) -> None:
        """There are none."""


def web_command(
    pod: Mapping[str, Any], container: Mapping[str, Any], env: dict[str, str], ip: str, data_dir: Path
) -> WebCommand:
    if container["image"] == "crash":
        return WebCommand((sys.executable, "-S", "-c", "raise SystemExit('no')"), env)
    return WebCommand((sys.executable, "-S", "-c", PROGRAM, ip, str(PORT)), env)


def web_set(name: str, replicas: int, *, image: str = "web", **spec: Any) -> dict[str, Any]:
    """A StatefulSet of web servers."""
    probe = {"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 10}
    container = {
        "name": "web",
        "image": image,
        "ports": [{"name": "web", "containerPort": PORT}],
        "readinessProbe": probe,
        "env": spec.pop("env", []),
    }
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": name,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
            **spec,
        },
    }
