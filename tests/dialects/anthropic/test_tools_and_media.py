"""Tools and media on their way to Anthropic."""

import base64

import pytest

from setu.chat.parts import Blocks, Inline, Media, Plain, Ref, Text, Url
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool, Thinking, ToolChoice
from setu.chat.seals import CacheMark
from setu.dialects.record import Target
from setu.errors import LocalDialectError
from tests.dialects.anthropic.wire import UPSTREAM, render, sent, user

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


def test_anthropics_own_hosted_tool_goes_back_whole() -> None:
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
def test_the_choice_in_anthropics_words(choice, parallel, written) -> None:
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
def test_an_image_is_labelled_as_what_it_is(b64, mime, written) -> None:
    block = only_block(media(Inline(b64=b64, mime=mime)))

    assert block == {"type": "image", "source": {"type": "base64", "media_type": written, "data": b64}}


def test_a_pdf_is_a_document_even_if_it_came_as_an_image():  # B-MED-07
    block = only_block(media(Inline(b64="JVBERi0xLjQK", mime="application/pdf"), name="a.pdf"))

    assert block == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"},
        "title": "a.pdf",
    }


def test_a_text_file_is_a_document_of_its_text() -> None:
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
def test_a_document_in_every_form(source, written) -> None:
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
def test_media_that_anthropic_cannot_take_are_refused_by_place(source, kind) -> None:
    message = user("look", Media(kind=kind, source=source))

    with pytest.raises(LocalDialectError) as caught:
        render(ChatRequest(model="m", messages=(message,)))

    assert caught.value.param == "messages[0].content[1]"


def test_the_detail_of_an_image_is_noted_as_lost() -> None:
    _, losses = render(ChatRequest(model="m", messages=(media(Url(url="https://x/y"), detail="low"),)))

    assert [(loss.pointer, loss.severity) for loss in losses] == [("/messages/0/content/0", "info")]
