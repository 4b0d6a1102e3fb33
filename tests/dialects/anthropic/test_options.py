"""Settings on their way to Anthropic: scalars, thinking, structured output."""

import pytest

from setu.chat.parts import Reasoning
from setu.chat.request import ChatRequest, FunctionTool, Options, Output, Thinking
from setu.chat.seals import Extra, Seal
from setu.dialects.record import Target
from setu.errors import LocalDialectError
from tests.dialects.anthropic.test_render_request import answered, called
from tests.dialects.anthropic.wire import UPSTREAM, assistant, render, sent, user


def asked(**members):
    return ChatRequest(model="m", messages=(user("Hi"),), **members)


@pytest.mark.parametrize(
    ("options", "facts", "written", "lost"),
    [
        (Options(), {}, 4096, 0),  # P17
        (Options(max_tokens=None), {"max_output": 64000}, 64000, 0),
        (Options(max_tokens=7), {"max_output": 64000}, 7, 0),
        (Options(max_tokens=70000), {"max_output": 64000}, 64000, 1),
    ],
    ids=["unknown model", "cap of the model", "asked", "asked too much"],
)
def test_max_tokens_is_always_there(options, facts, written, lost):  # B-PRM-05
    body, losses = render(asked(options=options), **facts)

    assert body["max_tokens"] == written
    assert len(losses) == lost


def test_a_temperature_above_one_is_clamped_with_a_note():  # P16
    body, losses = render(asked(options=Options(temperature=1.7)))

    assert body["temperature"] == 1
    assert [loss.pointer for loss in losses] == ["/temperature"]


def test_zero_is_a_value():  # B-PRM-01
    body = sent(options=Options(temperature=0.0, top_k=0))

    assert (body["temperature"], body["top_k"]) == (0, 0)


@pytest.mark.parametrize(
    ("sampling", "kept"),
    [(None, ["temperature"]), ("one", ["temperature"]), ("both", ["temperature", "top_p"]), ("none", [])],
)
def test_the_model_decides_how_many_samplers_may_stand(sampling, kept):  # B-PRM-06
    body, losses = render(asked(options=Options(temperature=0.5, top_p=0.9)), sampling=sampling)

    assert [name for name in ("temperature", "top_p") if name in body] == kept
    assert len(losses) == 2 - len(kept)


def test_thinking_drops_the_samplers_it_does_not_go_with() -> None:
    options = Options(temperature=0.5, top_p=0.9, top_k=5)

    body, losses = render(asked(options=options, thinking=Thinking(mode="on", budget=2000)))

    assert {"temperature", "top_p", "top_k"} & body.keys() == set()
    assert {loss.pointer for loss in losses} == {"/temperature", "/top_p", "/top_k"}


@pytest.mark.parametrize(
    ("stop", "written", "lost"), [(("END", "\n"), ["END"], 1), (("\n",), None, 1), (("END",), ["END"], 0)]
)
def test_stop_sequences_of_nothing_but_space_are_dropped_with_a_note(stop, written, lost):  # B-PRM-02, B-PRM-04
    body, losses = render(asked(options=Options(stop=stop)))

    assert body.get("stop_sequences") == written
    assert len(losses) == lost


def test_what_has_no_row_is_lost_by_name_and_what_changes_nothing_in_silence():  # B-PRM-07, P15
    neutral = Options(n=1, frequency_penalty=0.0, presence_penalty=0.0, logprobs=False)
    telling = Options(seed=1, frequency_penalty=0.5, logprobs=True)

    assert render(asked(options=neutral))[1] == ()
    assert {loss.pointer for loss in render(asked(options=telling))[1]} == {
        "/seed",
        "/frequency_penalty",
        "/logprobs",
    }


def test_more_answers_than_one_are_refused():  # B-PRM-07, CHAT-005
    with pytest.raises(LocalDialectError) as caught:
        render(asked(options=Options(n=2)))

    assert caught.value.param == "n"


def test_the_safety_identifier_stands_for_a_user_that_was_not_named() -> None:
    assert sent(options=Options(safety_identifier="s"))["metadata"] == {"user_id": "s"}
    body, losses = render(asked(options=Options(safety_identifier="s", user="u")))
    assert body["metadata"] == {"user_id": "u"}
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/safety_identifier", "info")]


def test_the_user_becomes_metadata_and_joins_what_else_is_there() -> None:
    extra = Extra(dialect="anthropic", members={"metadata": b'{"more":1}'})

    assert sent(options=Options(user="u"), extra=extra)["metadata"] == {"user_id": "u", "more": 1}


@pytest.mark.parametrize(
    ("tier", "written", "lost"),
    [("auto", "auto", 0), ("standard_only", "standard_only", 0), ("default", "standard_only", 0), ("flex", None, 1)],
)
def test_a_service_tier_is_one_that_anthropic_has(tier, written, lost) -> None:
    body, losses = render(asked(options=Options(service_tier=tier)))

    assert body.get("service_tier") == written
    assert len(losses) == lost


def test_a_schema_for_the_answer_goes_out_byte_for_byte() -> None:
    schema = b'{ "type":"object","properties":{"n":{"const":1.10}} }'
    wanted = asked(output=Output(kind="schema", name="x", schema=schema))

    rendered = UPSTREAM.render_request(wanted, Target(model="claude"))

    assert b'"output_config":{"format":{"type":"json_schema","schema":' + schema + b"}}" in rendered.body


def test_json_without_a_schema_is_refused():  # B-SCH-20
    with pytest.raises(LocalDialectError):
        sent(output=Output(kind="json"))


