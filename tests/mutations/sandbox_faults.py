"""Faults of the sandbox: what keeps pods, what runs them, and the simulated node in them."""

from __future__ import annotations

from tests.mutations.fault import faults_in

_STATEFUL = "sandbox/controllers/stateful"
_CHAIN = "sandbox/simnode/chain"

SANDBOX_FAULTS = [
    *faults_in(
        f"{_STATEFUL}/statefulset_plan.py",
        (f"{_STATEFUL}/test_statefulset_plan.py",),
        (
            "all pods come at once",
            "        if not pod.settled:\n            return []\n    if condemned:\n",
            "    if condemned:\n",
        ),
        ("the lowest of too many goes first", "key=lambda pod: -pod.ordinal)", "key=lambda pod: pod.ordinal)"),
        (
            "a partition keeps nobody back",
            "kept_back = self.rolling and ordinal < self.start + self.partition",
            "kept_back = False",
        ),
        (
            "the lowest pod is updated first",
            "for ordinal in reversed(spec.ordinals[spec.partition :]):",
            "for ordinal in spec.ordinals[spec.partition :]:",
        ),
        ("OnDelete replaces pods", "    if not spec.rolling:\n        return []\n", ""),
        ("a pod that ended stays", "        if pod.finished:\n            return _delete([pod])\n", ""),
        (
            "a pod that goes is deleted again",
            "for pod in pods if not pod.terminating]\n\n\ndef build_status",
            "for pod in pods]\n\n\ndef build_status",
        ),
        (
            "a pod is available as soon as it is ready",
            "+ timedelta(seconds=min_ready_seconds) <= wall_time",
            "<= wall_time",
        ),
        ("a pod of another set is taken", "match[1] == set_name", "match[1]"),
        (
            "ordinals begin at none",
            "return range(self.start, self.start + self.replicas)",
            "return range(self.replicas)",
        ),
        ("a rollout that is over is not said to be", "updated == ready == len(pods) == spec.replicas:", "False:"),
        ("a pod's own volumes hide its claims", 'if each["name"] not in names)]', ")]"),
    ),
    *faults_in(
        f"{_STATEFUL}/revisions.py",
        (f"{_STATEFUL}/test_revisions.py",),
        ("revisions in use are forgotten", 'if each["metadata"]["name"] not in live)', "if True)"),
        ("the newest revisions go first", 'key=lambda r: r["revision"])', 'key=lambda r: -r["revision"])'),
        ("a template of old is not the newest again", 'existing["revision"] != newest', "False"),
    ),
    *faults_in(
        "sandbox/controllers/replicas/replica_set_plan.py",
        ("sandbox/controllers/replicas/test_replica_set_plan.py",),
        (
            "pods that ended count",
            'return not self.terminating and self.phase not in {"Succeeded", "Failed"}',
            "return not self.terminating",
        ),
        ("what costs most goes first", "            self.cost,\n", "            -self.cost,\n"),
        ("too many pods are too few", "return Step(create=wanted - len(active))", "return Step(create=wanted)"),
    ),
    *faults_in(
        "sandbox/controllers/jobs/job_plan.py",
        ("sandbox/controllers/jobs/test_job.py",),
        ("a Job that is suspended works", '    if spec.get("suspend"):\n', "    if False:\n"),
        ("failures are without end", 'if total(status, "failed") > limit or ', "if "),
        ("a Job has all the time there is", "started + timedelta(seconds=deadline) <= now:", "False:"),
        (
            "more pods run than are needed",
            'wanted = min(wanted, spec["completions"] - total(status, "succeeded"))',
            "pass",
        ),
        ("a Job that is over stays for ever", "is_over=left <= 0)", "is_over=False)"),
        (
            "pods come without a pause after failures",
            "create = max(0, wanted - len(active)) if wait <= 0 else 0",
            "create = max(0, wanted - len(active))",
        ),
    ),
    *faults_in(
        "sandbox/controllers/owner_collector.py",
        ("sandbox/controllers/test_owner_collector.py",),
        (
            "an owner of the same name will do",
            'return found.body() if found.uid == reference["uid"] else None',
            "return found.body()",
        ),
        ("a Job orphans what belongs to it", ", propagation_policy=policy)", ")"),
        ("nobody looks when an owner was replaced", "new is None or new.uid != old.uid:", "new is None:"),
        ("nobody looks when an object is to go", "return new.deletion_timestamp is not None or", "return"),
    ),
    *faults_in(
        "sandbox/controllers/budget_status.py",
        ("sandbox/controllers/test_disruption.py",),
        ("shares are rounded down", "math.ceil(int(share", "math.floor(int(share"),
        (
            "what may be missing is what must be there",
            "max(0, expected - _scaled(most_gone, expected))",
            "_scaled(most_gone, expected)",
        ),
        (
            "a condition is new whenever it is looked at",
            'before["lastTransitionTime"] if before.get("status") == value else rfc3339(now)',
            "rfc3339(now)",
        ),
    ),
    *faults_in(
        "sandbox/kubelet/exits.py",
        ("sandbox/kubelet/test_exits.py",),
        ("who ends before anybody waits wakes nobody", "        if ended:\n            self._wake(key)\n", ""),
        (
            "an exit is told for ever",
            "            code = self._codes.pop(pid, None)\n",
            "            code = self._codes.get(pid)\n",
        ),
        (
            "an exit nobody wants is kept",
            "                self._forgotten.discard(pid)\n                return\n",
            "                self._forgotten.discard(pid)\n",
        ),
    ),
    *faults_in(
        "sandbox/kubelet/images.py",
        ("sandbox/kubelet/test_images.py",),
        (
            "a port is a tag",
            '    path, slash, last = name.rpartition("/")\n',
            '    path, slash, last = name.partition("/")\n',
        ),
        ("a digest is part of the name", 'name = image.partition("@")[0]', "name = image"),
        ("a mapping without a command is taken", "    if not argv:\n", "    if False:\n"),
        ("a program that is not there is taken", "    if found is None:\n", "    if False:\n"),
    ),
    *faults_in(
        "sandbox/kubelet/restarts.py",
        ("sandbox/kubelet/test_restarts.py",),
        ("one request restarts twice", "                self._begun[key] = True\n", "                pass\n"),
        ("whoever waits is not told", "            self._changed.notify_all()\n", "            pass\n"),
        ("what was not begun is done", "            if self._begun.get(key):\n", "            if True:\n"),
        ("a wait has no end", "                if left <= 0:\n                    return False\n", ""),
    ),
    *faults_in(
        f"{_CHAIN}/chain.py",
        (f"{_CHAIN}/test_chain.py",),
        ("the last of two equal branches wins", "if entry.work > self.tip.work:", "if entry.work >= self.tip.work:"),
        ("a block without work is taken", "        if not block.has_proof_of_work():\n", "        if False:\n"),
        (
            "a block may say another height",
            "        if block.claimed_height != parent.height + 1:\n",
            "        if False:\n",
        ),
        ("time may go back", "        if block.time <= self.median_time(parent):\n", "        if False:\n"),
        ("blocks come from the future", "if now is not None and block.time > now + _FUTURE_SECONDS:", "if False:"),
        (
            "what a block has in it is not looked at",
            "        if block.merkle_root != double_sha256(block.content):\n",
            "        if False:\n",
        ),
        ("the end of a branch is each of its blocks", "        self._leaves.pop(parent.hash, None)\n", ""),
        ("a locator is as long as the chain", "                step *= 2\n", "                step *= 1\n"),
    ),
    *faults_in(
        f"{_CHAIN}/ledger.py",
        (f"{_CHAIN}/test_ledger.py",),
        ("blocks are not kept", "            self._file.append(block)\n", ""),
        ("what is mined is from the past", "max(self._now(), self.chain.median_time(tip) + 1)", "self._now()"),
        (
            "a node catches up for ever",
            "        if self._is_catching_up:\n            self._is_catching_up =",
            "        if self._is_catching_up:\n            self._was_catching_up =",
        ),
    ),
    *faults_in(
        f"{_CHAIN}/payout.py",
        (f"{_CHAIN}/test_payout.py",),
        ("any checksum of a key's hash will do", " and double_sha256(raw[:-4])[:4] == raw[-4:]", ""),
        ("letters may be of both cases", "if text not in (text.lower(), text.upper()) or", "if"),
        ("any checksum of bech32 will do", "or _polymod(prefix, values) != checksum:", "or False:"),
        ("addresses of other networks are taken", "if prefix != wanted_prefix or", "if"),
    ),
    *faults_in(
        "sandbox/simnode/p2p/header_sync.py",
        ("sandbox/simnode/p2p/test_session.py",),
        ("a new node asks everybody", "        return self._link is link\n", "        return True\n"),
        ("a node with a block of today asks one peer", "if age < RECENT_SECONDS:", "if age < 0:"),
        ("every announcement is new", "is_new = tip != self._heeded", "is_new = True"),
        ("who is gone keeps the turn", "            self._link = None\n", "            pass\n"),
        ("nobody is waited for", "self._clock.now() >= self._patience_ends_at and ", ""),
        ("who has given today's block is overdue", " and self._ledger.tip_age_seconds() >= RECENT_SECONDS\n", "\n"),
    ),
    *faults_in(
        "sandbox/simnode/rpc/credentials.py",
        ("sandbox/simnode/rpc/test_credentials.py",),
        ("any user will do", "return user == self.user and", "return"),
        ("any scheme will do", '        if scheme != "Basic":\n', "        if False:\n"),
        ("everybody may read the cookie", "0o600", "0o644"),
    ),
    *faults_in(
        "sandbox/simnode/rpc/jsonrpc.py",
        ("sandbox/simnode/rpc/test_jsonrpc.py",),
        (
            "a notification is answered",
            "    if call.is_notification:\n        return 204",
            "    if False:\n        return 204",
        ),
        (
            "an error of version 2 is one of HTTP",
            "    if failure is None or call.is_v2:\n",
            "    if failure is None:\n",
        ),
        ("a batch of nothing but notifications is answered", "    if requests and not replies:\n", "    if False:\n"),
        ("any version will do", '    if version not in ("1.0", "2.0"):\n', "    if False:\n"),
    ),
]
