"""Finds the API server's configuration where Kubernetes programs look for it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from btcctl.errors import ConfigError
from btcctl.rest.config import in_cluster
from btcctl.rest.config.client_config import ClientConfig
from btcctl.secret import ENVIRON, SecretMapping, hiding_frames


@hiding_frames
def load_config(
    kubeconfig: Path | str | None = None,
    context: str | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    service_account: Path | None = None,
) -> ClientConfig:
    """Find the API server: the argument, $KUBECONFIG, in-cluster, ~/.kube/config, in that order.

    Args:
        kubeconfig: The path of a file that must exist, or None.
        context: A context in the kubeconfig, instead of its current one. Being in a cluster
            does not count then: a service account has no contexts.
        environ: Where KUBECONFIG, HOME and KUBERNETES_SERVICE_* are looked up; the process' if None.
        service_account: Directory of token, CA and namespace, if neither $BTCCTL_SERVICE_ACCOUNT nor the usual one.

    Raises:
        ConfigError: Nothing was found, or what was found first is wrong; says what to do.
        TypeError: `kubeconfig` is no path.
        DeadlineExceeded: `btcctl.deadline` left no time for a login.
    """
    if kubeconfig is not None:
        return _load_files([_path(kubeconfig)], context)
    environ = ENVIRON if environ is None else SecretMapping(environ)
    listed = [_expanded(each) for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    if listed:
        return _load_files(listed, context)
    if context is None and in_cluster.is_in_cluster(environ):
        return in_cluster.load(environ, service_account or in_cluster.directory_of(environ))
    usual = _expanded(f"{environ.get('HOME') or '~'}/.kube/config")
    if usual.exists():
        return _load_files([usual], context)
    raise ConfigError(
        f"no cluster configured: no --kubeconfig given, KUBECONFIG is not set, this is not a pod, "
        f"and {usual} does not exist; give --kubeconfig FILE"
    )


def load_contexts(kubeconfig: Path | str) -> dict[str, ClientConfig]:
    """The API servers of all contexts of a kubeconfig, by the names of these: the clusters of a program.

    Raises:
        ConfigError: There are no contexts in it, or one is wrong; says what to do.
        TypeError: `kubeconfig` is no path.
    """
    from btcctl.rest.kubeconfig import contexts_in  # noqa: PLC0415  as for `_load_files`

    path = _path(kubeconfig)
    names = contexts_in([path])
    if not names:
        raise ConfigError(f"kubeconfig {path} has no contexts: of several clusters each is one")
    return {name: _load_files([path], name) for name in names}


def _load_files(paths: Sequence[Path], context: str | None) -> ClientConfig:
    from btcctl.rest import kubeconfig  # noqa: PLC0415  YAML and more, which nothing needs in a cluster

    return kubeconfig.load(paths, context)


def _expanded(name: str) -> Path:
    """With the home directory for "~", if there is one: a container's user often has none."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def _path(kubeconfig: Path | str) -> Path:
    if not isinstance(kubeconfig, Path | str):
        raise TypeError(f"load_config takes the path of a kubeconfig, not a {type(kubeconfig).__name__}")
    if "\n" in str(kubeconfig):  # not quoted: it holds secrets
        raise ConfigError("load_config takes the path of a kubeconfig, not what stands in it")
    return Path(kubeconfig)
