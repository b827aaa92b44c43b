from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from btcctl.errors import ConfigError
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.impersonation import Impersonation
from btcctl.rest.loading import load_config

KUBECONFIG = """
current-context: {name}
contexts: [{{name: {name}, context: {{cluster: c, user: u, namespace: ns}}}}]
clusters: [{{name: c, cluster: {{server: "http://{name}.example:8080"}}}}]
users: [{{name: u, user: {{token: s3cret}}}}]
"""
IN_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    directory = tmp_path / "serviceaccount"
    directory.mkdir()
    (directory / "token").write_text("pod-token")
    (directory / "ca.crt").write_text("-")
    (directory / "namespace").write_text("pod-ns")
    return directory


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home" / ".kube" / "config"
    path.parent.mkdir(parents=True)
    path.write_text(KUBECONFIG.format(name="home"))
    return tmp_path / "home"


def written(tmp_path: Path, name: str) -> Path:
    path = tmp_path / f"{name}.yaml"
    path.write_text(KUBECONFIG.format(name=name))
    return path


def test_the_argument_goes_before_everything(tmp_path: Path, home: Path, service_account: Path):
    environ = {**IN_POD, "HOME": str(home), "KUBECONFIG": str(written(tmp_path, "variable"))}
    config = load_config(written(tmp_path, "argument"), environ=environ, service_account=service_account)
    assert config.host == "http://argument.example:8080"


def test_the_variable_goes_before_the_pod(tmp_path: Path, home: Path, service_account: Path):
    environ = {**IN_POD, "HOME": str(home), "KUBECONFIG": str(written(tmp_path, "variable"))}
    assert load_config(environ=environ, service_account=service_account).host == "http://variable.example:8080"


def test_the_pod_goes_before_the_home(home: Path, service_account: Path):
    config = load_config(environ={**IN_POD, "HOME": str(home)}, service_account=service_account)
    assert (config.host, config.source) == ("https://10.0.0.1:443", "in-cluster")
    assert config.namespace == "pod-ns"
    assert config.credentials.authorization() == "Bearer pod-token"


def test_the_home_is_the_last(home: Path):
    config = load_config(environ={"HOME": str(home)})
    assert config.host == "http://home.example:8080"
    assert config.source == f"kubeconfig {home}/.kube/config, context home"


def test_naming_a_context_means_a_kubeconfig_also_in_a_pod(home: Path, service_account: Path):
    config = load_config(context="home", environ={**IN_POD, "HOME": str(home)}, service_account=service_account)
    assert config.host == "http://home.example:8080"


def test_an_empty_variable_counts_as_none(home: Path):
    assert load_config(environ={"HOME": str(home), "KUBECONFIG": ""}).host == "http://home.example:8080"


def test_nothing_at_all_says_what_was_tried_and_what_to_do(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no cluster configured.*\.kube/config does not exist; give --kubeconfig"):
        load_config(environ={"HOME": str(tmp_path)})


def test_a_named_file_must_exist(tmp_path: Path, home: Path):
    with pytest.raises(ConfigError, match=r"kubeconfig .*/nope does not exist"):
        load_config(tmp_path / "nope", environ={"HOME": str(home)})


def test_files_of_the_variable_may_be_missing_but_not_all(tmp_path: Path, home: Path):
    missing, present = tmp_path / "nope", written(tmp_path, "variable")
    environ = {"HOME": str(home), "KUBECONFIG": f"{missing}:{present}"}
    assert load_config(environ=environ).host == "http://variable.example:8080"
    with pytest.raises(ConfigError, match="nope does not exist"):
        load_config(environ={"HOME": str(home), "KUBECONFIG": str(missing)})


def test_a_pod_without_a_token_says_so(service_account: Path):
    (service_account / "token").unlink()
    with pytest.raises(ConfigError, match=r"token: No such file.*automountServiceAccountToken"):
        load_config(environ=IN_POD, service_account=service_account)


def test_a_user_without_a_home_is_told_what_to_do(monkeypatch):
    """As in many a container: its user id is in no list of users."""

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(ConfigError, match="no cluster configured"):
        load_config(environ={})
    with pytest.raises(ConfigError, match="kubeconfig ~/x, ~nobody-here/y does not exist"):
        load_config(environ={"KUBECONFIG": "~/x:~nobody-here/y"})


def test_a_pod_without_a_ca_says_so(service_account: Path):
    (service_account / "ca.crt").unlink()
    with pytest.raises(ConfigError, match=r"ca\.crt: No such file or directory; is automount"):
        load_config(environ=IN_POD, service_account=service_account)


def test_a_pod_without_a_namespace_file_is_in_default(service_account: Path):
    (service_account / "namespace").unlink()
    assert load_config(environ=IN_POD, service_account=service_account).namespace == "default"


def test_an_ipv6_service_address_is_put_in_brackets(service_account: Path):
    environ = {**IN_POD, "KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert load_config(environ=environ, service_account=service_account).host == "https://[fd00::1]:443"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.org:6443",
        "ftp://x",
        "https://",
        "https://x:port",
        "https://x:99999",
        "https://u:pw@x",
        "https://u:pw@x:port",
    ],
)
def test_a_host_that_is_no_url_of_a_server_is_refused(host: str):
    with pytest.raises(ConfigError) as caught:
        ClientConfig(host, source="kubeconfig F")
    assert "kubeconfig F" in str(caught.value)
    assert "pw" not in str(caught.value)


