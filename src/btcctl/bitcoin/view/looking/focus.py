"""One network that pages look at: what is known of it, and what of that is new.

Used by one thread, the collector's; what it has told stands in `picture`, which any thread may read. Every change costs
as much as what it changes: a pod or an answer one node, and all nodes only if what they are measured by has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import msgspec

from btcctl.bitcoin.children import stateful_set_name
from btcctl.bitcoin.topology import canonical, is_bare
from btcctl.bitcoin.types import NodeStatus, decode_status
from btcctl.bitcoin.view.looking.nodes import Answer, PodFacts, Tops, links_of, node_of
from btcctl.bitcoin.view.looking.summaries import about_of
from btcctl.bitcoin.view.model import (
    About,
    AboutChange,
    EventsChange,
    Happened,
    Link,
    Network,
    Node,
    NodesChange,
    Summary,
    Tree,
    TreeChange,
)
from btcctl.objects import Object, ObjectKey

Tell = Callable[[str, msgspec.Struct, str | None], None]  #: event, data, and what it says the latest of

MAX_EVENTS = 200


class Focus:
    """
    Args:
        key: Of the network.
        tell: Takes what is new.
    """

    def __init__(self, key: ObjectKey, tell: Tell) -> None:
        self.key = key
        self._name = str(key)
        self._tell = tell
        self._object: Object | None = None
        self._pods: dict[int, PodFacts] = {}
        self._answers: dict[int, Answer] = {}
        self._statuses: dict[int, NodeStatus] = {}
        self._groups: dict[int, int] = {}
        self._hung: dict[int, str] = {}
        self._ordinals: dict[str, int] = {}  # by address
        self._dialled_by: dict[str, set[int]] = {}  # by address
        self._tops = Tops()
        self._wanted = 0
        # What was told. Replaced or changed by one step each, so that others may copy them.
        self._about: About | None = None
        self._nodes: dict[int, Node] = {}
        self._links: dict[int, tuple[Link, ...]] = {}
        self._tree = Tree()
        self._events: dict[str, Happened] = {}
        self.rpc_problem = ""

    @property
    def pods(self) -> dict[int, PodFacts]:
        """By ordinal."""
        return self._pods

    @property
    def object(self) -> Object | None:
        """The network as the API server has it; None before it was seen."""
        return self._object

    @property
    def secret(self) -> str:
        """The name of its Secret; "" if it has none."""
        return "" if self._about is None else self._about.secret

    @property
    def tips(self) -> dict[int, tuple[int, str]]:
        """By ordinal: height and hash of each node that answers."""
        return {
            ordinal: (each.height, each.best)
            for ordinal, each in self._answers.items()
            if not each.problem and self._is_current(ordinal)
        }

    def version_of(self, ordinal: int) -> str:
        """What the node of the pod that there is said it is; "" if it has not yet."""
        answer = self._answers.get(ordinal)
        return answer.version if answer is not None and self._is_current(ordinal) else ""

    def picture(self) -> Network | None:
        """All of it; None as long as the network was not seen. For any thread."""
        about = self._about
        if about is None:
            return None
        nodes, links = dict(self._nodes), dict(self._links)
        return Network(
            namespace=self.key.namespace,
            name=self.key.name,
            about=about,
            nodes=[nodes[ordinal] for ordinal in sorted(nodes)],
            links=[link for ordinal in sorted(links) for link in links[ordinal]],
            tree=self._tree,
            events=sorted(dict(self._events).values(), key=lambda each: (each.at, each.uid)),
        )

    def set_network(self, obj: Object, summary: Summary) -> None:
        """Its spec or status changed."""
        self._object = obj
        self._statuses = {each.ordinal: each for each in decode_status(obj).nodes}
        about = about_of(obj, summary, self.rpc_problem)
        self._wanted = summary.nodes_wanted
        self._groups = {ordinal: number for number, group in enumerate(about.groups) for ordinal in group}
        if about != self._about:
            self._about = about
            self._tell("about", AboutChange(self._name, about), "about")
        self._redraw({*self._pods, *self._nodes, *range(self._wanted)})

    def set_rpc_problem(self, problem: str) -> None:
        """Why the nodes cannot be asked; "" if they can."""
        if problem == self.rpc_problem:
            return
        self.rpc_problem = problem
        if self._object is not None and self._about is not None:
            self.set_network(self._object, self._about.summary)

    def set_pod(self, ordinal: int, pod: PodFacts | None) -> None:
        """A pod changed, or is gone."""
        before, after = _address_of(self._pods.get(ordinal)), _address_of(pod)
        if pod is None:
            self._pods.pop(ordinal, None)
        else:
            self._pods[ordinal] = pod
        changed = {ordinal}
        if before != after:  # links lead from here to others, and from those who dialled it
            if self._ordinals.get(before) == ordinal:
                del self._ordinals[before]
            if after:
                self._ordinals[after] = ordinal
            changed |= self._dialled_by.get(before, set()) | self._dialled_by.get(after, set())
        self._redraw(changed)

    def set_answer(self, ordinal: int, answer: Answer) -> bool:
        """A node answered, or did not; returns whether the tree of chains is to be drawn anew."""
        before = self._answers.get(ordinal)
        if answer.problem and before is not None and before.uid == answer.uid:  # it has what it had
            answer = replace(
                before, problem=answer.problem, is_starting=answer.is_starting, is_refused=answer.is_refused
            )
        # A node may have two connections to another one, one of them without a handshake yet.
        for address in {address for address, _ in before.dialled} if before is not None else ():
            self._dialled_by[address].discard(ordinal)
            if not self._dialled_by[address]:
                del self._dialled_by[address]
        for address, _ in answer.dialled:
            self._dialled_by.setdefault(address, set()).add(ordinal)
        self._answers[ordinal] = answer
        self._redraw({ordinal})
        return (
            before is None or (before.best, before.uid) != (answer.best, answer.uid) or before.problem != answer.problem
        )

    def set_tree(self, tree: Tree) -> None:
        """The chains were read."""
        if tree != self._tree:
            self._tree = tree
            self._tell("tree", TreeChange(self._name, tree), "tree")
        top = tree.tips[0] if tree.tips else None
        forked = {tip.hash: tip.fork_height for tip in tree.tips[1:] if tip.nodes and tip.fork_height < tip.height}
        tops = Tops() if top is None else Tops(top.height, top.hash, forked)
        if tops != self._tops:
            self._tops = tops
            self._redraw(set(self._nodes))

    def set_hung(self, pods: Mapping[int, str]) -> None:
        """Which were stopped by us: by ordinal, the uid of the pod; one that was replaced goes on."""
        self._hung = dict(pods)
        self._redraw(self._nodes.keys() & self._hung.keys())

    def add_events(self, events: Iterable[Happened]) -> None:
        """What happened, or was counted again."""
        new = [each for each in events if self._events.get(each.uid) != each]
        if not new:
            return
        self._events.update((each.uid, each) for each in new)
        if len(self._events) > MAX_EVENTS:
            kept = sorted(self._events.values(), key=lambda each: (each.at, each.uid))[-MAX_EVENTS:]
            self._events = {each.uid: each for each in kept}
        self._tell("happened", EventsChange(self._name, new), None)

    def _is_current(self, ordinal: int) -> bool:
        """Whether the pod that answered is the one that there is."""
        pod = self._pods.get(ordinal)
        return pod is not None and pod.uid == self._answers[ordinal].uid

    def _redraw(self, ordinals: Iterable[int]) -> None:
        """Tell what is new of these nodes."""
        changed: list[Node] = []
        links: list[Link] = []
        gone: list[int] = []
        for ordinal in sorted(ordinals):
            node = self._drawn(ordinal)
            if node is None:
                self._links.pop(ordinal, None)
                if self._nodes.pop(ordinal, None) is not None:
                    gone.append(ordinal)
                continue
            from_here = tuple(links_of(ordinal, self._answers.get(ordinal) if node.address else None, self._ordinals))
            if not _is_same(self._nodes.get(ordinal), node) or from_here != self._links.get(ordinal, ()):
                changed.append(node)
                links += from_here
            self._nodes[ordinal], self._links[ordinal] = node, from_here
        if changed or gone:
            self._tell("nodes", NodesChange(self._name, changed, links, gone), None)

    def _drawn(self, ordinal: int) -> Node | None:
        pod = self._pods.get(ordinal)
        if pod is None and ordinal >= self._wanted:
            return None
        name = f"{stateful_set_name(self.key.name)}-{ordinal}" if pod is None else pod.name
        answer, status = self._answers.get(ordinal), self._statuses.get(ordinal)
        group, is_hung = self._groups.get(ordinal, -1), pod is not None and self._hung.get(ordinal) == pod.uid
        return node_of(ordinal, name, pod, answer, status, self._tops, group=group, is_hung=is_hung)


def _address_of(pod: PodFacts | None) -> str:
    return canonical(pod.address) if pod is not None and is_bare(pod.address) else ""


def _is_same(before: Node | None, now: Node) -> bool:
    """Whether a page would show the same: that a node has answered again is no news."""
    if before is None:
        return False
    return msgspec.structs.replace(before, answered_at=now.answered_at) == now
