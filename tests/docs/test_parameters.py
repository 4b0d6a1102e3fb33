"""Every field of a request is in exactly one class on every target, alone and among others; the page says which."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.docs.fields import BASES, FIELDS, Body, Field, fragment, merged
from tests.docs.parameters import CLIENTS, PAGE, PAIRS, TARGETS, Attempt, attempt, outcome, page, probe
from tests.docs.sdk_fields import sdk_fields

CASES = [
    pytest.param(client, at, choice, id=f"{client}-{field.name}-{choice}")
    for client in CLIENTS
    for at, field in enumerate(FIELDS[client])
    for choice in range(len(field.values))
]


BEYOND_THE_SDK = {
    "openai_chat": {"reasoning", "thinking", "top_k"},  # OpenRouter's, DeepSeek's and most compatible hosts'
    "anthropic": {"output_format", "temperature", "top_k", "top_p"},  # an older beta's; what models before 4.7 take
}


def test_every_dialect_that_a_client_may_speak_has_its_fields() -> None:
    assert set(CLIENTS) == FIELDS.keys() == BASES.keys()
    assert len(PAIRS) == len(CLIENTS) * (len(TARGETS) - 1)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_option_that_the_vendors_package_knows_is_tried(client: str) -> None:
    """The list is the package's own, so an option that a new version adds fails here until it has its class."""
    tried = {name for field in FIELDS[client] for value in field.values for name in _said(field.name, value)}

    assert sdk_fields(client) - tried == set()


@pytest.mark.parametrize("client", CLIENTS)
def test_the_options_that_only_we_know_are_documented_elsewhere(client: str) -> None:
    """Every other field of the list is an extension that its provider documents; no name is left over or misspelt."""
    known = {_top(name) for name in sdk_fields(client)}

    assert {_top(field.name) for field in FIELDS[client]} - known == BEYOND_THE_SDK.get(client, set())


def _said(name: str, value: Any) -> list[str]:
    """Name a field and, where its value is an object, what that holds."""
    inner = value if isinstance(value, dict) else {}
    steps = name.split(".")
    return [*(".".join(steps[: at + 1]) for at in range(len(steps))), *(f"{name}.{key}" for key in inner)]


@pytest.mark.parametrize(("client", "at", "choice"), CASES)
def test_no_field_is_dropped_in_silence(client: str, at: int, choice: int) -> None:
    silent = [target for target in TARGETS if target != client and probe(client, target, at, choice).kind == "silent"]

    assert silent == []


@pytest.mark.parametrize(("client", "at", "choice"), CASES)
def test_a_loss_or_a_refusal_names_the_field_as_the_client_wrote_it(client: str, at: int, choice: int) -> None:
    """A group is one wish in several spellings (`reasoning`, `reasoning_effort`): a loss may name another of them."""
    field = FIELDS[client][at]
    base = merged(BASES[client], field.beside)
    tops = {_top(other.name) for other in FIELDS[client] if other.group == field.group} | {_top(field.name)}
    for target in TARGETS:
        if target == client:
            continue
        before = attempt(client, target, base)
        after = attempt(client, target, merged(base, fragment(field.name, field.values[choice])))
        if after.error is not None:
            assert _top(after.error.param or "") in tops, target
        else:
            named = {loss.pointer.split("/")[1] for loss in after.losses - before.losses}
            assert not named or named & tops, target


def _top(name: str) -> str:
    return name.partition(".")[0].partition("[")[0]


@st.composite
def requests(draw: st.DrawFn, client: str) -> tuple[Body, list[tuple[Field, Any]]]:
    """A request with several fields, at most one of a group."""
    chosen: dict[str, tuple[Field, Any]] = {}
    for field in draw(st.lists(st.sampled_from(FIELDS[client]), min_size=1, max_size=6)):
        chosen.setdefault(field.group, (field, draw(st.sampled_from(field.values))))
    body = BASES[client]
    for field, _ in chosen.values():
        body = merged(body, field.beside)
    return body, list(chosen.values())


@pytest.mark.parametrize(("client", "target"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
@given(data=st.data())
@settings(max_examples=25)
def test_each_field_of_any_request_is_in_exactly_one_class(client: str, target: str, data: st.DataObject) -> None:
    """Mapped, dropped with a signal or refused: what a field did is the difference that leaving it out makes."""
    base, chosen = data.draw(requests(client))
    whole = base
    for field, value in chosen:
        whole = merged(whole, fragment(field.name, value))
    after = attempt(client, target, whole)
    if after.error is not None:
        tops = {_top(field.name) for field, _ in chosen} | {_top(name) for field, _ in chosen for name in field.beside}
        assert _top(after.error.param or "") in tops
        return
    for left, value in chosen:
        rest = base
        for field, other in chosen:
            if field is not left:
                rest = merged(rest, fragment(field.name, other))
        before = attempt(client, target, rest)
        if before.error is None and rest != whole:  # another field may need the very same beside it
            found = outcome(target, left, value, before, after).kind
            assert found != "silent" or _is_told(left, after), (left.name, value)


def _is_told(field: Field, after: Attempt) -> bool:
    """Say whether a loss names the field or what it is part of: what is dropped whole is not told member by member."""
    path = "/" + field.name.replace(".", "/")
    return any(path == loss.pointer or path.startswith(loss.pointer + "/") for loss in after.losses)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.docs.parameters"
