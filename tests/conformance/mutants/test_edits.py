"""The helpers that mutants are made of: each breaks what it says, and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.conformance.mutants import edits
from setu.conformance.mutants.edits import CHAT, MESSAGES, Json
from setu.conformance.mutants.mutant import Change
from setu.http import ByteStream, Headers, Request, Response
from tests.cuts import PLACES, cut

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text(max_size=4), JSON, max_size=4)
FRAMES = st.lists(
    st.one_of(
        DOCUMENTS.map(lambda made: b"data: " + json.dumps(made).encode() + b"\n\n"),
        st.sampled_from([b": ping\n\n", b"data: [DONE]\n\n", b"event: x\r\ndata: {}\r\n\r\n", b"data: cut", b"\n"]),
    ),
    max_size=6,
)
ANSWER = {"id": "a", "choices": [{"index": 0}, {"index": 1}]}


class Stream:
    """A body that comes in pieces, and notes that it was let go."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece

    async def aclose(self) -> None:
        self.closed = True


class Upstream:
    """Answers everything alike, and keeps what it was asked."""

    def __init__(self, body: bytes | ByteStream, status: int = 200, media: str = "application/json") -> None:
        self.body = body
        self.status = status
        self.media = media
        self.asked: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        return Response(self.status, Headers.of({"content-type": self.media}), self.body)

    async def aclose(self) -> None:
        self.closed = True


def ask(change: Change, upstream: Upstream, asked: Any = None, path: str = "/v1" + CHAT) -> Response:
    """Ask through a change, and read the whole answer."""

    async def main() -> Response:
        transport = change(upstream)
        request = Request(method="POST", path=path, body=b"{}" if asked is None else json.dumps(asked).encode())
        response = await transport.send(request)
        response.body = b"".join([chunk async for chunk in response.chunks()])
        await transport.aclose()
        return response

    return asyncio.run(main())


def answered(change: Change, document: Any = ANSWER, status: int = 200, **more: Any) -> Any:
    """Return the object that a change makes of an upstream's."""
    body = ask(change, Upstream(json.dumps(document).encode(), status), **more).body
    assert isinstance(body, bytes)
    return json.loads(body)


def streamed(change: Change, *pieces: bytes, asked: Any = None) -> bytes | ByteStream:
    return ask(change, Upstream(Stream(pieces), media="text/event-stream"), asked).body


def same(made: Json, _asked: Json) -> Json:
    return made


CHANGES_OF_NOTHING = {
    "plain": edits.plain(same),
    "failures": edits.failures(same),
    "requests": edits.requests(lambda asked: asked),
    "headers": edits.headers(lambda _fields: None),
    "status": edits.status(lambda status, _request: status),
    "answers": edits.answers(lambda _request, response: response),
    "refusals": edits.refusals(lambda _asked: False),
    "choices": edits.plain(edits.choices(lambda choice: choice)),
    "when": edits.plain(edits.when(lambda _asked: False, lambda _made, _asked: {})),
    "together": edits.together(edits.plain(same), edits.requests(lambda asked: asked)),
}


@pytest.mark.parametrize("name", CHANGES_OF_NOTHING)
@settings(max_examples=25, deadline=None)
@given(document=DOCUMENTS, asked=DOCUMENTS, status=st.sampled_from([200, 400, 500]))
def test_an_edit_that_changes_nothing_leaves_the_json(name: str, document: Json, asked: Json, status: int) -> None:
    upstream = Upstream(json.dumps(document).encode(), status)

    response = ask(CHANGES_OF_NOTHING[name], upstream, asked)

    sent = upstream.asked[0].body
    assert isinstance(response.body, bytes)
    assert isinstance(sent, bytes)
    assert (response.status, json.loads(response.body), json.loads(sent)) == (status, document, asked)


@settings(max_examples=50, deadline=None)
@given(frames=FRAMES, places=PLACES)
def test_frames_that_are_not_edited_pass_byte_for_byte(frames: list[bytes], places: list[int]) -> None:
    body = b"".join(frames)

    assert streamed(edits.frames(lambda frame, _asked: [frame]), *cut(body, places)) == body


@settings(max_examples=50, deadline=None)
@given(events=st.lists(DOCUMENTS, max_size=4), places=PLACES)
def test_events_that_are_not_edited_keep_their_json(events: list[Json], places: list[int]) -> None:
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)

    made = streamed(edits.events(edits.each(same)), *cut(body, places))

    assert isinstance(made, bytes)
    assert [json.loads(line[6:]) for line in made.split(b"\n\n") if line] == events


def test_only_successes_of_the_path_are_edited() -> None:
    change = edits.plain(edits.drop("/id"))

    assert "id" not in answered(change)
    assert "id" in answered(change, status=400)
    assert "id" in answered(change, path="/v1" + MESSAGES)


def test_failures_are_edited_and_successes_are_not() -> None:
    change = edits.failures(edits.put("/id", "b"))

    assert answered(change, status=429)["id"] == "b"
    assert answered(change)["id"] == "a"


def test_an_edit_may_answer_bytes_or_another_value() -> None:
    assert answered(edits.plain(lambda made, _asked: [made["id"]])) == ["a"]
    assert answered(edits.plain(lambda _made, _asked: b"1")) == 1


