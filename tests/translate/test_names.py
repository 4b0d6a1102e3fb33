"""Tool names that a target does not take travel under another name, there and back."""

import re

from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.chat.ids import counter
from setu.chat.parts import ToolCall, ToolResult
from setu.chat.request import ChatRequest, FunctionTool, Message, ToolChoice
from setu.dialects.record import Reply, Route
from setu.dialects.registry import DIALECTS
from setu.framing.frame import Frame
from setu.translate.bridge import Bridge
from setu.translate.names import fit
from setu.translate.session import Destination, Fetched
from setu.translate.splice import Head

PATTERN = r"[a-zA-Z0-9_-]{1,64}"
BODY = {
    "contents": [{"role": "user", "parts": [{"text": "go"}]}],
    "tools": [{"functionDeclarations": [{"name": "files.read"}, {"name": "fine"}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["files.read"]}},
}


def bridge() -> Bridge:
    head = Head(body=_json.encode(BODY), model="m", stream=False)
    to = Destination(dialect=DIALECTS["openai_chat"], model="m")
    return Bridge(DIALECTS["gemini"], Route(dialect="gemini", operation="chat", model="m"), head, to)


def reply() -> Reply:
    return Reply(model="m", id="id", created=1, mint=counter())


def test_an_unfit_name_is_changed_everywhere_and_declared() -> None:
    rendered = bridge().render(Fetched())
    body = _json.decode(rendered.body)

    names = [tool["function"]["name"] for tool in body["tools"]]
    assert names[1] == "fine"
    assert re.fullmatch(PATTERN, names[0])
    assert body["tool_choice"]["function"]["name"] == names[0]
    assert "/tools" in [loss.pointer for loss in rendered.losses]


def test_the_client_hears_its_own_name_plain_and_streamed() -> None:
    one = bridge()
    (name, _) = [tool["function"]["name"] for tool in _json.decode(one.render(Fetched()).body)["tools"]]
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
    choice = {"index": 0, "finish_reason": "tool_calls"}
    plain = _json.encode({"choices": [{**choice, "message": {"role": "assistant", "tool_calls": [call]}}]})
    chunk = Frame(data=_json.encode({"choices": [{**choice, "delta": {"tool_calls": [call]}}]}))

    stream = one.stream(reply())
    frames = [*stream.feed(chunk), *stream.close()]

    assert b'"name":"files.read"' in one.response(plain, reply()).body
    assert any(b'"name":"files.read"' in (frame.data or b"") for frame in frames)


def test_fitting_names_leave_the_request_alone() -> None:
    request = ChatRequest(model="m", messages=(), tools=(FunctionTool(name="fine"),))

    assert fit(request, PATTERN) == (request, {})
    assert fit(request, None) == (request, {})


@given(st.lists(st.text(max_size=80), min_size=1, max_size=4, unique=True))
def test_names_fit_and_stay_apart(names: list[str]) -> None:
    calls = tuple(ToolCall(call_id=f"c{n}", name=name, arguments="{}") for n, name in enumerate(names))
    results = tuple(ToolResult(call_id=f"c{n}", name=name, content=()) for n, name in enumerate(names))
    request = ChatRequest(
        model="m",
        messages=(Message(role="assistant", parts=calls), Message(role="user", parts=results)),
        tools=tuple(FunctionTool(name=name) for name in names if name),
        tool_choice=ToolChoice(mode="named", names=(names[0],)),
    )

    fitted, back = fit(request, PATTERN)

    made = [part.name for part in fitted.messages[0].parts if isinstance(part, ToolCall)]
    assert len(set(made)) == len(names)
    assert [back.get(name, name) for name in made] == names
    assert all(re.fullmatch(PATTERN, name) for name in made if name)
    assert [part.name for part in fitted.messages[1].parts if isinstance(part, ToolResult)] == made
