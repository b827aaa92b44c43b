"""Faults in what a user asks for: how `spec` is read, checked and written into pods, and what follows from it."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_SPECS = "bitcoin/test_specs.py"
_RECONCILE = "bitcoin/test_reconcile.py"

SPEC_FAULTS = [
    *faults_in(
        "bitcoin/spec/checks.py",
        ("bitcoin/spec/test_checks.py",),
        (
            "a signet without a challenge joins the public one",
            "if (spec.network == SIGNET) != (spec.signet_challenge is not None):",
            "if spec.network != SIGNET and spec.signet_challenge is not None:",
        ),
        (
            "a Secret may have a name that there cannot be",
            "if spec.secret is not None and not is_object_name",
            "if False and not is_object_name",
        ),
        (
            "both ports may be one",
            "if (spec.rpc_port or ports.rpc) == (spec.p2p_port or ports.p2p):",
            "if False:",
        ),
        (
            "a port that is not given is no port",
            "if (spec.rpc_port or ports.rpc) == (spec.p2p_port or ports.p2p):",
            "if spec.rpc_port is not None and spec.rpc_port == spec.p2p_port:",
        ),
        ("edges count for nothing without a word", 'if (spec.topology == "edges") != bool(spec.edges):', "if False:"),
        (
            "a test network is mined at will",
            "if spec.mining is not None and spec.network != REGTEST:",
            "if False:",
        ),
        (
            "one node's lines are not looked at",
            "if own_lines and (problem := problem_with_lines(own_lines)) is not None:",
            "if False:",
        ),
        ("the lines are not looked at", "    problem = problem_with_lines(spec.config)\n", "    problem = None\n"),
        (
            "only what is asked for is looked at, and no limit",
            '(("requests", spec.resources.requests), ("limits", spec.resources.limits))',
            '(("requests", spec.resources.requests),)',
        ),
    ),
    *faults_in(
        "bitcoin/spec/config_lines.py",
        ("bitcoin/spec/test_config_lines.py",),
        ("a line may be anything", "    match = _LINE.fullmatch(line)\n", "    match = _LINE.match(line)\n"),
        (
            "what is refused can be had by its negation",
            '_WHY.get(name) or _WHY.get(name.removeprefix("no"))',
            "_WHY.get(name)",
        ),
        (
            "only the first line is looked at",
            "for line in lines if (problem := problem_with_line(line))), None)",
            "for line in list(lines)[:1] if (problem := problem_with_line(line))), None)",
        ),
        (
            "a value may have a comment",
            r're.compile(r"([a-z][a-z0-9]*)=[^#\x00-\x1f\x7f]*")',
            r're.compile(r"([a-z][a-z0-9]*)=[^\x00-\x1f\x7f]*")',
        ),
        (
            "an option that is set by its negation is set twice",
            '    return frozenset(names | {name.removeprefix("no") for name in names})\n',
            "    return frozenset(names)\n",
        ),
    ),
    *faults_in(
        "bitcoin/spec/quantities.py",
        ("bitcoin/spec/test_quantities.py",),
        (
            "binary and decimal are the same",
            "factor = 2 ** _BINARY[suffix] if suffix in _BINARY else",
            "factor = 10 ** 9 if suffix in _BINARY else",
        ),
        (
            "an exponent counts for nothing",
            "        return Fraction(number) * Fraction(Fraction(10) ** int(exponent))\n",
            "        return Fraction(number)\n",
        ),
        (
            "what is no quantity is equal to none",
            "    except ValueError:\n        return one == other\n",
            "    except ValueError:\n        return True\n",
        ),
        (
            "MiB are rounded up",
            "int(parse_quantity(quantity) // _MEBIBYTE)",
            "int(-(-parse_quantity(quantity) // _MEBIBYTE))",
        ),
    ),
    *faults_in(
        "bitcoin/spec/pod_parts.py",
        ("bitcoin/spec/test_pod_parts.py", "bitcoin/spec/test_from_spec.py"),
        (
            "a spread without a selector is about all pods",
            "[{**own, **each} for each in constraints]",
            "[{**each} for each in constraints]",
        ),
        (
            "a selector of one's own is overwritten",
            "[{**own, **each} for each in constraints]",
            "[{**each, **own} for each in constraints]",
        ),
        (
            "a port in the registry's name is taken for a tag",
            'name.rpartition("/")[2].partition(":")',
            'name.partition(":")',
        ),
        (
            "a digest is looked up each time",
            'is_moving = not at and (not colon or tag == "latest")',
            'is_moving = not colon or tag == "latest"',
        ),
        (
            "the policy that is asked for counts for nothing",
            "    if spec.image_pull_policy is not None:\n",
            "    if False:\n",
        ),
        (
            "an empty object is nothing",
            'return value is not None and value not in ([], "") and not',
            'return bool(value) and value not in ([], "") and not',
        ),
        (
            "labels of the spec are kept for ever",
            '        *(f"label/{key}" for key in spec.pod_labels),\n',
            "",
        ),
        (
            "an empty selector is left out",
            'return value is None or value in ("", []) or (value == {} and field in _MAPS)',
            'return value is None or value in ("", []) or value == {}',
        ),
    ),
    *faults_in(
        "bitcoin/spec/from_spec.py",
        ("bitcoin/spec/test_from_spec.py", _SPECS),
        (
            "what is asked for no longer stays",
            "        elif name in names | former:\n",
            "        elif name in names:\n",
        ),
        (
            "what is taken out of the middle stays",
            "        elif name in names | former:\n",
            "        elif name in former - names:\n",
        ),
        (
            "another spelling is written again and again",
            "        if name in names and is_same_part(ours.get(field), theirs.get(field), field):\n",
            "        if False:\n",
        ),
        (
            "the note of what came from spec stays",
            "    if former and not names:\n",
            "    if False:\n",
        ),
        (
            "quantities are compared as texts",
            'in_quantities = field in {"requests", "limits"}',
            "in_quantities = False",
        ),
        (
            "another spelling of a size is another volume",
            '            _spell_size(claim["spec"], there[claim["metadata"]["name"]]["spec"])\n',
            "            pass\n",
        ),
        ("what is wanted is changed", "    wanted = deepcopy(dict(desired))\n", "    wanted = dict(desired)\n"),
        (
            "true and one are the same",
            "    return type(one) is type(other) and bool(one == other)\n",
            "    return bool(one == other)\n",
        ),
    ),
    *faults_in(
        "bitcoin/pod_template.py",
        (_SPECS, "bitcoin/test_children.py"),
        (
            "a kubelet puts the password into a line of the configuration",
            'str(value).replace("$", "$$")',
            "str(value)",
        ),
        (
            "a port of one's own is not heeded",
            "return Ports(spec.rpc_port or chain.rpc, spec.p2p_port or chain.p2p)",
            "return Ports(chain.rpc, spec.p2p_port or chain.p2p)",
        ),
        (
            "a signet listens where regtest does",
            "if spec.network == REGTEST else DEFAULT_PORTS[spec.network]",
            "if True else DEFAULT_PORTS[spec.network]",
        ),
        (
            "a label of the spec takes the place of ours",
            '{"labels": {**spec.pod_labels, **labels}}',
            '{"labels": {**labels, **spec.pod_labels}}',
        ),
        (
            "an option of one's own is overruled by ours",
            'if each.partition("=")[0].removeprefix("-") not in chosen]',
            "if True]",
        ),
        (
            "the caches do not fit into the memory",
            "    return MEMORY_LIMIT_MIB if limit is None else mebibytes(limit)\n",
            "    return MEMORY_LIMIT_MIB\n",
        ),
        (
            "the challenge is not told",
            "        CHALLENGE_KEY: spec.signet_challenge,\n",
            "",
        ),
        (
            "one node's lines are for none",
            "or None for each in spec.node_overrides},",
            "or None for each in ()},",
        ),
    ),
    *faults_in(
        "bitcoin/utxo.py",
        ("bitcoin/test_utxo.py",),
        (
            "a snapshot is loaded again and again",
            "        if any(each.snapshot_blockhash for each in",
            "        if False and any(each.snapshot_blockhash for each in",
        ),
        (
            "a node that is loading is told again",
            '        if any(each.method == "loadtxoutset" for each in',
            '        if False and any(each.method == "loadtxoutset" for each in',
        ),
        (
            "headers that come later are taken for a refusal",
            "    if _NO_HEADERS in error.message:\n",
            "    if False:\n",
        ),
        (
            "a node that has more is said to refuse",
            "    if any(each in error.message for each in _NOT_NEEDED):\n",
            "    if False:\n",
        ),
        (
            "a node that refuses reads a snapshot without end",
            "        if refused is not None and self._clock.now() < ends_at:\n",
            "        if False:\n",
        ),
        (
            "a node that has refused is never asked again",
            "        if refused is not None and self._clock.now() < ends_at:\n",
            "        if refused is not None:\n",
        ),
    ),
    *faults_in(
        "bitcoin/images.py",
        ("bitcoin/test_images.py",),
        (
            "what the pod was made with is forgotten",
            "    return Swap(pod, image, None if image == own else own)\n",
            "    return Swap(pod, image, None)\n",
        ),
        (
            "an image of one's own stays for ever",
            "    image = wanted or own\n",
            "    image = wanted or pod.image\n",
        ),
        ("the image is changed again and again", "    if image == pod.image:\n", "    if False:\n"),
    ),
    *faults_in(
        "bitcoin/mining.py",
        ("bitcoin/test_mining.py",),
        (
            "blocks are mined on whichever chain",
            '        if tip.chain not in {"", REGTEST}:\n',
            "        if False:\n",
        ),
        (
            "what is wanted no longer is mined on",
            '                job.order, job.due_at, job.refusal = order, self._clock.now(), ""\n',
            '                job.order, job.due_at, job.refusal = order or job.order, self._clock.now(), ""\n',
        ),
        (
            "what was refused is refused whatever is asked for",
            '                job.order, job.due_at, job.refusal = order, self._clock.now(), ""\n',
            "                job.order, job.due_at = order, self._clock.now()\n",
        ),
        (
            "a node that starts refuses to mine",
            "isinstance(error, RpcError) and not isinstance(error, WarmingUp)",
            "isinstance(error, RpcError)",
        ),
        (
            "a node is mined with at the port that is asked for",
            "node.rpc_port or rpc_port, mining.seconds",
            "rpc_port, mining.seconds",
        ),
        (
            "saying the same again mines at once",
            "            elif job.order != order:\n",
            "            elif True:\n",
        ),
        (
            "two calls to a node are under way",
            "if not job.is_running and job.due_at <= now]",
            "if job.due_at <= now]",
        ),
        (
            "a node that fails is asked without end",
            "return min(max(order.interval_seconds, _LEAST_RETRY_SECONDS), _MOST_RETRY_SECONDS)",
            "return 0.0",
        ),
        (
            "a failure puts a block off for hours",
            "return min(max(order.interval_seconds, _LEAST_RETRY_SECONDS), _MOST_RETRY_SECONDS)",
            "return max(order.interval_seconds, _LEAST_RETRY_SECONDS)",
        ),
        ("what was wanted otherwise waits", "if job.order == order:  # otherwise it is due at once", "if True:"),
        ("a schedule begins anew with each controller", "        if wait > 0:\n", "        if False:\n"),
        (
            "blocks whose times run ahead stop it",
            "return max(now - first_seen, self._clock.wall_time().timestamp() - tip.time)",
            "return self._clock.wall_time().timestamp() - tip.time",
        ),
    ),
    *faults_in(
        "bitcoin/forks.py",
        ("bitcoin/test_forks.py", "bitcoin/test_sights.py"),
        (
            "a node that is behind is on a branch of its own",
            "        forked = {tip for tip, depth in depths.items() if depth}\n",
            "        forked = set(depths)\n",
        ),
        (
            "who is behind on the shorter branch is a tip of its own",
            "            if all(below):\n",
            "            if below[0]:\n",
        ),
        (
            "the same blocks are compared each time",
            "        if known is not None:\n            return known\n",
            "",
        ),
        (
            "a node that fails breaks the comparison off",
            "            except (RpcFailure, DeadlineExceeded) as error:\n",
            "            except ZeroDivisionError as error:\n",
        ),
        (
            "a fork is as deep as the longer branch",
            "        top = chains[low].blocks\n",
            "        top = chains[high].blocks\n",
        ),
    ),
    *faults_in(
        "bitcoin/sights.py",
        ("bitcoin/test_sights.py",),
        (
            "what the nodes say is not shown",
            "return [_with(node, sights[node.ordinal]) if node.ip and",
            "return [_with(node, sights[node.ordinal]) if not node.ip and",
        ),
        (
            "a block on its way makes a network unsynced",
            "if height >= highest - BLOCKS_ON_THE_WAY and ordinal not in forked",
            "if height >= highest and ordinal not in forked",
        ),
        (
            "who is on a branch is synced",
            "if height >= highest - BLOCKS_ON_THE_WAY and ordinal not in forked",
            "if height >= highest - BLOCKS_ON_THE_WAY",
        ),
        (
            "versions that differ are not all named",
            '", ".join(sorted({node.version for node in nodes if node.version}))',
            '", ".join(sorted({node.version for node in nodes if node.version})[:1])',
        ),
    ),
    *faults_in(
        "bitcoin/departures.py",
        ("bitcoin/test_departures.py",),
        (
            "each network of a namespace that goes is a line",
            "        if is_last and not was_told:\n",
            "        if not was_told:\n",
        ),
        (
            "a namespace that goes is a line for each network",
            '        if is_new:\n            logger.info("a namespace is being',
            '        if True:\n            logger.info("a namespace is being',
        ),
        (
            "a network made anew in a namespace that came back is left alone",
            "        return uid in self._going.get(key.namespace, ())\n",
            "        return key.namespace in self._going\n",
        ),
    ),
    *faults_in(
        "bitcoin/mesh.py",
        ("bitcoin/test_mesh.py", _RECONCILE),
        (
            "a node on another chain counts",
            '        if chain is not None and chain.chain not in {"", goal.chain}:\n',
            "        if False:\n",
        ),
    ),
    *faults_in(
        "bitcoin/rpc.py",
        ("bitcoin/test_rpc_answers.py",),
        (
            "a node that takes no such request is tried again",
            '        if status in _REJECTED and data.lstrip()[:1] not in {b"{", b"["}:\n',
            "        if False:\n",
        ),
        (
            "what a request is refused with is not read",
            '        if status in _REJECTED and data.lstrip()[:1] not in {b"{", b"["}:\n',
            "        if status in _REJECTED:\n",
        ),
    ),
]
