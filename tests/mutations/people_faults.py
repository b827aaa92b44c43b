"""Faults of what people call networks with: RPC client, port-forwards, bitcoin-cli, views, simulated money."""

from __future__ import annotations

from tests.mutations.fault import faults_in

PEOPLE_FAULTS = [
    *faults_in(
        "bitcoin/rpc.py",
        ("bitcoin/test_rpc.py",),
        (
            "one failed call of a batch hides the results of the others",
            "        except RpcError as error:\n            return error\n",
            "        except RpcError:\n            raise\n",
        ),
        (
            "a call has the client's time, whatever it asks for",
            "seconds = self._timeout if timeout is None else timeout",
            "seconds = self._timeout",
        ),
        (
            "a node that shuts down is said to be overloaded",
            'if b"Work queue depth exceeded" in body:',
            "if body:",
        ),
        (
            "a wallet's name leads to another path",
            "quote(name, safe='')",
            "quote(name)",
        ),
    ),
    *faults_in(
        "bitcoin/reach.py",
        ("bitcoin/test_reach.py",),
        (
            "what was found out about reaching nodes is forgotten",
            "            self._via = via\n        logger",
            "            pass\n        logger",
        ),
        (
            "an IPv6 address is looked for with its brackets",
            'pod = self._pod_of(host.strip("[]"))',
            "pod = self._pod_of(host)",
        ),
    ),
    *faults_in(
        "rest/forwarding/port_forward.py",
        ("rest/forwarding/test_port_forward.py",),
        (
            "the port's number is taken for data",
            "_PORT_BYTES = 2",
            "_PORT_BYTES = 0",
        ),
        (
            "what went wrong in the pod is not said",
            "            if self._complaint:\n",
            "            if False:\n",
        ),
    ),
    *faults_in(
        "bitcoin/client/arguments.py",
        ("bitcoin/client/test_arguments.py",),
        (
            "every argument is JSON",
            "if which not in conversions().get(method, ()):",
            "if False:",
        ),
    ),
    *faults_in(
        "bitcoin/client/values.py",
        ("bitcoin/client/test_arguments.py",),
        (
            "an amount becomes another one on its way",
            "parse_int=Number, parse_float=Number",
            "parse_int=Number, parse_float=float",
        ),
    ),
    *faults_in(
        "bitcoin/client/networks.py",
        ("bitcoin/client/test_networks.py",),
        (
            "a pod that merely has the label is called as a node",
            "ordinal_of(pod.name, network.name)",
            "int(pod.name[-1])",
        ),
    ),
    *faults_in(
        "bitcoin/client/view.py",
        ("bitcoin/client/test_view.py",),
        (
            "who is behind on the shorter branch is drawn as a tip of its own",
            "        return tip.best in self.behind or",
            "        return",
        ),
        (
            "a fork is one block too low",
            "    return low\n",
            "    return max(0, low - 1)\n",
        ),
        (
            "a connection that is not greeted through is a link",
            "if not peer.inbound and peer.version > 0]",
            "if not peer.inbound]",
        ),
    ),
    *faults_in(
        "bitcoin/client/spending.py",
        ("bitcoin/client/test_spending.py",),
        (
            "a wallet that is stored is made again",
            '            node.call("loadwallet", WALLET)\n',
            '            node.call("createwallet", WALLET)\n',
        ),
    ),
    *faults_in(
        "sandbox/bitcoincli/settings.py",
        ("sandbox/bitcoincli/test_settings.py",),
        (
            "the image's configuration is looked for at the root of this machine",
            "if given == IMAGE_CONF and DIRECTORY_VARIABLE in environ and not Path(given).exists():",
            "if False:",
        ),
    ),
    *faults_in(
        "sandbox/simnode/chain/coins.py",
        ("sandbox/simnode/chain/test_mempool.py",),
        (
            "after a reorganisation coins are spent for ever",
            "        for coin in done.spent:\n            self._coins[coin.at] = coin\n        for at",
            "        for at",
        ),
        (
            "a miner gets no fees",
            "subsidy(height) + fees)",
            "subsidy(height))",
        ),
    ),
    *faults_in(
        "sandbox/simnode/chain/mempool.py",
        ("sandbox/simnode/chain/test_mempool.py",),
        (
            "a coin is spent twice by transactions that wait",
            "if any(each in self._spent for each in transaction.inputs):",
            "if False:",
        ),
        (
            "transactions of lost blocks are lost",
            "self._refill([*orphans, *self._waiting.values()])",
            "self._refill([*self._waiting.values()])",
        ),
    ),
]
