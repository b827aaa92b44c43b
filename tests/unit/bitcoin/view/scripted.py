"""A scene whose answers are given, for the server's tests."""

from __future__ import annotations

from btcctl.bitcoin.view.hub import Hub
from btcctl.bitcoin.view.model import Server, State
from btcctl.bitcoin.view.orders import LogTail, Order, Outcome


class ScriptedScene:
    """Shows `shown`; remembers what it was asked to do."""

    def __init__(self, shown: State | None = None) -> None:
        self.hub = Hub()
        self.shown = shown or State(1.0, Server("0", "test"))
        self.asked: list[tuple[str, Order]] = []
        self.outcome = Outcome(is_done=True, said="done", command="btcctl heal my-network")

    def state(self, network: str) -> State:
        return self.shown

    def act(self, action: str, order: Order) -> Outcome:
        self.asked.append((action, order))
        if action == "break":
            raise ZeroDivisionError("on purpose")
        return self.outcome

    def log(self, network: str, node: int, lines: int) -> LogTail:
        return LogTail([f"{network}/{node}", str(lines)])