ENABLED = {"type": "enabled", "budget_tokens": 2048}


@pytest.mark.parametrize(
    ("thinking", "facts", "written"),
    [
        (Thinking(mode="on", budget=2048), {}, {"thinking": ENABLED}),
        (Thinking(effort="low"), {}, {"output_config": {"effort": "low"}}),
        (Thinking(effort="low"), {"thinking": "budget"}, {"thinking": ENABLED}),
        (Thinking(mode="on"), {"thinking": "budget"}, {"thinking": ENABLED | {"budget_tokens": 8192}}),
        (Thinking(mode="on", budget=-1), {"thinking": "budget"}, {"thinking": ENABLED | {"budget_tokens": 8192}}),
        (
            Thinking(effort="low"),
            {"thinking": "adaptive"},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        (
            Thinking(mode="on", budget=20000, show="summary"),
            {"thinking": "adaptive"},
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"}},
        ),
        (Thinking(mode="adaptive"), {}, {"thinking": {"type": "adaptive"}}),
        (Thinking(mode="off"), {}, {"thinking": {"type": "disabled"}}),
        (Thinking(mode="off", effort="none"), {"thinking": "adaptive"}, {"thinking": {"type": "disabled"}}),
        (Thinking(mode="off"), {"thinking": "none"}, {}),
        (Thinking(mode="on", budget=2048, show="full"), {}, {"thinking": ENABLED}),
    ],
    ids=str,
)
def test_thinking_in_the_form_that_the_model_takes(thinking, facts, written) -> None:
    body = sent_to(facts, thinking=thinking)

    assert {key: body[key] for key in ("thinking", "output_config") if key in body} == written


def sent_to(facts, **members):
    body, losses = render(asked(**members), **facts)
    assert losses == ()
    return body


@pytest.mark.parametrize(
    ("thinking", "options", "facts", "written"),
    [
        (Thinking(mode="on", budget=9000), Options(max_tokens=4000), {}, ENABLED | {"budget_tokens": 2000}),
        (Thinking(mode="on", budget=9000), Options(max_tokens=1000), {}, None),
        (Thinking(mode="on", budget=100), Options(), {}, ENABLED | {"budget_tokens": 1024}),
        (Thinking(effort="high"), Options(), {"thinking": "none"}, None),
    ],
    ids=["above the cap", "no room", "too small", "no thinker"],
)
def test_a_budget_is_bent_below_max_tokens_whose_cap_stays(thinking, options, facts, written):  # B-PRM-13
    body, losses = render(asked(thinking=thinking, options=options), **facts)

    assert body.get("thinking") == written
    assert [loss.pointer for loss in losses] == ["/thinking"]
    assert body["max_tokens"] == (options.max_tokens or body["max_tokens"])


@pytest.mark.parametrize(
    ("effort", "efforts", "written"),
    [("minimal", (), "low"), ("xhigh", ("low", "medium", "high"), "high"), ("ultra", (), None)],
)
def test_an_effort_the_model_lacks_becomes_the_next_one_down_with_a_note(effort, efforts, written):  # B-PRM-12
    body, losses = render(asked(thinking=Thinking(effort=effort)), efforts=efforts)

    assert body.get("output_config", {}).get("effort") == written
    assert [loss.pointer for loss in losses] == ["/thinking"]


def test_the_default_of_max_tokens_leaves_room_beside_the_thinking() -> None:
    body = sent(thinking=Thinking(mode="on", budget=10000))

    assert body["max_tokens"] == 10000 + 4096


def test_thinking_rests_for_a_tool_turn_that_lost_its_signed_thinking():  # B-THK-07
    conversation = (user("?"), called("t1"), answered("t1"))

    body, losses = render(ChatRequest(model="m", messages=conversation, thinking=Thinking(mode="on", budget=2000)))

    assert "thinking" not in body
    assert [loss.pointer for loss in losses] == ["/thinking"]


def test_thinking_goes_on_where_the_tool_turn_kept_its_signed_thinking():  # B-THK-07
    signed = Reasoning(text=("hm",), seal=Seal(issuer="anthropic", kind="signature", data="s"))
    conversation = (user("?"), assistant(signed, *called("t1").parts), answered("t1"))

    assert sent(*conversation, thinking=Thinking(mode="on", budget=2000))["thinking"]["type"] == "enabled"


def test_streaming_is_asked_for_only_when_wanted() -> None:
    assert sent(stream=True)["stream"] is True
    assert "stream" not in sent()


def test_anthropics_own_members_go_back() -> None:
    members = {"mcp_servers": b'[{"url":"x"}]', "output_config": b'{"task_budget":{"total":1}}'}

    body = sent(extra=Extra(dialect="anthropic", members=members), thinking=Thinking(effort="low"))

    assert body["mcp_servers"] == [{"url": "x"}]
    assert body["output_config"] == {"effort": "low", "task_budget": {"total": 1}}


def test_a_fraction_of_top_k_becomes_an_integer() -> None:
    assert sent(options=Options(top_k=40.0))["top_k"] == 40


def test_a_namespace_is_noted_as_lost() -> None:
    _, losses = render(asked(tools=(FunctionTool(name="f", namespace="crm"),)))

    assert [(loss.pointer, loss.severity) for loss in losses] == [("/tools/0", "info")]


def test_a_budget_of_all_of_max_tokens_leaves_no_answer_and_is_bent():  # B-PRM-13
    body, _ = render(asked(thinking=Thinking(mode="on", budget=4000), options=Options(max_tokens=4000)))

    assert body["thinking"]["budget_tokens"] < body["max_tokens"]