def test_what_is_no_object_passes() -> None:
    assert answered(edits.plain(lambda _made, _asked: {}), ["a"]) == ["a"]


def test_a_stream_is_no_plain_answer() -> None:
    body = b'data: {"id":"a"}\n\n'

    assert streamed(edits.plain(edits.drop("/id")), body) == body


def test_events_are_edited_and_the_end_mark_passes() -> None:
    body = b': hi\n\nevent: x\ndata: {"id":"a"}\n\ndata: [DONE]\n\n'

    made = streamed(edits.events(edits.each(edits.put("/id", "b"))), body)

    assert made == b': hi\n\nevent: x\ndata: {"id":"b"}\n\ndata: [DONE]\n\n'


def test_an_event_may_become_several_bytes_or_none() -> None:
    body = b'data: {"id":"a"}\n\ndata: {"id":"b"}\n\n'

    made = streamed(edits.events(lambda event, _asked: [event, b"x\n\n"] if event["id"] == "a" else []), body)

    assert made == b'data: {"id":"a"}\n\nx\n\n'


def test_something_may_be_added_to_a_streams_end() -> None:
    change = edits.frames(lambda frame, _asked: [frame], at_end=lambda asked: asked["model"].encode())

    assert streamed(change, b"data: {}\n\n", asked={"model": "m"}) == b"data: {}\n\nm"


def test_a_stream_that_is_left_is_let_go() -> None:
    source = Stream([b"data: {}\n\n"])

    async def main() -> None:
        change = edits.frames(lambda frame, _asked: [frame])
        request = Request(method="POST", path="/v1" + CHAT, body=b"{}")
        response = await change(Upstream(source, media="text/event-stream")).send(request)
        await response.aclose()

    asyncio.run(main())

    assert source.closed


def test_requests_are_edited_before_they_go_on() -> None:
    upstream = Upstream(b"{}")

    ask(edits.requests(lambda asked: {**asked, "n": 1}, CHAT), upstream, {"model": "m"})
    ask(edits.requests(lambda asked: {**asked, "n": 1}, MESSAGES), upstream, {"model": "m"})

    assert [json.loads(bytes(one.body)) for one in upstream.asked if isinstance(one.body, bytes)] == [
        {"model": "m", "n": 1},
        {"model": "m"},
    ]


def test_a_refusal_asks_nobody() -> None:
    upstream = Upstream(b"{}")

    response = ask(edits.refusals(lambda asked: "n" in asked, 500), upstream, {"n": 2})

    assert isinstance(response.body, bytes)
    assert (response.status, upstream.asked) == (500, [])
    assert set(json.loads(response.body)["error"]) == {"message", "type", "param", "code"}
    assert ask(edits.refusals(lambda asked: "n" in asked), upstream, {"m": 2}).status == 200


def test_changes_are_made_one_in_front_of_the_other() -> None:
    change = edits.together(edits.plain(edits.put("/id", "b")), edits.plain(lambda made, _asked: made["id"]))

    assert answered(change) == "b"


def test_everything_is_closed_behind_a_change() -> None:
    for change in CHANGES_OF_NOTHING.values():
        upstream = Upstream(b"{}")
        ask(change, upstream)

        assert upstream.closed


@pytest.mark.parametrize(
    ("pointer", "made"),
    [
        ("/id", {"id": "x", "choices": [{"index": 0}, {"index": 1}]}),
        ("/new", {"id": "a", "new": "x", "choices": [{"index": 0}, {"index": 1}]}),
        ("/choices/1/index", {"id": "a", "choices": [{"index": 0}, {"index": "x"}]}),
        ("/choices/1", {"id": "a", "choices": [{"index": 0}, "x"]}),
        ("/choices/7/index", ANSWER),
        ("/nothing/here", ANSWER),
    ],
)
def test_a_member_is_put_where_there_is_a_place(pointer: str, made: Json) -> None:
    assert answered(edits.plain(edits.put(pointer, "x"))) == made


def test_a_member_that_is_not_there_is_not_dropped() -> None:
    assert answered(edits.plain(edits.drop("/choices/0/index")))["choices"] == [{}, {"index": 1}]
    assert answered(edits.plain(edits.drop("/choices/9/index"))) == ANSWER


def test_a_choice_may_be_taken_away() -> None:
    change = edits.plain(edits.choices(lambda choice: choice if choice["index"] else None))

    assert answered(change)["choices"] == [{"index": 1}]
    assert answered(change, {"id": "a"}) == {"id": "a"}


def test_an_edit_is_made_only_for_what_it_is_about() -> None:
    change = edits.plain(edits.when(lambda asked: asked.get("n") == 2, edits.drop("/id")))

    assert "id" not in answered(change, asked={"n": 2})
    assert "id" in answered(change, asked={"n": 1})


def test_header_fields_and_the_status_are_edited() -> None:
    change = edits.together(
        edits.headers(lambda fields: fields.set("x-request-id", "r"), CHAT), edits.status(lambda status, _: status + 1)
    )

    response = ask(change, Upstream(b"{}"))

    assert (response.status, response.headers.get("x-request-id")) == (201, "r")
    assert ask(change, Upstream(b"{}"), path="/v1/models").headers.get("x-request-id") is None
