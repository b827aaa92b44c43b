import typing
from pathlib import Path

import msgspec

from btcctl import codecs
from btcctl.bitcoin.view import insides, model, orders
from btcctl.bitcoin.view.model import State

SAMPLE = Path(__file__).with_name("sample.json")


def sample() -> State:
    return codecs.decode(SAMPLE.read_bytes(), State)


def test_the_sample_is_what_the_server_would_send():
    assert codecs.decode(codecs.encode(sample())) == codecs.decode(SAMPLE.read_bytes())


def seen_values(value: object, found: dict[str, set[str]]) -> dict[str, set[str]]:
    """By name of the struct: its fields that have another value than their default somewhere."""
    if isinstance(value, list):
        for each in value:
            seen_values(each, found)
    elif isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            held = getattr(value, field.name)
            if held != field.default:
                found.setdefault(type(value).__name__, set()).add(field.name)
            seen_values(held, found)
    return found


def test_the_sample_has_every_field_of_everything_that_a_snapshot_holds():
    found = seen_values(sample(), {})
    missing = {
        f"{name}.{field}"
        for name, type_ in {**vars(model), **vars(insides), **vars(orders)}.items()
        if isinstance(type_, type) and issubclass(type_, msgspec.Struct) and name in found
        for field in type_.__struct_fields__
        if field not in found[name]
    }
    assert missing == {"About.rpc_problem", "Controller.why_not", "State.problem"}


def literals(type_: object) -> set[str]:
    args = typing.get_args(type_)
    return {str(each) for each in args} if typing.get_origin(type_) is typing.Literal else set()


def test_the_sample_shows_every_health_every_state_of_a_node_and_every_stage():
    state = sample()
    assert state.network is not None
    assert {each.health for each in state.networks} == literals(model.Health)
    assert {each.state for each in state.network.nodes} == literals(model.NodeState) - {"ready"}
    assert {each.stage for each in state.controller.steps} == literals(insides.Stage)


def test_every_event_that_the_page_is_told_of_has_its_struct():
    table = [line.split("|")[2].strip(" `") for line in (model.__doc__ or "").splitlines() if line.startswith("| `")]
    assert table
    assert all(isinstance(getattr(model, name), type) for name in table)
