"""Tools, media and settings on their way to Anthropic."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.parts import Blocks, Inline, Media, Plain, Reasoning, Ref, Text, Url
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool, Options, Output, Thinking, ToolChoice
from setu.chat.seals import CacheMark, Extra, Seal
from setu.dialects.anthropic.options import BUDGET_OF_EFFORT, effort_of
from setu.dialects.record import Target
from setu.errors import LocalDialectError
from tests.dialects.anthropic.test_render_request import answered, called
from tests.dialects.anthropic.wire import UPSTREAM, assistant, render, sent, user

TOOL = FunctionTool(name="f", schema=b'{"type":"object"}')
OTHER = FunctionTool(name="g", schema=b'{"type":"object"}')
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n0000").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"0" * 12).decode()


def asked(**members):
    return ChatRequest(model="m", messages=(user("Hi"),), **members)


def media(source, kind="image", **members):
    return user(Media(kind=kind, source=source, **members))


def only_block(message, **facts):
    return render(ChatRequest(model="m", messages=(message,)), **facts)[0]["messages"][0]["content"][0]


def test_a_tools_schema_goes_out_byte_for_byte():  # B-TOOL-28, P12
    schema = b'{ "type":"object", "properties":{"z":{"const":1.10},"a":{"minimum":12345678901234567890}} }'
    tool = FunctionTool(name="f", description="d", schema=schema, strict=True, defer=True, cache=CacheMark())

    rendered = UPSTREAM.render_request(asked(tools=(tool,)), Target(model="claude"))

    assert b'"input_schema":' + schema in rendered.body
    written = sent(tools=(tool,))["tools"][0]
    assert {key: written[key] for key in ("strict", "defer_loading", "cache_control")} == {
        "strict": True,
        "defer_loading": True,
        "cache_control": {"type": "ephemeral"},
    }


def test_a_tool_without_parameters_gets_an_empty_object_schema():  # B-TOOL-13
    body = sent(tools=(FunctionTool(name="f"),))

    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]


def test_no_tools_and_no_choice_are_left_out():  # B-TOOL-10
    body = sent(tool_choice=ToolChoice(mode="none"), parallel=False)

    assert "tools" not in body
    assert "tool_choice" not in body


def test_anthropics_own_hosted_tool_goes_back_whole():
    config = b'{"type":"web_search_20250305","name":"web_search","max_uses":1}'
    tool = HostedTool(kind="web_search_20250305", dialect="anthropic", config=config, name="web_search")

    assert sent(tools=(tool,))["tools"] == [{"type": "web_search_20250305", "name": "web_search", "max_uses": 1}]


@pytest.mark.parametrize("kind", ["googleSearch", "web_search_preview"])
def test_another_hosts_web_search_becomes_anthropics_with_a_note(kind):  # B-TOOL-15
    body, losses = render(asked(tools=(HostedTool(kind=kind, dialect="gemini", config=b"{}"),)))

    assert body["tools"] == [{"type": "web_search_20250305", "name": "web_search"}]
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/tools/0", "warn")]


@pytest.mark.parametrize(
    "tool",
    [CustomTool(name="shell"), HostedTool(kind="codeExecution", dialect="gemini", config=b"{}")],
    ids=["custom", "hosted elsewhere"],
)
def test_a_tool_that_anthropic_does_not_have_is_refused_by_name(tool):  # B-TOOL-15
    with pytest.raises(LocalDialectError) as caught:
        sent(tools=(TOOL, tool))

    assert caught.value.param == "tools[1]"
    assert (tool.name or "codeExecution") in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),  # B-TOOL-16
        (ToolChoice(mode="auto"), None, {"type": "auto"}),
        (ToolChoice(mode="none"), False, {"type": "none"}),  # B-TOOL-17
        (ToolChoice(mode="required"), True, {"type": "any", "disable_parallel_tool_use": False}),  # B-TOOL-19
        (ToolChoice(mode="named", names=("f",)), None, {"type": "tool", "name": "f"}),  # B-TOOL-18
    ],
    ids=["nothing", "parallel", "one at a time", "auto", "none", "required", "named"],
)
def test_the_choice_in_anthropics_words(choice, parallel, written):
    body = sent(tools=(TOOL,), tool_choice=choice, parallel=parallel)

    assert body.get("tool_choice") == written


def test_allowed_tools_are_the_only_ones_offered():  # B-TOOL-20
    body = sent(tools=(TOOL, OTHER), tool_choice=ToolChoice(mode="allowed", names=("g",), must=True))

    assert [tool["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize("mode", ["named", "allowed"])
def test_a_choice_of_a_tool_that_is_not_there_is_refused(mode):  # B-TOOL-20
    with pytest.raises(LocalDialectError) as caught:
        sent(tools=(TOOL,), tool_choice=ToolChoice(mode=mode, names=("h",)))

    assert caught.value.param == "tool_choice"


def test_a_forced_tool_gives_way_to_thinking():  # B-TOOL-21
    wanted = asked(tools=(TOOL,), tool_choice=ToolChoice(mode="required"), thinking=Thinking(mode="on", budget=2000))

    body, losses = render(wanted)

    assert body["tool_choice"] == {"type": "auto"}
    assert [loss.pointer for loss in losses] == ["/tool_choice"]


@pytest.mark.parametrize(
    ("b64", "mime", "written"),
    [
        (PNG, "image/png", "image/png"),
        (JPEG, "image/png", "image/jpeg"),  # B-MED-01
        ("QUJD", "image/jpg", "image/jpeg"),  # B-MED-02
        ("QUJD", "IMAGE/WEBP; q=1", "image/webp"),
    ],
    ids=["right", "mislabelled", "alias", "parameters"],
)
def test_an_image_is_labelled_as_what_it_is(b64, mime, written):
    block = only_block(media(Inline(b64=b64, mime=mime)))

    assert block == {"type": "image", "source": {"type": "base64", "media_type": written, "data": b64}}


def test_a_pdf_is_a_document_even_if_it_came_as_an_image():  # B-MED-07
    block = only_block(media(Inline(b64="JVBERi0xLjQK", mime="application/pdf"), name="a.pdf"))

    assert block == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"},
        "title": "a.pdf",
    }


def test_a_text_file_is_a_document_of_its_text():
    source = Inline(b64=base64.b64encode("wörter".encode()).decode(), mime="text/markdown")

    assert only_block(media(source, kind="document"))["source"] == {
        "type": "text",
        "media_type": "text/plain",
        "data": "wörter",
    }


@pytest.mark.parametrize(
    ("source", "written"),
    [
        (Url(url="https://x/a.pdf"), {"type": "url", "url": "https://x/a.pdf"}),
        (Ref(issuer="anthropic", id="file_1"), {"type": "file", "file_id": "file_1"}),
        (Plain(text="w"), {"type": "text", "media_type": "text/plain", "data": "w"}),
        (Blocks(parts=(Text(text="w"),)), {"type": "content", "content": [{"type": "text", "text": "w"}]}),
    ],
    ids=["url", "file", "text", "blocks"],
)
def test_a_document_in_every_form(source, written):
    block = only_block(media(source, kind="document", cited=True, context="C"))

    assert block == {"type": "document", "source": written, "context": "C", "citations": {"enabled": True}}


def test_a_url_that_was_fetched_goes_out_as_its_bytes():  # B-MED-03
    fetched = {"gs://bucket/a.png": Inline(b64=PNG, mime="image/png")}

    assert only_block(media(Url(url="gs://bucket/a.png")), media=fetched)["source"]["data"] == PNG


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (Inline(b64="AAAA", mime="audio/wav"), "audio"),  # B-MED-05
        (Url(url="https://x/film.mp4"), "video"),
        (Inline(b64="PHN2Zz4=", mime="image/svg+xml"), "image"),  # B-MED-02
        (Inline(b64="UEsDBA==", mime="application/vnd.ms-excel"), "document"),
        (Url(url="gs://bucket/a.png"), "image"),  # B-MED-03
        (Ref(issuer="gemini", id="files/1"), "document"),
        (Inline(b64="A", mime="text/plain"), "document"),
    ],
    ids=["audio", "video", "svg", "xls", "gs", "foreign file", "no base64"],
)
def test_media_that_anthropic_cannot_take_are_refused_by_place(source, kind):
    message = user("look", Media(kind=kind, source=source))

    with pytest.raises(LocalDialectError) as caught:
        render(ChatRequest(model="m", messages=(message,)))

    assert caught.value.param == "messages[0].content[1]"


def test_the_detail_of_an_image_is_noted_as_lost():
    _, losses = render(ChatRequest(model="m", messages=(media(Url(url="https://x/y"), detail="low"),)))

    assert [(loss.pointer, loss.severity) for loss in losses] == [("/messages/0/content/0", "info")]


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


def test_thinking_drops_the_samplers_it_does_not_go_with():
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
    telling = Options(n=2, seed=1, frequency_penalty=0.5, logprobs=True)

    assert render(asked(options=neutral))[1] == ()
    assert {loss.pointer for loss in render(asked(options=telling))[1]} == {
        "/n",
        "/seed",
        "/frequency_penalty",
        "/logprobs",
    }


def test_the_user_becomes_metadata_and_joins_what_else_is_there():
    extra = Extra(dialect="anthropic", members={"metadata": b'{"more":1}'})

    assert sent(options=Options(user="u"), extra=extra)["metadata"] == {"user_id": "u", "more": 1}


@pytest.mark.parametrize(
    ("tier", "written", "lost"),
    [("auto", "auto", 0), ("standard_only", "standard_only", 0), ("default", "standard_only", 0), ("flex", None, 1)],
)
def test_a_service_tier_is_one_that_anthropic_has(tier, written, lost):
    body, losses = render(asked(options=Options(service_tier=tier)))

    assert body.get("service_tier") == written
    assert len(losses) == lost


def test_a_schema_for_the_answer_goes_out_byte_for_byte():
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
def test_thinking_in_the_form_that_the_model_takes(thinking, facts, written):
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


def test_the_default_of_max_tokens_leaves_room_beside_the_thinking():
    body = sent(thinking=Thinking(mode="on", budget=10000))

    assert body["max_tokens"] == 10000 + 4096


@given(st.integers(1, 10**6))
def test_a_budgets_effort_is_the_nearest_not_above_it(budget):
    effort = effort_of(budget)

    assert BUDGET_OF_EFFORT[effort] <= budget or effort == "minimal"
    assert all(other <= BUDGET_OF_EFFORT[effort] or other > budget for other in BUDGET_OF_EFFORT.values())


def test_thinking_rests_for_a_tool_turn_that_lost_its_signed_thinking():  # B-THK-07
    conversation = (user("?"), called("t1"), answered("t1"))

    body, losses = render(ChatRequest(model="m", messages=conversation, thinking=Thinking(mode="on", budget=2000)))

    assert "thinking" not in body
    assert [loss.pointer for loss in losses] == ["/thinking"]


def test_thinking_goes_on_where_the_tool_turn_kept_its_signed_thinking():  # B-THK-07
    signed = Reasoning(text=("hm",), seal=Seal(issuer="anthropic", kind="signature", data="s"))
    conversation = (user("?"), assistant(signed, *called("t1").parts), answered("t1"))

    assert sent(*conversation, thinking=Thinking(mode="on", budget=2000))["thinking"]["type"] == "enabled"


def test_streaming_is_asked_for_only_when_wanted():
    assert sent(stream=True)["stream"] is True
    assert "stream" not in sent()


def test_anthropics_own_members_go_back():
    members = {"mcp_servers": b'[{"url":"x"}]', "output_config": b'{"task_budget":{"total":1}}'}

    body = sent(extra=Extra(dialect="anthropic", members=members), thinking=Thinking(effort="low"))

    assert body["mcp_servers"] == [{"url": "x"}]
    assert body["output_config"] == {"effort": "low", "task_budget": {"total": 1}}


def test_a_fraction_of_top_k_becomes_an_integer():
    assert sent(options=Options(top_k=40.0))["top_k"] == 40


def test_a_namespace_is_noted_as_lost():
    _, losses = render(asked(tools=(FunctionTool(name="f", namespace="crm"),)))

    assert [(loss.pointer, loss.severity) for loss in losses] == [("/tools/0", "info")]
