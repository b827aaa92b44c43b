"""docs/walkthrough.md, typed along on a cluster of one's own."""

from __future__ import annotations

import shutil

import pytest

from tests.consoles import shell, steps_of
from tests.integration.kubectl import Kubectl


@pytest.mark.timeout(1200)
@pytest.mark.skipif(shutil.which("jq") is None, reason="no jq, which the page's commands call")
def test_every_command_of_the_walkthrough_answers_as_shown(kubectl: Kubectl) -> None:
    with shell(kubectl.kubeconfig) as person:
        person.type_along(steps_of("walkthrough.md", "real", "cluster"))
