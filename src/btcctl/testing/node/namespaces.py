"""Namespaces of one node: mounts, network, process ids. All that happens in them ends with them.

The order matters: the wrapper makes them with the keeper as their first process; the set-up runs next, and then the
relay, without which nobody outside reaches the API server.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from btcctl.processes.run_directory import is_orphaned
from btcctl.testing.control_plane.errors import ControlPlaneError
from btcctl.testing.control_plane.servers import Servers
from btcctl.testing.node import namespace_process, relay_process
from btcctl.testing.node.networks import Family

#: Where the folder is seen inside: the name of a socket in it must have 107 bytes at most (unix(7)).
DATA = Path("/run/node")
_SETUP_SECONDS = 60.0
#: What the kubelet would set for the whole machine; with protectKernelDefaults it only compares, so it is shown these.
_SYSCTLS = {"vm/overcommit_memory": 1, "kernel/panic": 10, "kernel/panic_on_oops": 1}
_SETUP = """\
set -e
mount --make-rprivate /
mount --make-rshared /
mkdir -p {folder}/var {folder}/var-work
mount -t overlay overlay -o lowerdir=/var,upperdir={folder}/var,workdir={folder}/var-work /var
mount -t tmpfs tmpfs /run
mkdir -p /run/lock {data} /var/log {folder}/claims {claims}
mount --bind {folder} {data}
mount --bind {folder}/claims {claims}
mount -t tmpfs tmpfs /var/log
{sysctls}
printf 'search cluster.local\\nnameserver %s\\n' {name_server} > {folder}/resolv.conf
[ ! -e /etc/resolv.conf ] || mount --bind {folder}/resolv.conf /etc/resolv.conf
hostname {hostname}
ip link set lo up
ip link add node0 type veth peer name node0p
ip link set node0p up
ip link set node0 up
{addresses}
"""


class Namespaces:
    """Where a node's programs run. Implements `Surroundings` of a control plane.

    Args:
        folder: For what lies on the real file system: mounted over, and removed at the end. Its name is the cgroups'.
        hostname: Of the machine in them.
        families: Its addresses.
    """

    def __init__(self, folder: Path, hostname: str, families: Sequence[Family]) -> None:
        self.folder = folder
        self._hostname = hostname
        self._families = families
        script = [namespace_process.__file__, str(folder), folder.name]
        self.wrapper: Sequence[str] = [sys.executable, "-S", "-I", *script]
        self.addresses: Sequence[str] = [address for each in families for address in (each.api_server, each.node)]
        self._pid = 0
        self._relay: subprocess.Popen[bytes] | None = None

    @property
    def cgroup(self) -> str:
        """As the kubelet names it."""
        return f"/{self.folder.name}"

    @property
    def shell(self) -> list[str]:
        """What a command line is put behind to run in them."""
        if not self._pid:
            raise ControlPlaneError("the node is not started")
        return ["nsenter", "-t", str(self._pid), "-m", "-n", "-p", "-i", "-u", "--"]

    def enter(self, servers: Servers) -> None:
        """See `Surroundings`."""
        sweep()
        setup = servers.program("setup", ["sh", "-c", self._script()])
        setup.start()
        if setup.wait(_SETUP_SECONDS) != 0:
            raise ControlPlaneError(f"cannot set up the node's namespaces:\n{setup.log_tail()}")
        self._pid = _first_process(servers.pid)
        layout = servers.layout
        self._start_relay(layout.api_server_port, layout.etcd_port)

    def proc(self) -> Path:
        """See `Surroundings`."""
        return Path(f"/proc/{self._pid}/root/proc")

    def leave(self) -> None:
        """See `Surroundings`."""
        if self._relay is not None:
            self._relay.kill()
            self._relay.communicate()
            self._relay = None
        shutil.rmtree(self.folder, ignore_errors=True)  # in case the wrapper was killed

    def _script(self) -> str:
        commands = [line for each in self._families for line in _addresses(each)]
        sysctls = [line for name, value in _SYSCTLS.items() for line in _shown(self.folder, name, value)]
        return _SETUP.format(
            folder=shlex.quote(str(self.folder)),
            claims=namespace_process.CLAIMS,
            data=DATA,
            sysctls="\n".join(sysctls),
            name_server=self._families[0].node,
            hostname=shlex.quote(self._hostname),
            addresses="\n".join(commands),
        )

    def _start_relay(self, *ports: int) -> None:
        network = f"/proc/{self._pid}/ns/net"
        command = [sys.executable, "-S", "-I", relay_process.__file__, network, *map(str, ports)]
        self._relay = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._relay.stdout is not None  # noqa: S101
        if not self._relay.stdout.readline():
            said = self._relay.communicate()[1].decode(errors="replace").strip().splitlines()
            raise ControlPlaneError(f"cannot reach into the node's network: {said[-1] if said else 'no reason given'}")


def sweep() -> None:
    """Remove the cgroups that killed runs have left."""
    for name in sorted({path.name for path in namespace_process.CGROUPS.glob("*/btcctl-run-*")}):
        if is_orphaned(name):
            namespace_process.remove_cgroups(name)


def _addresses(family: Family) -> list[str]:
    """Programs of the node itself need some route, or no Service's address is ever rewritten."""
    if ":" not in family.node:
        return [
            f"ip addr add {family.node}/{family.length} dev node0",
            "ip route add default dev node0",
            "echo 1 > /proc/sys/net/ipv4/ip_forward",
        ]
    return [
        f"ip -6 addr add {family.node}/{family.length} dev node0 nodad",
        "ip -6 route add default dev node0",
        "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
    ]


def _shown(folder: Path, name: str, value: int) -> list[str]:
    file = shlex.quote(str(folder / f"sysctl-{name.replace('/', '-')}"))
    return [f"echo {value} > {file}", f"mount --bind {file} /proc/sys/{name}"]


def _first_process(wrapper: int) -> int:
    """Of the namespaces, as we see it: the wrapper has one child, `unshare`, and that has one."""
    pid = wrapper
    for _ in range(2):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        if len(children) != 1:
            raise ControlPlaneError(f"process {pid} has {len(children)} children, not one")
        pid = int(children[0])
    return pid
