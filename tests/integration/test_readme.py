"""What the README shows works as shown."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.resources import CONFIG_MAPS
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from tests.integration.support import eventually

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_s_controller_runs_and_sees_a_change(tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    config, output = tmp_path / "kubeconfig", tmp_path / "output"
    with EmbeddedServer(Api()) as server, output.open("w") as out:
        write_kubeconfig(config, kubeconfig(server.url))
        command = [sys.executable, "-u", "-c", program]
        process = subprocess.Popen(command, stdout=out, env={"KUBECONFIG": str(config), "PATH": "/usr/bin:/bin"})
        try:
            client = ApiClient.from_config(load_config(config))
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "labels": {"a": "b"}}}
            client.resource(CONFIG_MAPS, "default").create(body)
            eventually(lambda: "default/mine has labels {'a': 'b'}" in output.read_text())
            client.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
