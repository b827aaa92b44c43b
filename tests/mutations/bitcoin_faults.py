"""Faults of the operator: what it would do to networks, chains, peers and credentials."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_RECONCILE = "bitcoin/test_reconcile.py"
_CHILDREN = "bitcoin/test_children.py"
_MESH = "bitcoin/test_mesh.py"

BITCOIN_FAULTS = [
    *faults_in(
        "bitcoin/reconcile.py",
        (_RECONCILE,),
        (
            "a network that is being deleted is built again",
            "if obj is None or obj.deletion_timestamp is not None:",
            "if obj is None:",
        ),
        (
            "a race that was lost is a failure",
            "        except Conflict as error:\n",
            "        except ZeroDivisionError as error:\n",
        ),
        (
            "new credentials replace no pod",
            "if report is not None and isinstance(credentials, KnownCredentials):",
            "if False:",
        ),
        (
            "no node is ever let in",
            "if seen is not None and report is not None and seen.is_new:",
            "if False:",
        ),
        (
            "a failure that is new is told by no Event",
            "node_notices(said.nodes, nodes) + failure_notices(",
            "node_notices(said.nodes, nodes) + 0 * failure_notices(",
        ),
        (
            "who joins and who leaves is told by no Event",
            "notices = node_notices(said.nodes, nodes) +",
            "notices = 0 * node_notices(said.nodes, nodes) +",
        ),
        (
            "what another one wipes out of a status is told again",
            "said = memory.said or network.status",
            "said = network.status",
        ),
        (
            "words of others are said as they come",
            "return str(memory.quotes.of((about, gist(words)), words))",
            "return words",
        ),
        (
            "with heights that change the nodes are asked without end",
            "moved = (without_sights(status), report and report.moves)",
            "moved = (status, report and report.moves)",
        ),
        (
            "who failed before is not remembered",
            "memory.suspects = frozenset(seen.report.suspects)",
            "memory.suspects = frozenset()",
        ),
        (
            "former nodes are cut off for ever",
            "            if seen.report.forgotten:\n",
            "            if False:\n",
        ),
        (
            "a node without the chain is let in",
            "pod.awaits_sync and pod.answers and pod.ordinal in view.synced",
            "pod.awaits_sync and pod.answers",
        ),
        ("lost blocks are not counted", "            self._cluster.count_lost(obj.key)\n", ""),
        (
            "heights are written as often as they change",
            "if not memory.shown.is_due(now) and heights.lost == memory.shown.heights.lost:",
            "if False:",
        ),
    ),
    *faults_in(
        "bitcoin/upkeep.py",
        (_RECONCILE, "bitcoin/test_forbidden.py", "bitcoin/test_images.py", "bitcoin/test_odd_days.py"),
        ("a refusal is told with each try", "            if before == self.told[which]:\n", "            if False:\n"),
        ("what was refused once is never told again", "        self.told.pop(which, None)\n", ""),
        (
            "pods that were left behind are replaced for nothing",
            "            version = self._version_of_orphans() or credentials.version\n",
            "            version = credentials.version\n",
        ),
        (
            "pods of a Secret that cannot be used are made all the same",
            "        elif credentials.blocks_pods:\n",
            "        elif False:\n",
        ),
        (
            "each reconcile marks the pods with the Secret of now",
            "        if has_another and isinstance(credentials, KnownCredentials):\n",
            "        if isinstance(credentials, KnownCredentials):\n",
        ),
        (
            "another Secret replaces the pods twice",
            "        if has_another and isinstance(credentials, KnownCredentials):\n",
            "        if False:\n",
        ),
        (
            "a Secret that is not there takes the nodes' credentials away",
            "isinstance(credentials, CredentialsProblem) and credentials.blocks_pods:\n",
            "False:\n",
        ),
        (
            "a reference that a webhook has rewritten is another Secret",
            'has_another = version in {"", NO_SECRET} if before is None else before != wanted',
            "has_another = before != wanted",
        ),
        (
            "what is refused holds up all else",
            "        return self.attempts(partial(self._ensured, keeper, desired, found), Child(found))\n",
            "        return self._ensured(keeper, desired, found)\n",
        ),
        (
            "a child that may not be changed is taken for gone",
            "        return self.attempts(partial(self._ensured, keeper, desired, found), Child(found))\n",
            "        return self.attempts(partial(self._ensured, keeper, desired, found), Child())\n",
        ),
        (
            "an image that is refused holds up all else",
            'return [self.attempts(partial(self._swap, swap), "") for swap in',
            "return [self._swap(swap) for swap in",
        ),
        (
            "a Service that may not be deleted holds up all else",
            "        self.attempts(remove, None)\n",
            "        remove()\n",
        ),
        (
            "an image is changed without a word",
            "        if self.cluster.swap_image(self.object.namespace, swap, self.contention):\n",
            "        if self.cluster.swap_image(self.object.namespace, swap, self.contention) is None:\n",
        ),
        (
            "credentials are said to rotate when the API server refuses it",
            "        if secret_version(replaced.object) == credentials.version:\n",
            "        if True:\n",
        ),
    ),
    *faults_in(
        "bitcoin/refusals.py",
        ("bitcoin/test_forbidden.py",),
        (
            "that a server is busy is said to be a refusal",
            "    return isinstance(error, BadRequest | Forbidden | Invalid) or _NO_WEBHOOK in error.message\n",
            "    return True\n",
        ),
        (
            "a value that the server does not take is said nowhere",
            "    return isinstance(error, BadRequest | Forbidden | Invalid) or",
            "    return isinstance(error, BadRequest | Forbidden) or",
        ),
        (
            "a webhook that cannot be called is said nowhere",
            " or _NO_WEBHOOK in error.message\n",
            "\n",
        ),
        ("a refusal is no failure of the reconcile", "            raise self.refusals[0]\n", "            pass\n"),
    ),
    *faults_in(
        "bitcoin/ensure.py",
        ("bitcoin/test_ensure.py", _RECONCILE),
        (
            "a budget has both of its bounds",
            '                (body.get("spec") or {}).pop(other, None)\n',
            "                pass\n",
        ),
        (
            "a child that is not cached yet is taken for missing",
            "        try:\n            return self._resource.get(key)\n",
            "        try:\n            return None\n",
        ),
        (
            "a child on its way out is changed",
            "    if found.deletion_timestamp is not None:\n        held =",
            "    if False:\n        held =",
        ),
        (
            "a deleted network's child is in the way for ever",
            "    if _is_predecessors(found, network):\n",
            "    if False:\n",
        ),
        ("a refusal is not told", "            tell(_refusal(desired, found, error))\n", ""),
        (
            "who contests a child is not said",
            "return Child(found, wish.problem, dispute=dispute)",
            "return Child(found, wish.problem)",
        ),
        (
            "children are not deleted with their network",
            "        set_controller(body, BITCOIN_NETWORKS, self._network)\n",
            "",
        ),
        ("every repair is told as scaling", "        if before != after:\n", "        if True:\n"),
    ),
    *faults_in(
        "bitcoin/scaling.py",
        ("bitcoin/test_scaling.py",),
        ("the chain goes with those that leave", "return first + 1 if first >= wanted else wanted", "return wanted"),
        ("volumes keep pods", "network.spec.storage is None and ", ""),
        ("a suspended network keeps a pod", "network.spec.running_nodes > 0 and ", ""),
    ),
    *faults_in(
        "bitcoin/unchangeable.py",
        (_CHILDREN, _RECONCILE, "bitcoin/test_specs.py"),
        ("what cannot be changed is tried without end", "if field not in left_out}", "}"),
        ("claims that admission puts beside ours are a conflict", "    if field != _CLAIMS:\n", "    if True:\n"),
        ("claims that admission puts beside ours are taken out", "{*fixed, _CLAIMS}", "{*fixed}"),
        (
            "volumes that come too late take the place of those that are there",
            'for volume in volumes if volume.get("name") in names]',
            "for volume in ()]",
        ),
        (
            "pods lose the labels that an old selector asks for",
            '**(old_selector.get("matchLabels") or {})',
            "**{}",
        ),
    ),
    *faults_in(
        "bitcoin/children.py",
        (_CHILDREN, _RECONCILE),
        (
            "nodes that are not ready have no name",
            '"publishNotReadyAddresses": True',
            '"publishNotReadyAddresses": False',
        ),
        (
            "pods start one after the other",
            '"podManagementPolicy": "Parallel"',
            '"podManagementPolicy": "OrderedReady"',
        ),
        ("names that are too long are taken", "if len(name) > MAX_NAME_LENGTH:", "if False:"),
        ("names that are no DNS labels are taken", "if not _DNS_1035.fullmatch(name):", "if False:"),
        ("pods have no mark of the Secret", "if secret_version else {}", "if not secret_version else {}"),
    ),
    *faults_in(
        "bitcoin/quotes.py",
        ("bitcoin/test_quotes.py",),
        ("other words are said at once", "            if quote.heard == words:\n", "            if True:\n"),
        ("other words are never said", "                quote.said = words\n", "                pass\n"),
        (
            "an old trouble's words stand for the next one",
            "                self._quotes.pop(cause, None)\n",
            "                pass\n",
        ),
        ("numbers are meant", 'return _NUMBER.sub("#", words)', "return words"),
    ),
    *faults_in(
        "bitcoin/chain.py",
        ("bitcoin/test_chain.py",),
        (
            "what a peer is known to have does not count",
            "heights = [max(node.blocks, node.heard) for node in nodes]",
            "heights = [node.blocks for node in nodes]",
        ),
        (
            "what was there before counts for ever",
            "return max([*heights, self.remembered if waits else 0])",
            "return max([*heights, self.remembered])",
        ),
        (
            "what was there before does not count while a node is silent",
            "return max([*heights, self.remembered if waits else 0])",
            "return max([*heights, 0])",
        ),
        (
            "a silent node is taken for a loss",
            "shrunk = self.is_whole and height is not None",
            "shrunk = height is not None",
        ),
        (
            "who has one block less is let in",
            "self.nodes[ordinal].blocks >= target)",
            "self.nodes[ordinal].blocks >= target - 1)",
        ),
        ("a part waits for blocks that it cannot have", "return self._target(part)", "return self.target"),
        ("who is alone is let in without blocks", "or len(part) > 1 or", "or part or"),
        ("who is alone waits for what is safe elsewhere", "or self._is_safe_elsewhere())", ")"),
        ("a volume does not count", "self.has_volumes or len(part)", "len(part)"),
    ),
    *faults_in(
        "bitcoin/progress.py",
        (_RECONCILE, "bitcoin/test_progress.py"),
        (
            "a pod on its way out may still have what the others lack",
            "if pod.address and not pod.terminating}",
            "if pod.address}",
        ),
        ("a volume without a pod has no blocks", "    if network.spec.storage is not None:", "    if False:"),
        (
            "of two losses the later counts",
            "return Heights(height, max(lost, view.lost_from))",
            "return Heights(height, view.lost_from)",
        ),
        (
            "who accepts one loss accepts all",
            "return Heights(highest, 0 if highest >= lost or lost == accepted else lost)",
            "return Heights(highest, 0 if highest >= lost or accepted else lost)",
        ),
        (
            "a loss is never made up for",
            "return Heights(highest, 0 if highest >= lost or lost == accepted else lost)",
            "return Heights(highest, lost)",
        ),
        (
            "who is held back is not told from who does not answer",
            "        if pod.awaits_sync and pod.answers and not pod.ready\n",
            "        if False\n",
        ),
    ),
    *faults_in(
        "bitcoin/rollouts.py",
        ("bitcoin/test_rollouts.py",),
        ("pods stay as they are for ever", "        if last in place:\n", "        if False:\n"),
        (
            "what nobody has seen is taken for done",
            "    if status.observed_generation < stateful_set.generation:\n",
            "    if False:\n",
        ),
        ("nodes of before are taken for new ones", "if pod.revision != status.update_revision", "if False"),
    ),
    *faults_in(
        "bitcoin/rotation.py",
        (_RECONCILE, "bitcoin/test_rotation.py"),
        (
            "pods are replaced for the same Secret again and again",
            "    if not secret_version or secret_version == template_version:\n",
            "    if not secret_version:\n",
        ),
        (
            "a touched Secret replaces pods that accept it",
            "not pod.terminating and _refuses(failures.get(pod.ordinal))",
            "not pod.terminating",
        ),
        (
            "a pod that is to be replaced anyway has all replaced once more",
            "        pod.secret_version == template_version and not pod.terminating",
            "        not pod.terminating",
        ),
        (
            "a node that does not let our address in is replaced",
            "return isinstance(failure, RpcUnauthorized) and failure.status == 401",
            "return isinstance(failure, RpcUnauthorized)",
        ),
    ),
    *faults_in(
        "bitcoin/memory.py",
        ("bitcoin/test_memory.py", _RECONCILE),
        (
            "a node that is silent for long keeps others out for ever",
            "        return any(now < since + PATIENCE_SECONDS for since in self._silent_since.values())\n",
            "        return bool(self._silent_since)\n",
        ),
        (
            "a node that answered in between has been silent all the time",
            "        self._silent_since = {ordinal: self._silent_since.get(ordinal, now) for ordinal in silent}\n",
            "        self._silent_since |= {each: now for each in silent if each not in self._silent_since}\n",
        ),
        (
            "who left while no operator ran stays connected",
            "before = self._known | {canonical(each) for each in formerly if is_bare(each)}",
            "before = self._known",
        ),
        (
            "a new pod at an old address is cut off",
            "self.gone = (self.gone | before) - present",
            "self.gone = self.gone | before",
        ),
        (
            "a restart forgets how high the chain was",
            "            self.heights = self.shown.heights = heights\n",
            "            self.heights = self.shown.heights = Heights()\n",
        ),
        (
            "a settled network is asked as often as one that moves",
            "self._low if moved else self._delay * 2",
            "self._low",
        ),
        (
            "a network is asked as seldom as can be although it moves",
            "self._low if moved else self._delay * 2",
            "self._delay * 2",
        ),
        (
            "a network made anew has the memory of the old one",
            "if memory is None or memory.uid != uid:",
            "if memory is None:",
        ),
    ),
    *faults_in(
        "bitcoin/mesh.py",
        (_MESH, _RECONCILE),
        (
            "nodes that are not ready are asked",
            "ready = (member for member in goal.members if member.ready and",
            "ready = (member for member in goal.members if",
        ),
        (
            "who made trouble is asked first",
            "key=lambda member: (member.address in goal.suspects, member.ordinal)",
            "key=lambda member: (member.address not in goal.suspects, member.ordinal)",
        ),
        (
            "a gone address is forgotten though a node was silent",
            "report.forgotten = not report.failures and not report.skipped",
            "report.forgotten = True",
        ),
        (
            "a gone address is forgotten as soon as it was removed",
            "        if plan.remove or plan.disconnect or plan.disconnect_ids:\n            report.forgotten = False\n",
            "",
        ),
        (
            "what was added already is a failure",
            "_tolerating(AlreadyAdded, node.rpc.call",
            "_tolerating(NotAdded, node.rpc.call",
        ),
        (
            "what was removed already is a failure",
            '_tolerating(NotAdded, node.rpc.call, "addnode", peer, "remove")',
            '_tolerating(AlreadyAdded, node.rpc.call, "addnode", peer, "remove")',
        ),
        ("a pass has no end", "        if left <= 0:\n", "        if False:\n"),
    ),
    *faults_in(
        "bitcoin/topology.py",
        ("bitcoin/test_topology.py",),
        (
            "pods that are not ready are added",
            "for member in wanted.values() if member.ready]",
            "for member in wanted.values()]",
        ),
        (
            "an address spelt otherwise is another one",
            "    return str(mapped or parsed)\n",
            "    return address\n",
        ),
    ),
    *faults_in(
        "bitcoin/silences.py",
        ("bitcoin/test_silences.py",),
        (
            "a silent node is asked all the time",
            "self._clock.now() + BACKOFF.delay(failures)",
            "self._clock.now()",
        ),
        (
            "a node that answers again is left alone all the same",
            "            self._silences.pop(who, None)\n",
            "            pass\n",
        ),
    ),
    *faults_in(
        "bitcoin/reconcile.py",
        ("bitcoin/test_looking_again.py",),
        ("what has changed waits for the nodes", "if here == before and self", "if self"),
        ("after a failure only the nodes are asked", "before, memory.seen = memory.seen, None", "before = memory.seen"),
        ("each look is gone through twice", "        memory.seen = here\n", ""),
    ),
    *faults_in(
        "bitcoin/operator.py",
        ("bitcoin/test_looking_again.py",),
        (
            "what has changed of the children is not seen",
            "        for each in children:\n",
            "        for each in ():\n",
        ),
    ),
    *faults_in(
        "bitcoin/passes.py",
        ("bitcoin/test_passes.py",),
        (
            "a network has two passes at once",
            "            if not network.is_running:\n",
            "            if True:\n",
        ),
        (
            "what a pass has seen is lost to the next one",
            "or network.is_new or network.is_running:",
            "or network.is_running:",
        ),
        (
            "a pass that is under way is begun once more",
            "or network.is_new or network.is_running:",
            "or network.is_new:",
        ),
        (
            "who failed since is asked as if he had not",
            "replace(network.goal, gone=gone, suspects=suspects)",
            "network.goal",
        ),
        (
            "what was seen is handed out as new again and again",
            "                network.is_new = False\n",
            "",
        ),
        (
            "what was seen of other nodes is handed out while these are looked at",
            "                    network.report = None  #",
            "                    pass  #",
        ),
        (
            "what was seen of other nodes is handed out",
            "return Seen(network.report if is_current else None, is_new=False)",
            "return Seen(network.report, is_new=False)",
        ),
        (
            "a network that is gone is told of",
            "            if is_known and report is not None:\n",
            "            if report is not None:\n",
        ),
    ),
    *faults_in(
        "bitcoin/status.py",
        ("bitcoin/test_odd_days.py",),
        (
            "any height in a status is believed",
            "each if 0 <= each <= MAX_HEIGHT else 0 for each in (status.height",
            "each for each in (status.height",
        ),
    ),
    *faults_in(
        "bitcoin/status.py",
        ("bitcoin/test_status.py", _RECONCILE),
        (
            "a network is ready with nodes beyond its number",
            "sum(node.ready for node in nodes if node.ordinal < wanted)",
            "sum(node.ready for node in nodes)",
        ),
        (
            "a lost chain keeps a network from being ready",
            "if finding.is_failure and finding.type not in _BEARABLE:",
            "if finding.is_failure:",
        ),
        ("a failure is told each time", "(each.type, each.reason, each.message) not in said", "True"),
        (
            "a node that came back at another address is the same",
            "{(node.ordinal, node.ip) for node in nodes if node.ip} for nodes",
            '{(node.ordinal, "") for node in nodes if node.ip} for nodes',
        ),
        ("messages name every node", '"; ".join(items[:NAMED])', '"; ".join(items)'),
    ),
    *faults_in(
        "bitcoin/findings.py",
        ("bitcoin/test_findings.py", _MESH),
        (
            "a node that still starts is called broken",
            '            return "is still starting"\n',
            '            return "cannot be reached"\n',
        ),
        (
            "nodes that are to be replaced are unauthorized",
            "report.failures.items() if ordinal not in outdated}",
            "report.failures.items()}",
        ),
        ("peers that are on their way are connected", "    if busy:\n", "    if False:\n"),
        (
            "a network without a ready node is connected",
            "if not any(member.ready for member in members):",
            "if False:",
        ),
        (
            "what was not asked yet is connected",
            'return Finding(MESH_READY, False, "PeersPending", "the nodes are being asked',
            'return Finding(MESH_READY, True, "PeersPending", "the nodes are being asked',
        ),
    ),
    *faults_in(
        "bitcoin/pods.py",
        ("bitcoin/test_pods.py",),
        (
            "pods of a namesake's set count",
            "if pod.controller is not None and pod.controller.uid == stateful_set_uid)",
            "if pod.controller is not None)",
        ),
        (
            "pods that are on their way out are members",
            "        if pod.address and not pod.terminating\n",
            "        if pod.address\n",
        ),
        (
            "a port of another container is the node's",
            "if each.name == CONTAINER), _Container())",
            "if each.ports), _Container())",
        ),
        (
            "pods that have ended are members",
            "has_address = status.phase not in ENDED and is_bare(address)",
            "has_address = is_bare(address)",
        ),
    ),
    *faults_in(
        "bitcoin/pod_problems.py",
        ("bitcoin/test_pod_problems.py",),
        (
            "of a pod whose machine is lost nobody is told what to do",
            '    return by_taint or status.reason == "NodeLost"\n',
            "    return False\n",
        ),
        (
            "what differs each time is in the status",
            '_VOLATILE.sub("…", bounded(text, _MAX_READ_CHARACTERS))',
            "bounded(text, _MAX_READ_CHARACTERS)",
        ),
        (
            "a message is as long as it likes",
            "return bounded(stable(text), MAX_REASON_CHARACTERS)",
            "return stable(text)",
        ),
        (
            "a pull that fails is said in two words in turn",
            "    if waiting.reason in _PULLING:\n",
            "    if False:\n",
        ),
        ("who was killed for its memory crashed", 'if ended.reason == "OOMKilled":', "if False:"),
        (
            "a pod that cannot be scheduled is starting",
            'scheduled.status == "False"',
            'scheduled.status == "Never"',
        ),
        (
            "the first line of a log is the last",
            "lines[-1][-_LOG_CHARACTERS:]",
            "lines[0][-_LOG_CHARACTERS:]",
        ),
    ),
    *faults_in(
        "bitcoin/credential_rules.py",
        ("bitcoin/test_credential_rules.py",),
        ("other blanks than Core's do not count", "return value.strip(BLANKS)", "return value.strip()"),
        ("an empty password is taken", "        if not value:\n", "        if False:\n"),
        (
            "a password with # is taken, with which no node starts",
            '        if "#" in value:\n',
            "        if False:\n",
        ),
        ("a user with a colon is taken", 'if ":" in user else None', 'if ":::" in user else None'),
        (
            "a password of two lines is taken",
            "if any(ord(each) < 0x20 or ord(each) == 0x7F for each in value):",
            "if False:",
        ),
    ),
    *faults_in(
        "bitcoin/credentials.py",
        ("bitcoin/test_credentials.py", _RECONCILE),
        (
            "without the Secret the defaults are tried",
            '        raise SecretNotFound(f"there is no',
            '        return KnownCredentials(Credentials("a", "b"))\n        raise SecretNotFound(f"there is no',
        ),
        (
            "a Secret that we may not read keeps pods from being made",
            "    blocks_pods = False\n",
            "    blocks_pods = True\n",
        ),
    ),
    *faults_in(
        "bitcoin/rpc.py",
        ("bitcoin/test_rpc.py",),
        ("an error is judged by the status", "        if answer.error is not None:\n", "        if False:\n"),
        ("the answer to another call is taken", "        if answer.id != number:\n", "        if False:\n"),
        (
            "an IPv6 address makes no URL",
            'host = f"[{address}]" if isinstance(ip_address(address), IPv6Address) else address',
            "host = str(ip_address(address))",
        ),
    ),
    *faults_in(
        "bitcoin/pod_effects.py",
        ("bitcoin/test_images.py", "bitcoin/test_pod_effects.py"),
        ("a status names the pod that was tried last", 'f"{name}-…", message)', 'r"\\g<0>", message)'),
        (
            "an image that is changed back is written for ever",
            "        contention.note_updated(PODS, key, changes, before, after)\n",
            "",
        ),
        (
            "what was written to the pod before is held against the one that there is",
            "        if before != pod.uid:",
            "        if False:",
        ),
        (
            "a gate that somebody shuts is opened for ever",
            "        contention.note_status(PODS, key, changes, before, after)\n",
            "",
        ),
        (
            "an image that was not taken is said to be changed",
            "        if image_of(after) != swap.image:\n",
            "        if False:\n",
        ),
    ),
    *faults_in(
        "bitcoin/dry_run.py",
        ("bitcoin/test_dry_run.py",),
        ("a dry run adds peers", "        if method in READS:\n", "        if True:\n"),
    ),
    *faults_in(
        "bitcoin/reconcile.py",
        (_RECONCILE,),
        (
            "a name is tried that children cannot bear",
            "        if finding is not None:\n            raise",
            "        if False:\n            raise",
        ),
    ),
    *faults_in(
        "bitcoin/reporting.py",
        (_RECONCILE, "bitcoin/test_reporting.py"),
        (
            "what a definition drops is written for ever",
            "        if memory.echo == (new, old) or _without(new, self._memories.dropped) == old:\n",
            "        if False:\n",
        ),
        (
            "what was written once is never written again",
            "        if memory.echo == (new, old) or _without(new, self._memories.dropped) == old:\n",
            "        if memory.echo is not None:\n",
        ),
        (
            "what a definition drops is found out by each network anew",
            "        if memory.echo == (new, old) or _without(new, self._memories.dropped) == old:\n",
            "        if memory.echo == (new, old):\n",
        ),
        (
            "a refusal that cannot be written is not told",
            "            self._cluster.tell(obj, Notice(WARNING, finding.reason, finding.message))\n",
            "            pass\n",
        ),
    ),
    *faults_in(
        "bitcoin/mesh.py",
        (_MESH, _RECONCILE, "bitcoin/test_quotes.py"),
        ("blocks that a peer has given up are waited for", "if peer.host not in answered)", "if True)"),
        ("a node's words are said as they come", "self._quotes.of_node(member.address, error)", "error"),
    ),
    *faults_in(
        "bitcoin/memory.py",
        ("bitcoin/test_memory.py",),
        (
            "what comes and goes by turns is news",
            "        moved = seen not in self._seen\n",
            "        moved = self._seen == deque() or seen != self._seen[-1]\n",
        ),
    ),
    *faults_in(
        "bitcoin/pod_problems.py",
        ("bitcoin/test_pod_problems.py",),
        (
            "containers of a webhook are not looked at",
            "(*(status.init_container_statuses or ()), *(status.container_statuses or ()))",
            "(status.container_statuses or ())",
        ),
        ("the node is blamed for another container", "and _node_is_ready(status):", "and False:"),
    ),
    *faults_in(
        "bitcoin/mesh.py",
        (_MESH,),
        (
            "who swallows packets is dialled by every node",
            "            silent.add(address_in(peer) or peer)\n",
            "            pass\n",
        ),
        ("a silent node is dialled", "            if address_in(peer) in silent:\n", "            if False:\n"),
        (
            "a node that is slow with what it is told keeps its pass for ever",
            "                    if self._clock.now() >= deadline:\n",
            "                    if False:\n",
        ),
        (
            "an entry of a node that is gone stays",
            "        for peer in plan.remove:\n",
            "        for peer in ():\n",
        ),
        (
            "a node that was slow once has failed twice",
            "            if not self._silences.has_failed_again(who):\n",
            "            if False:\n",
        ),
    ),
    *faults_in(
        "bitcoin/topology.py",
        ("bitcoin/test_topology.py",),
        (
            "entries made by hand are removed",
            "            return canonical(entry) if is_bare(entry) else None\n        host",
            "            return address_in(entry)\n        host",
        ),
        ("links of former nodes stay", "        disconnect=outbound,\n", "        disconnect=(),\n"),
        ("links from former nodes stay", "    if not gone and not apart:\n", "    if True:\n"),
        (
            "who is listed and not connected is not dialled",
            "if not connected.get(canonical(each), True))),",
            "if False)),",
        ),
        ("nodes that are kept apart stay linked", "(peer.inbound or peer.address not in but))", "False)"),
    ),
    *faults_in(
        "bitcoin/spec/shape.py",
        ("bitcoin/spec/test_shape.py", "bitcoin/test_topology.py"),
        (
            "nine peers are asked of a node that dials eight",
            "FULL_MESH_LIMIT: Final = 9",
            "FULL_MESH_LIMIT: Final = 10",
        ),
        ("of two nodes neither dials", "return (ours, -ordinal) < (theirs, -other)", "return ours < theirs"),
    ),
    *faults_in(
        "bitcoin/pods.py",
        ("bitcoin/test_pods.py",),
        (
            "nodes that are missing are not shown",
            "sorted(by_ordinal.keys() | range(network.spec.running_nodes))",
            "sorted(by_ordinal.keys())",
        ),
    ),
    *faults_in(
        "bitcoin/status.py",
        ("bitcoin/test_status.py",),
        (
            "a mesh that is not finished is ready",
            "        if finding.type not in _BAD_NEWS | _BEARABLE and not finding.holds:\n",
            "        if False:\n",
        ),
    ),
    *faults_in(
        "bitcoin/rpc.py",
        ("bitcoin/test_rpc.py",),
        ("401 is no answer", "        if status == 401:\n", "        if status == 499:\n"),
    ),
]
