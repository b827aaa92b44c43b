"""Asking a container how it is: over HTTP, by a TCP connection, or by running a command."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from btcctl.sandbox.kubelet.pods.probes import ProbeSpec
from btcctl.sandbox.kubelet.pods.programs import located


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """The container that is asked."""

    ip: str
    container: Mapping[str, Any]  #: its ports give names to numbers
    env: Mapping[str, str]  #: for exec
    directory: str  #: for exec


@dataclass(frozen=True, slots=True)
class Answer:
    ok: bool
    message: str = ""  #: why not


def run_check(probe: ProbeSpec, target: CheckTarget) -> Answer:
    """Ask once; takes at most about the probe's timeout, and raises nothing a container can cause."""
    try:
        if "httpGet" in probe.check:
            return _http_get(probe.check["httpGet"], target, probe.timeout)
        if "tcpSocket" in probe.check:
            return _tcp_connect(probe.check["tcpSocket"], target, probe.timeout)
        if "exec" in probe.check:
            return _exec(probe.check["exec"], target, probe.timeout)
    except (OSError, http.client.HTTPException, subprocess.SubprocessError, ValueError) as error:
        return Answer(False, str(error) or type(error).__name__)
    return Answer(False, "the sandbox knows the probes httpGet, tcpSocket and exec only")


def port_number(port: int | str, container: Mapping[str, Any]) -> int:
    """The number of a port given by number or by name.

    Raises:
        ValueError: The container has no port of that name.
    """
    for each in container.get("ports") or []:
        if each.get("name") == port:
            return int(each["containerPort"])
    try:
        return int(port)
    except ValueError:
        raise ValueError(f"couldn't find port: {port}") from None


def _http_get(action: Mapping[str, Any], target: CheckTarget, timeout: float) -> Answer:
    host, port = action.get("host") or target.ip, port_number(action["port"], target.container)
    connection = _connection(action.get("scheme") == "HTTPS", host, port, timeout)
    headers = {"User-Agent": "kube-probe/btcctl", "Accept": "*/*", "Connection": "close"}
    headers |= {each["name"]: each["value"] for each in action.get("httpHeaders") or []}
    try:
        connection.request("GET", action.get("path") or "/", headers=headers)
        response = connection.getresponse()
        response.close()
    finally:
        connection.close()
    good = 200 <= response.status < 400
    return Answer(good, "" if good else f"HTTP probe failed with statuscode: {response.status}")


def _connection(secure: bool, host: str, port: int, timeout: float) -> http.client.HTTPConnection:
    if not secure:
        return http.client.HTTPConnection(host, port, timeout=timeout)
    # The kubelet does not verify either: it asks an address that it has chosen itself.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)


def _tcp_connect(action: Mapping[str, Any], target: CheckTarget, timeout: float) -> Answer:
    address = (action.get("host") or target.ip, port_number(action["port"], target.container))
    with socket.create_connection(address, timeout=timeout):
        return Answer(True)


def _exec(action: Mapping[str, Any], target: CheckTarget, timeout: float) -> Answer:
    command = located(action["command"], target.env)
    done = subprocess.run(  # noqa: S603 -- the pod's author chose the command
        command, env=dict(target.env), cwd=target.directory, timeout=timeout, capture_output=True, check=False
    )
    output = (done.stdout + done.stderr).decode(errors="replace").strip()
    return Answer(done.returncode == 0, output or f"command exited with {done.returncode}")
