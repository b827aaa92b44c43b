"""`pip install btcctl[testing]` brings all that docs/toolkit.md's section on tests uses."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

SETUP = configparser.ConfigParser()
SETUP.read(Path(__file__).parents[3] / "setup.cfg")

PROGRAM = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise ImportError(f"{{name}} is not among the declared extras")
sys.meta_path.insert(0, Refuse())
import msgspec
from btcctl import CustomResource, Invalid, ResourceType, Rule
from btcctl.resources import PODS
from btcctl.testing import ControlPlane, ControlPlaneOptions, FakeClient, FakeClock, capture_logs
import btcctl.testing.pytest_plugin
client = FakeClient(types=[ResourceType("example.org", "v1", "widgets", "Widget")], clock=FakeClock())
client.add({{"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {{"name": "a"}}, "spec": {{"size": 1}}}})
with capture_logs() as logs:
    client.resource(PODS, "default").create(
        {{"metadata": {{"name": "a"}}, "spec": {{"containers": [{{"name": "c", "image": "i"}}]}}}}
    )

class Spec(msgspec.Struct):
    size: int

class Thing(
    CustomResource[Spec, None],
    group="example.org", version="v1", plural="things", rules=(Rule("self.spec.size < 3", "too large"),),
):
    pass

try:
    FakeClient(types=[Thing]).resource(Thing).create(Thing.named("a", Spec(3), namespace="default"))
except Invalid as error:
    assert "too large" in str(error)
else:
    raise SystemExit("rules are not looked at")
print(len(logs), [action.verb for action in client.actions])
"""


def names(requirements: str) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", line.strip())[0].lower() for line in requirements.splitlines() if line.strip()}


def with_their_own(found: set[str]) -> set[str]:
    """Those, and what they need themselves."""
    todo, all_ = set(found), set()
    while todo:
        name = todo.pop()
        all_.add(name)
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        todo |= names("\n".join(each for each in needs if "extra ==" not in each)) - all_
    return {name.replace("_", "-") for name in all_}


def test_the_fakes_need_nothing_else():
    options = SETUP["options"]
    extras = SETUP["options.extras_require"]
    declared = with_their_own(names(options["install_requires"]) | names(extras["testing"]))
    of_distribution = {
        module: {each.lower().replace("_", "-") for each in homes} for module, homes in packages_distributions().items()
    }
    refused = {module for module, homes in of_distribution.items() if not homes & (declared | {"btcctl"})}
    assert {"hypothesis", "kubernetes", "mypy"} <= refused
    program = PROGRAM.format(refused=refused)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "1 ['create']\n"
