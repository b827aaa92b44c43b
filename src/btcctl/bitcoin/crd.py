"""The one CustomResourceDefinition of the operator, as it is in the package; made by `btcctl.bitcoin.definition`."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Any

import yaml

from btcctl import codecs


def crd_yaml() -> str:
    """The definition as YAML: what `btcctl crd` prints and `kubectl apply -f -` takes."""
    return files("btcctl.bitcoin").joinpath("crd.yaml").read_text(encoding="utf-8")


def load_crd() -> dict[str, Any]:
    """The definition as a dict, made anew on each call."""
    crd: dict[str, Any] = codecs.decode(_crd_json())
    return crd


@functools.cache
def _crd_json() -> bytes:
    """JSON is read a hundred times as fast; YAML ten times as fast by libyaml, which is fit for texts of our own."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return codecs.encode(yaml.load(crd_yaml(), loader))  # noqa: S506 - a safe one