def test_a_configuration_shows_no_secret(tmp_path: Path):
    assert "s3cret" not in repr(load_config(written(tmp_path, "x"), environ={}))


@pytest.mark.parametrize("environ", ["IN_POD", '{"KUBECONFIG": str(directory / "config")}'])
def test_kubernetes_is_imported_neither_for_a_pod_nor_for_a_kubeconfig_without_a_provider(environ: str):
    """Its import takes a third of a second of CPU."""
    program = f"""
import sys, pathlib, tempfile
import btcctl
directory = pathlib.Path(tempfile.mkdtemp())
for name in ("token", "ca.crt"):
    (directory / name).write_text("x")
(directory / "config").write_text({KUBECONFIG.format(name="x")!r})
IN_POD = {{"KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": "1"}}
config = btcctl.load_config(environ={environ}, service_account=directory)
if not config.host.startswith("https"):
    btcctl.ApiClient.from_config(config).close()
assert "btcctl.rest.http" in sys.modules or config.host.startswith("https")
assert not [each for each in sys.modules if each.partition(".")[0] in ("kubernetes", "oauthlib", "google")]
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_load_config_is_still_found_where_it_was():
    assert import_module("btcctl.rest.config").load_config is load_config
    with pytest.raises(AttributeError, match="has no attribute 'load_confg'"):
        import_module("btcctl.rest.config").load_confg  # noqa: B018


def test_a_port_that_is_no_number_is_refused(service_account: Path):
    with pytest.raises(ConfigError, match="KUBERNETES_SERVICE_PORT is 'tcp://x', not a number"):
        load_config(environ={**IN_POD, "KUBERNETES_SERVICE_PORT": "tcp://x"}, service_account=service_account)


def test_a_path_may_be_a_text_and_what_stands_in_a_file_is_no_path(tmp_path: Path):
    assert load_config(str(written(tmp_path, "x"))).host == "http://x.example:8080"
    with pytest.raises(ConfigError, match="the path of a kubeconfig, not what stands in it") as caught:
        load_config(KUBECONFIG)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(TypeError, match="the path of a kubeconfig, not a dict"):
        load_config({"users": []})


def test_whom_to_act_as_is_changed_field_by_field():
    config = ClientConfig("https://x", impersonation=Impersonation("ann", "7", ("a",), {"b": ("c",)}))
    assert config.acting_as() is config
    assert config.acting_as("bob", groups=["d", "e"]).impersonation == Impersonation(
        "bob", "7", ("d", "e"), {"b": ("c",)}
    )
    assert config.acting_as(uid="8").impersonation == Impersonation("ann", "8", ("a",), {"b": ("c",)})


def test_groups_without_a_user_are_refused():
    with pytest.raises(ConfigError, match="needs a user, too: give --as"):
        ClientConfig("https://x").acting_as(groups=["a"])
