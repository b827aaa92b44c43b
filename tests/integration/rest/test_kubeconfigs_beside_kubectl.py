"""Odd kubeconfigs: kubectl takes a file, or refuses it, and so do we."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.errors import BtcctlError
from btcctl.rest.client import ApiClient
from btcctl.rest.kubeconfig import load
from btcctl.testing import capture_logs
from tests.integration.kubectl import Kubectl
from tests.integration.rest.servers import SocketServer, always

CONTEXT = "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
CLUSTER = 'clusters: [{name: c, cluster: {server: "URL"}}]\n'
PLAIN = CONTEXT + CLUSTER


def cluster(fields: str) -> str:
    return CONTEXT + f'clusters: [{{name: c, cluster: {{server: "URL", {fields}}}}}]\n'


def user(fields: str) -> str:
    return PLAIN + f"users: [{{name: u, user: {{{fields}}}}}]\n"


FILES = [
    *("", "{}", "- a", "a: b", "a: [", "text", "null", "a: .inf", PLAIN, f"{PLAIN}---\n- another document\n"),
    *(f"{head}\n{PLAIN}" for head in ("apiVersion: v1\nkind: Config", "apiVersion: v2\nkind: Config", "kind: Pod")),
    *(f"{head}\n{PLAIN}" for head in ("apiVersion: 1", "kind: 5", "kind: null", "preferences: {colors: 1}")),
    PLAIN.replace("user: u", "user: ''"),
    PLAIN.replace(", user: u", ""),
    PLAIN.replace("cluster: c,", ""),
    PLAIN.replace("current-context: x", "current-context: z"),
    PLAIN.replace("current-context: x", "current-context: 5"),
    PLAIN.replace("current-context: x", ""),
    PLAIN.replace("user: u", "user: u, namespace: 'A B'"),
    PLAIN.replace("user: u", "user: u, namespace: 5"),
    PLAIN.replace("name: c", "name: 5"),
    PLAIN.replace("name: c", "name: y"),
    PLAIN.replace("clusters: [", "clusters: [null, "),
    PLAIN.replace("clusters: [", "clusters: [{name: c}, "),
    PLAIN.replace("contexts: [", "contexts: [{name: x}, "),
    PLAIN + "users: {name: u}\n",
    PLAIN + "users: null\n",
    PLAIN + "users: [{name: u, user: null}]\n",
    PLAIN + "users: [{name: other, user: {token: 5}}]\n",
    *(cluster(f"insecure-skip-tls-verify: {each}") for each in ("true", "yes", "'false'", "0", "null", "~", "[]")),
    *(
        cluster(f"tls-server-name: {each}")
        for each in ("a", "5", "1e3", "12:30", "2020-01-31", "0o17", "on", "!!str 5")
    ),
    *(cluster(f"certificate-authority-data: {each}") for each in ("a b", "'=='", "5", '"QQ\\n=="', "QQ", "'é'")),
    cluster("certificate-authority: /nope"),
    cluster("certificate-authority: config, certificate-authority-data: QQ=="),
    cluster("certificate-authority-data: QQ==, insecure-skip-tls-verify: true"),
    *(cluster(f"proxy-url: {each}") for each in ("ftp://p", "p", "5", "''", "null")),
    cluster("disable-compression: 'true'"),
    cluster("unknown: {a: [1, ~]}"),
    cluster("extensions: [{name: e, extension: {a: 1}}, null]"),
    cluster("<<: {tls-server-name: a}"),
    cluster("server: 'http://127.0.0.1:1', server: \"URL\""),
    *(user(f"token: {each}") for each in ("abc", "5", "true", "null", "''", "[a]", "1.5", "2020-01-31")),
    user("token: a, username: b"),
    user("username: a, password: 5"),
    user("password: b"),
    user("tokenFile: /nope, token: a"),
    user("client-certificate: /nope, client-key: /nope"),
    user("client-certificate-data: QQ=="),
    user("client-key-data: QQ=="),
    user("as: ann"),
    user("as: 5"),
    user("as-groups: [a]"),
    user("as-uid: '5'"),
    user("as-user-extra: {a: [b]}"),
    user("as: ann, as-groups: [a, null], as-user-extra: {a: null}"),
    user("as: ann, as-groups: a"),
    user("as: ann, as-user-extra: {a: b}"),
    user("exec: {command: x}"),
    user("exec: {apiVersion: client.authentication.k8s.io/v1beta1}"),
    user("extensions: {}"),
    user("extensions: [{name: 5}]"),
    PLAIN.replace("user: u", "user: u, extensions: 5"),
    PLAIN + "extensions: 5",
    PLAIN + "preferences: []",
    user("exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Sometimes}"),
    user("exec: {command: x, args: [5], apiVersion: client.authentication.k8s.io/v1beta1}"),
    user("exec: {command: x, env: [{value: a}], apiVersion: client.authentication.k8s.io/v1beta1}"),
    user("token: a, exec: {command: x, apiVersion: client.authentication.k8s.io/v1beta1}"),
    user("exec: null, auth-provider: null"),
    # Blanks and line ends around what is meant.
    *(
        PLAIN.replace('"URL"', each)
        for each in (
            '" URL"',
            '"URL "',
            '"URL\\n"',
            '"URL\\t"',
            '"\\tURL"',
            '"\\u00a0URL"',
            '"URL\\u2003"',
            '"URL/ "',
            '"URL/a b"',
            '" "',
        )
    ),
    *(PLAIN.replace('"URL"', each) for each in ('"URL#a"', '"URL?a=b"', '"URL/\\u00e9"', '"URL/%zz"', '"URL/\\x01"')),
    *(cluster(f"proxy-url: {each}") for each in ('" URL"', '"URL "', '"URL\\n"', '" "', '"\\tURL"', '"URL/a b"')),
    *(cluster(f"tls-server-name: {each}") for each in ('" a"', '"a\\n"')),
    *(
        cluster(f"certificate-authority-data: {each}")
        for each in ('" "', '" QQ=="', '"QQ==\\n"', '"QQ==\\r\\n"', '"QQ== "', '"\\tQQ=="')
    ),
    *(cluster(f"certificate-authority: {each}") for each in ('" config"', '"config "', '"config\\n"', '" "')),
    *(user(f"username: {each}, password: b") for each in ('" a"', '"a\\n"', '"a:b"', '"\\u00e9"')),
    *(user(f"as: {each}") for each in ('" ann"', '"ann "', '"ann\\n"', '" "', '"a\\nb"', '"\\u00e9"')),
    *(user(f"as: ann, as-groups: [{each}]") for each in ('" a"', '"a\\n"', '""', '" "')),
    *(user(f"as: ann, as-user-extra: {{{each}: [b]}}") for each in ('" a"', '"a b"', '""', '"\\u00e9"')),
    *(PLAIN.replace("current-context: x", f"current-context: {each}") for each in ('" x"', '"x "', '"x\\n"', '" "')),
    *(PLAIN.replace("user: u", f"user: {each}") for each in ('" u"', '" "')),
    *(PLAIN.replace("cluster: c,", f"cluster: {each},") for each in ('" c"', '" "')),
    *(PLAIN.replace("user: u", f"user: u, namespace: {each}") for each in ('" default"', '"default\\n"', '" "')),
    *(f"{head}\n{PLAIN}" for head in ('apiVersion: "v1 "', 'kind: " Config"', 'apiVersion: " "', 'kind: " "')),
    # The file itself.
    "\ufeff" + PLAIN,
    "\ufeff",
    "\ufeff{}",
    PLAIN.replace("\n", "\r\n"),
    PLAIN.replace("\n", "\r"),
    PLAIN.replace("\n", "\x85"),
    PLAIN.replace("\n", "\u2028"),
    PLAIN.replace("\n", " \n"),
    PLAIN.replace("\n", "\t\n"),
    "\t" + PLAIN,
    "\n \n" + PLAIN + "\n \n",
    PLAIN + "\x00",
    PLAIN + "\x1a",
    PLAIN + "...\n",
    "%YAML 1.1\n---\n" + PLAIN,
    "%YAML 1.2\n---\n" + PLAIN,
    "---\n" + PLAIN,
    "---\n---\n" + PLAIN,
    "# \x7f\n" + PLAIN,
    PLAIN.replace("current-context: x", "current-context : x"),
    PLAIN.replace("current-context: x", "current-context:x"),
    PLAIN.replace("current-context: x", "Current-Context: x"),
    PLAIN.replace("current-context: x", "CURRENT-CONTEXT: x"),
    user("token: >-\n  abc\n"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with SocketServer([always({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})]) as server:
        yield server.url


@pytest.mark.kubectl
@pytest.mark.parametrize("text", FILES)
def test_the_verdict_is_kubectls(text: str, url: str, tmp_path: Path, kubectl: Kubectl):
    path = tmp_path / "config"
    path.write_bytes(text.replace("URL", url).encode())  # write_text may change line ends
    theirs = kubectl.run("version", "--request-timeout=5s", f"--kubeconfig={path}")
    with capture_logs():
        assert taken_by_us(path) == (theirs.returncode == 0), theirs.stderr


def taken_by_us(path: Path) -> bool:
    try:
        with ApiClient.from_config(load([path])) as client:
            client.server_version()
    except BtcctlError:
        return False
    return True
