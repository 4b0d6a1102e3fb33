"""P01-P06: requests reach the upstream whole, legal and in their order."""

import json
import re
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import msgspec

from setu.chat.ids import counter
from setu.conformance import strategies
from setu.conformance.judges.registry import judge
from setu.conformance.laws.book import Book
from setu.conformance.laws.pair import Pair, Sent, refused
from setu.conformance.natives.values import Say, Story, Turn, all_results, of_role, texts, words
from setu.errors import DialectError, SetuError
from setu.framing.frame import Frame
from setu.http import Exchange, Headers, Request

BOOK = Book()


@BOOK.law("P01")
def every_legal_request_is_translated_or_refused_by_name(pair: Pair) -> None:
    """P01: every legal request gives a body or an error that names what cannot be said; never a crash."""

    def law(story: Story) -> None:
        sent = refused(lambda: pair.send(story))
        if isinstance(sent, DialectError):
            assert sent.param or sent.code, f"refused without naming what: {sent}"

    pair.check(strategies.stories(pair.by, media=True, scalars=True, thinking=True), law)


@BOOK.law("P01")
def any_bytes_are_read_or_refused(pair: Pair) -> None:
    """P01: any bytes are a request, an answer, a frame, or a named error."""
    from hypothesis import strategies as st

    keys = st.sampled_from((*_KEYS, "error", "delta", "type", "index", "message"))
    documents = st.one_of(
        st.binary(max_size=40),
        st.one_of(strategies.json_values(), st.dictionaries(keys, strategies.json_values(), max_size=5)).map(
            lambda value: json.dumps(value).encode()
        ),
    )

    def law(body: bytes) -> None:
        _total(lambda: pair.client_codec.parse_request(body, pair.route()), pair.client.name, body)
        _total(lambda: pair.upstream_codec.parse_response(body, counter()), pair.upstream.name, body)
        _total(lambda: pair.relay([Frame(data=body), Frame(data=body, event="message_delta")]), pair.name, body)

    pair.check(documents, law)


def _total(read: Any, who: str, body: bytes) -> None:
    try:
        read()
    except SetuError:
        return
    except Exception as error:  # noqa: BLE001 - exactly what the law forbids
        raise AssertionError(f"{who} raised {type(error).__name__}: {error} on {body!r}") from None


_KEYS = (
    "model", "messages", "contents", "input", "system", "systemInstruction", "tools", "choices", "content", "usage",
    "candidates", "stop", "max_tokens", "generationConfig", "tool_choice", "role", "id", "stop_reason", "usageMetadata",
)  # fmt: skip


@BOOK.law("P02")
def upstream_requests_fit_the_native_model(pair: Pair) -> None:
    """P02: what goes upstream is valid under the provider's own model, extra members forbidden."""
    judged(pair, "XLT-02", needed=True)


@BOOK.law("P03")
def upstream_requests_speak_one_dialect(pair: Pair) -> None:
    """P03: no member of another dialect's request goes upstream."""
    judged(pair, "XLT-03", needed=True)


def judged(pair: Pair, check: str, *, needed: bool) -> None:
    """Check requests by a rule of the judges."""

    def law(story: Story) -> None:
        sent = refused(lambda: pair.send(story))
        if isinstance(sent, Sent):
            findings = verdict(pair, sent, check)
            assert findings is not None or not needed, f"nothing judges requests of {pair.upstream.name} ({check})"
            assert not findings, f"{findings[0].path}: {findings[0].message}\n{sent.body!r}"

    pair.check(strategies.stories(pair.by, media=True, scalars=True, thinking=True), law)


def verdict(pair: Pair, sent: Sent, check: str) -> Any:
    """Judge the upstream request, of an exchange whose client has no dialect, so that nothing is inherited."""
    path, query = pair.upstream_codec.path(pair.model, False)
    headers = Headers.of({"content-type": "application/json"})
    origin = "://".join(urlsplit(pair.deployment.base_url)[:2])
    onward = Request(method="POST", path=path, query=query, headers=headers, body=sent.body, origin=origin)
    upstream = Exchange(request=onward, status=200, headers=headers, body=b"{}")
    client = Request(method="POST", path="/", body=b"{}")
    return judge(Exchange(request=client, status=200, headers=headers, body=b"{}", upstream=(upstream,))).get(check)


@BOOK.law("P04")
def text_is_conserved(pair: Pair) -> None:
    """P04: every text of a role arrives, in order, character by character; joins may put newlines between."""

    def law(story: Story) -> None:
        sent = pair.send(story)
        for role in ("user", "assistant"):
            _same_text(sent, texts(of_role(sent.asked, role)), texts(of_role(sent.story, role)), role)
        given, arrived = all_results(sent.asked), all_results(sent.story)
        # Results may move to the order of their calls.
        one, other = (sorted(words(result) for result in found) for found in (given, arrived))
        assert one == other, f"results {one!r} became {other!r}: {sent.body!r}"

    pair.check(strategies.stories(pair.by, media=False), law)


def _same_text(sent: Sent, given: list[str], arrived: list[str], role: str) -> None:
    joined = "\n{0,2}".join(re.escape(text) for text in given)
    said = "".join(arrived)
    assert re.fullmatch(joined, said), f"{role} said {given!r}, and {arrived!r} arrived: {sent.body!r}"


@BOOK.law("P05")
def system_texts_come_first_and_in_order(pair: Pair) -> None:
    """P05: system texts arrive in order, as blocks of their own where the target has them, else joined by a newline."""

    def law(story: Story) -> None:
        sent = pair.send(story)
        given, arrived = list(sent.asked.system), list(sent.story.system)
        if given == arrived:
            return
        assert not pair.to.separate, f"system was {given!r} and arrived as {arrived!r}"
        _same_text(sent, given, arrived, "system")
        assert len(arrived) == 1, f"system was {given!r} and arrived as {arrived!r}"

    pair.check(strategies.stories(pair.by), law)


@BOOK.law("P06")
def neighbouring_turns_merge_in_order(pair: Pair) -> None:
    """P06: neighbouring turns of a role are one where the target wants it, in order; merging again changes nothing."""
    from hypothesis import strategies as st

    turn = st.builds(Turn, st.sampled_from(("user", "user", "assistant")), strategies.said())

    def law(turns: list[Turn]) -> None:
        sent = pair.send(Story(turns=(*turns, Turn("user", (Say("end"),)))))
        roles = [turn.role for turn in sent.story.turns]
        if pair.to.alternates:
            assert all(one != other for one, other in pairwise(roles)), f"{roles}: {sent.body!r}"
        _same_text(sent, _spoken(sent.asked), _spoken(sent.story), "everybody")
        if pair.upstream.client:
            again = Pair.send(onto_itself(pair), sent.json)
            assert _turns(again) == _turns(sent), f"merged twice, {sent.body!r} is {again.body!r}"

    pair.check(st.lists(turn, max_size=4).map(lambda turns: [Turn("user", (Say("start"),)), *turns]), law)


def onto_itself(pair: Pair) -> Pair:
    """Return the upstream's dialect in front of itself."""
    return msgspec.structs.replace(pair, client=pair.upstream)


def _turns(sent: Sent) -> tuple[Turn, ...]:
    return sent.story.turns


def _spoken(story: Story) -> list[str]:
    return [text for turn in story.turns for text in texts(turn.items)]
