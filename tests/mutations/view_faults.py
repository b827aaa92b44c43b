"""Faults of the live page's server, and of what is seen on it."""

from __future__ import annotations

from tests.mutations.fault import faults_in

VIEW_FAULTS = [
    *faults_in(
        "bitcoin/view/serving/guard.py",
        ("bitcoin/view/test_guard.py",),
        ("any host is ours", "return name in self._names or is_address(name)", "return True"),
        ("another site's page may ask", "if origin is not None and origin.lower()", "if False and origin.lower()"),
        ("a form may act", '.strip().lower() != "application/json"', '.strip().lower() == "nothing"'),
        (
            "an action needs no token of its own",
            'if not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token):',
            "if False:",
        ),
        (
            "the beginning of a path may be anything",
            "return rest if slash and hmac.compare_digest(token.encode(), self._token) else None",
            "return rest if slash else None",
        ),
        ("a script may stand inline", "script-src 'self'; ", "script-src 'self' 'unsafe-inline'; "),
    ),
    *faults_in(
        "bitcoin/view/serving/app.py",
        ("bitcoin/view/test_web_server.py",),
        ("an answer lets others frame it", "        response.headers.update(HEADERS)\n", ""),
        ("an order may be of any size", "if len(body) > MAX_BODY_BYTES:", "if False:"),
        ("a page that has left is told on", "self._scene.hub.leave(page)", "pass"),
        ("files beside the page are served", 'if type_ is None or "/" in name', 'if "/" in name'),
    ),
    *faults_in(
        "bitcoin/view/hub.py",
        ("bitcoin/view/test_hub.py",),
        ("messages queue up for a slow page", "len(self._waiting) > MAX_WAITING or ", ""),
        ("large messages queue up for a slow page", " or self._bytes > MAX_WAITING_BYTES", ""),
        ("a page is told of all networks", "if not network or each.network == network]", "]"),
        ("what was replaced is told, too", "(event, place)\n", "next(self._numbers)\n"),
    ),
    *faults_in(
        "bitcoin/view/looking/rounds.py",
        ("bitcoin/view/test_rounds.py",),
        (
            "a node is asked by two at a time",
            "        if entry.is_asked:\n            entry.is_wanted_again = True\n        el",
            "        ",
        ),
        ("a silent node is asked as often", "pause * 2.0 ** min(entry.failures, 10)", "pause"),
        (
            "many nodes are asked as often as few",
            "max(self._interval, len(self._entries) / MOST_A_SECOND)",
            "self._interval",
        ),
    ),
    *faults_in(
        "bitcoin/view/looking/focus.py",
        ("bitcoin/view/test_focus.py",),
        ("an old address keeps its links", "                del self._ordinals[before]\n", "                pass\n"),
        (
            "a node that hangs has no tip any more",
            "if answer.problem and before is not None and before.uid",
            "if False and before.uid",
        ),
        ("a new pod hangs as the old one did", "self._hung.get(ordinal) == pod.uid", "ordinal in self._hung"),
        (
            "each answer is news",
            "return msgspec.structs.replace(before, answered_at=now.answered_at) == now",
            "return before == now",
        ),
        (
            "who is measured by a top is not told of it",
            "            self._redraw(set(self._nodes))\n",
            "            pass\n",
        ),
    ),
    *faults_in(
        "bitcoin/view/looking/nodes.py",
        ("bitcoin/view/test_nodes.py",),
        ("another pod's answer counts", "and pod is not None and answer.uid == pod.uid else None", "else None"),
        ("a node on another branch is merely behind", "    if answer.best in tops.forked:\n", "    if False:\n"),
        ("who was dialled without a greeting is linked", "found.get(target, False) or is_greeted", "True"),
    ),
    *faults_in(
        "bitcoin/view/looking/tree.py",
        ("bitcoin/view/test_tree.py",),
        ("a block hangs on one that is far below", "block.skipped < drawn.skipped", "block.skipped > drawn.skipped"),
        (
            "nothing is drawn where chains part",
            "        wanted |= set(range(max(0, fork",
            "        set(range(max(0, fork",
        ),
    ),
    *faults_in(
        "bitcoin/view/operator/inside.py",
        ("bitcoin/view/test_inside.py",),
        ("the operator is asked while nobody looks", "if self._hub.is_watched:", "if True:"),
        ("an instant that trembles is news", "now = steadied(now, self._controller)", "pass"),
    ),
    *faults_in(
        "bitcoin/view/actions.py",
        ("bitcoin/view/test_actions.py",),
        ("a node is in two groups", "    if twice is not None:\n", "    if False:\n"),
        ("as many blocks as one likes", "number is None or not low <= number <= high", "number is None"),
        ("processes elsewhere can be stopped", " if each.name not in self._without]", "]"),
    ),
    *faults_in(
        "controller/keys/sources.py",
        ("controller/test_journey.py",),
        ("nobody sees a key on its way into the queue", "                self.adding(key)\n", "                pass\n"),
    ),
    *faults_in(
        "informers/shared_informer.py",
        ("controller/test_journey.py",),
        ("a change is seen in the cache before it is there", '            observer("cache", events)\n', ""),
    ),
]
