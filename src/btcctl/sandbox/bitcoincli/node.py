"""One call of a node over HTTP."""

from __future__ import annotations

import http.client
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from btcctl.bitcoin.client import values
from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.sandbox.bitcoincli.errors import CliError, NodeError, Unreachable
from btcctl.sandbox.bitcoincli.settings import Settings

WARMING_UP = -28
_CALL_SECONDS = 900.0  # bitcoin-cli's default for -rpcclienttimeout
_WAIT_SECONDS = 0.2
_WITH_JSON = {200, 400, 404, 500}  # the statuses that JSON-RPC answers come with
_WRONG_LOGIN = "Authorization failed: Incorrect rpcuser or rpcpassword"
_NO_LOGIN = (
    "Could not locate RPC credentials. No authentication cookie could be found, and RPC password is not set.  "
    "See -rpcpassword and -stdinrpcpass.  Configuration file: ({})"
)
_ADVICE = """

Make sure the bitcoind server is running and that you are connecting to the correct RPC port.
Use "bitcoin-cli -help" for more info."""

Call = Callable[..., Any]  #: a method and its parameters, positional or by name


class Node:
    """The node that the settings mean.

    Attributes:
        wallet: One of the node's, that calls go to; None: the node knows which.

    Raises:
        CliError: They do not say enough.
    """

    def __init__(self, settings: Settings, clock: Clock = SYSTEM_CLOCK) -> None:
        self._host, self._port = settings.address()
        self._seconds = settings.seconds("rpcclienttimeout", _CALL_SECONDS)
        wait_seconds = settings.seconds("rpcwaittimeout", 0.0) if settings.is_on("rpcwait") else 0.0
        self._wait_until = clock.now() + wait_seconds
        self._clock = clock
        self._settings = settings
        self.wallet = settings.options.get("rpcwallet")

    def call(self, method: str, params: Any = (), *, wallet: str | None = None) -> Any:
        """Call a method, again while the node is not up if we are to wait for that.

        Args:
            params: A sequence, or a mapping of names.
            wallet: One of the node's, instead of the settings'.

        Raises:
            NodeError: It answers with an error.
            CliError: It cannot be asked.
        """
        wallet = self.wallet if wallet is None else wallet
        path = "/" if wallet is None else f"/wallet/{quote(wallet, safe='')}"
        while True:
            try:
                return self._call_once(path, method, params)
            except (Unreachable, NodeError) as error:
                is_down = isinstance(error, Unreachable) or error.code == WARMING_UP
                if not is_down or self._clock.now() >= self._wait_until:
                    raise
            sleep(_WAIT_SECONDS, self._clock)

    def _call_once(self, path: str, method: str, params: Any) -> Any:
        sent = params if isinstance(params, dict) else list(params)
        body = values.compact({"jsonrpc": "2.0", "id": values.Number(1), "method": method, "params": sent})
        login = self._settings.login()
        headers = {"Content-Type": "application/json"}
        if login is not None:
            headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
        status, answer = self._post(path, body.encode(), headers)
        if status == 401 and login is None:
            raise Unreachable(_NO_LOGIN.format(self._settings.conf))  # a node writes its cookie as it starts
        if status == 401:
            raise CliError(_WRONG_LOGIN)
        if status not in _WITH_JSON:
            raise CliError(f"server returned HTTP error {status}")
        return _result(answer)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        seconds = None if self._seconds == float("inf") else self._seconds
        connection = http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            late = ' (error code 0 - "timeout reached")' if isinstance(error, TimeoutError) else ""
            where = f"{self._host}:{self._port}"
            why = f"timeout on transient error: Could not connect to the server {where}{late}"
            raise Unreachable(why + _ADVICE) from error
        finally:
            connection.close()


def _result(answer: bytes) -> Any:
    if not answer:
        raise CliError("no response from server")
    try:
        reply = values.parse(answer.decode())
    except ValueError:
        raise CliError("couldn't parse reply from server") from None
    if not isinstance(reply, dict) or not {"result", "error"} & reply.keys():
        raise CliError("expected reply to have result, error and id properties")
    failure = reply.get("error")
    if failure is None:
        return reply.get("result")
    if isinstance(failure, dict) and "code" in failure:
        raise NodeError(int(failure["code"]), str(failure.get("message", "")))
    raise CliError(values.compact(failure))
