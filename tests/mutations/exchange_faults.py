"""Faults of the exchange with a server: deadlines, strictness, connections, proxies, and what servers ask for."""

from __future__ import annotations

from tests.mutations.fault import Fault, faults_in

_EXCHANGE = ("rest/exchange",)

EXCHANGE_FAULTS: list[Fault] = [
    *faults_in(
        "rest/transport/breaker.py",
        ("rest/transport/test_breaker.py",),
        (
            "what is watched over blocks for ever",
            "socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno()))",
            "sock.dup()",
        ),
    ),
    *faults_in(
        "rest/exchange/exchange.py",
        _EXCHANGE,
        (
            "a byte now and then makes a call last for ever",
            "    while (left := ends_at - now()) > 0:",
            "    while (left := 30.0) > 0:",
        ),
        (
            "a connection with more than the answer on it is kept",
            "if self._rest or framing.is_overfull or not",
            "if not",
        ),
        ("what must not be sent twice is", "if not (is_kept and may_be_sent_twice):", "if not is_kept:"),
        ("the fence is not asked", "                fence.check()\n", "                pass\n"),
        ("the fence is not told", "                fence.sent()\n", "                pass\n"),
        ("100 Continue is heard without end", "or informational > MAX_INFORMATIONAL", ""),
        (
            "a body that is refused leaves its connection to the next",
            "            self.close()\n            raise\n        return",
            "            raise\n        return",
        ),
    ),
    *faults_in(
        "rest/exchange/body.py",
        _EXCHANGE,
        ("a length beside a transfer coding is overlooked", " or length is not None or not head", " or not head"),
        ("unknown transfer codings are taken for chunked", 'coding.lower() != "chunked" or length', "length"),
        ("any text that int() takes is a length", "_LENGTH.fullmatch(length) is None", "not length"),
        ("what HTTP/1.0 closes is kept", "return head.minor_version == 1\n", "return True\n"),
        ("a gzip that ends too early is whole", "if not (self._member.eof or self._is_empty):", "if False:"),
    ),
    *faults_in(
        "rest/exchange/chunked.py",
        _EXCHANGE,
        ("trailers may be anything", "(line and _TRAILER.fullmatch(line) is None) or ", ""),
        ("trailers have no end", " or self._trailer_bytes > TRAILER_BYTES", ""),
    ),
    *faults_in(
        "rest/exchange/head.py",
        _EXCHANGE,
        ("a head has no end", "if len(data) > HEAD_BYTES:", "if False:"),
        ("what the server closes is kept", '"connection", "warning"})', '"warning"})'),
        ("what is packed is not unpacked", '"content-encoding", "connection"', '"connection"'),
        ("of two lengths the first is taken", "(?i:content-length|{", "(?i:{"),
        ("a transfer coding beside a length is not seen", '{"transfer-encoding", "content', '{"content'),
        ("a warning is not seen", '"connection", "warning"})', '"connection"})'),
        ("a header's value can be two headers", " or _FIELD.fullmatch(line) is None", ""),
    ),
    *faults_in(
        "rest/exchange/reaching/proxies.py",
        ("rest/exchange/test_proxies.py",),
        ("what is on this machine is reached through a proxy", 'host == "localhost" or (', "("),
        ("a domain stands for all names that end like it", 'host.endswith(f".{name}")', "host.endswith(name)"),
        ("a port in NO_PROXY means nothing", " or (wanted_port and wanted_port != str(port))", ""),
        ("a CGI's client chooses the proxy", 'if scheme == "http" and', 'if scheme == "gopher" and'),
    ),
    *faults_in(
        "rest/exchange/wire.py",
        ("rest/exchange/test_wire.py",),
        ("TLS that has to read first waits to write", "select.POLLIN if isinstance(", "select.POLLOUT if isinstance("),
        ("a full socket is waited for as an empty one", "WantReadError) else select.POLLOUT", "WantReadError) else 1"),
        ("a socket goes on blocking", "    sock.settimeout(0.0)\n", ""),
    ),
    *faults_in(
        "rest/exchange/connection.py",
        _EXCHANGE,
        ("what comes back after the end stays open", "if len(self._kept) >= self._size:", "if False:"),
        ("a dead connection is taken for a live one", "wire.poll(0) or ", ""),
        ("replaced certificates go on to serve", "not tls.is_in_force(connection.context)", "False"),
        ("servers that are asked no more keep connections", "            oldest.keep_none()\n", "            pass\n"),
    ),
    *faults_in(
        "rest/config/tls.py",
        ("rest/exchange/test_connection.py",),
        ("a connection that ended before the handshake is taken for one", "if tls is None:", "if False:"),
    ),
    *faults_in(
        "rest/config/tls.py",
        ("rest/config/test_tls_contexts.py",),
        ("a rotated CA is not noticed by kept connections", "now >= self._look_at:", "False:"),
        (
            "a new certificate after a refusal is not shown",
            "        self._look_at = -math.inf\n\n    def current",
            "\n    def current",
        ),
    ),
    Fault(
        "a server asks for a day of silence and gets it",
        "errors.py",
        "return float(min(said, MAX_RETRY_AFTER_SECONDS))",
        "return float(said)",
        ("rest/test_answers.py",),
    ),
    Fault(
        "each retry has the whole timeout again",
        "rest/client.py",
        "            left = max(0.0, ends_at - self.clock.now())\n",
        "            left = self._timeout\n",
        ("rest/test_client.py",),
    ),
]
