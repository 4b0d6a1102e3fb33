"""docs/explanation/corpus.md from a run over the whole corpus; `python -m tests.corpus.table` writes it anew.

Handled means: a request is read, or refused where its own host refused it too; it is written for every other dialect,
or refused there by name; an answer, a stream or an error is read and written for every dialect that clients speak.
Whether what is read and written is right is held by the other tests of this folder, on the same exchanges.
"""

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import tomli

from setu.chat.events import Event
from setu.chat.ids import counter
from setu.dialects.record import Dialect, Facts, Operation, Reply, Route, Target
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError
from setu.framing.kinds import DECODERS
from setu.http import Headers
from tests.corpus.across import SOURCES, TARGETS, Tally, tally
from tests.corpus.reader import exchanges
from tests.corpus.schemas import PROBLEMS

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "corpus.md"

APIS: dict[str, tuple[str, Operation]] = {
    "openai.chat": ("openai_chat", "chat"),
    "openai.responses": ("openai_responses", "chat"),
    "anthropic.messages": ("anthropic", "chat"),
    "anthropic.vertex": ("anthropic", "chat"),
    "gemini.generate": ("gemini", "chat"),
    "gemini.stream": ("gemini", "chat"),
    "bedrock.converse": ("bedrock", "chat"),
    "bedrock.converse_stream": ("bedrock", "chat"),
    "cohere.v2": ("cohere", "chat"),
    "ollama.chat": ("ollama", "chat"),
    "openai.completions": ("openai_chat", "complete"),
    "openai.embeddings": ("openai_chat", "embed"),
    "gemini.embed": ("gemini", "embed"),
    "cohere.embed": ("cohere", "embed"),
    "ollama.embed": ("ollama", "embed"),
    "anthropic.count_tokens": ("anthropic", "count_tokens"),
    "gemini.count_tokens": ("gemini", "count_tokens"),
}
FRAMINGS = {"sse": "sse", "ndjson": "ndjson", "aws-eventstream": "eventstream", "json-array": "jsonarray"}
DIRECTIONS = ("requests", "written for others", "answers", "streams", "errors", "written for clients")
_REFUSALS = (LocalDialectError, ProviderError, RemoteDialectError)


class Count(NamedTuple):
    """An API's exchanges, what was tried in each direction, what failed in a way that nothing excuses."""

    total: int
    tried: Counter[str]
    failed: list[str]


def _rows(name: str) -> list[dict[str, Any]]:
    """Return the exceptions: `exception` for an API with itself, `across` for other dialects."""
    rows: dict[str, list[dict[str, Any]]] = tomli.loads(
        (Path(__file__).parent / "exceptions.toml").read_text(encoding="utf-8")
    )
    return rows.get(name, [])


def excused() -> dict[str, set[str]]:
    """Return the ids of exchanges that are defective themselves, by API."""
    found: dict[str, set[str]] = {}
    for row in _rows("exception"):
        found.setdefault(row["api"], set()).add(row["id"])
    return found


def count(api: str) -> Count:
    """Take every exchange of an API through every direction."""
    name, operation = APIS[api]
    tried: Counter[str] = Counter()
    failed: list[str] = []
    total = 0
    for exchange in exchanges(api):
        total += 1
        for step in (_request, _answer):
            try:
                problem = step(DIALECTS[name], operation, exchange, tried)
            except Exception as error:  # noqa: BLE001 - any crash is a finding
                problem = f"{step.__name__}: {error!r}"
            if problem:
                failed.append(f"{exchange['id']} {problem}")
    return Count(total, tried, failed)


def _request(dialect: Dialect, operation: Operation, exchange: dict[str, Any], tried: Counter[str]) -> str | None:
    body = exchange["request_body"]
    if operation not in dialect.client or not isinstance(body, dict):
        return None
    tried["requests"] += 1
    route = Route(dialect=dialect.name, operation=operation, model="m", stream=exchange["is_stream"])
    try:
        request = dialect.client[operation].parse_request(_dumped(body), route)
    except LocalDialectError as error:
        return None if exchange["status"] >= 400 or operation == "complete" else f"refused: {error}"
    for other in DIALECTS.values():
        if operation in other.upstream:
            tried["written for others"] += other is not dialect
            try:
                other.upstream[operation].render_request(request, Target(model="m", facts=Facts(sampling="both")))
            except LocalDialectError as error:
                if other is dialect and exchange["status"] < 400:
                    return f"not written again: {error}"
    return None


def _answer(dialect: Dialect, operation: Operation, exchange: dict[str, Any], tried: Counter[str]) -> str | None:
    body = body_of(exchange)
    clients = [other.client[operation] for other in DIALECTS.values() if operation in other.client]
    reply = Reply(model="m", id="id", created=1, mint=counter(), stream_usage=True)
    if exchange["status"] >= 400:
        tried["errors"] += 1
        info = dialect.errors.parse(exchange["status"], Headers.of(header_texts(exchange["response_headers"])), body)
        for other in DIALECTS.values():
            other.errors.render(info)
        return None if info.message else "an error without a message"
    if exchange["framing"]:
        tried["streams"] += 1
        events = _events(dialect, operation, FRAMINGS[exchange["framing"]], body)
        for client in clients:
            tried["written for clients"] += 1
            encoder = client.encoder(reply)
            for event in events:
                encoder.feed(event)
        return None
    tried["answers"] += 1
    try:
        response = dialect.upstream[operation].parse_response(body, counter())
    except _REFUSALS:
        return None
    for client in clients:
        tried["written for clients"] += 1
        client.render_response(response, reply)
    return None


def _events(dialect: Dialect, operation: Operation, framing: str, body: bytes) -> list[Event]:
    frames, decoder = DECODERS[framing](), dialect.upstream[operation].decoder(counter())
    events = [event for frame in (*frames.feed(body), *frames.close()) for event in decoder.feed(frame)]
    return [*events, *decoder.close()]


def body_of(exchange: dict[str, Any]) -> bytes:
    body = exchange["response_body"]
    if exchange.get("response_body_encoding") == "base64":
        return base64.b64decode(body)
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else _dumped(body)


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def header_texts(headers: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if isinstance(value, str) and value.isascii()}


_HEAD = """# Real traffic

Setu's dialects are held against a corpus of recorded exchanges with real providers, taken from the test suites of public projects. The corpus is not part of the repository; `SETU_CORPUS` names its folder.

Every exchange goes through every direction that its API has here:

- **requests**: a client's body is read and written again for its own dialect;
- **written for others**: the same request for every other upstream dialect that has the operation;
- **answers**, **streams**, **errors**: what the provider sent is read;
- **written for clients**: an answer or a stream is written for every dialect that clients speak.

A column counts what was tried. Nothing may crash, a request that its own host took may not be refused, and an error must say something. What is read and written must also be *right*: the same meaning there and back, the vendors' own types satisfied, the same events however a stream is cut. The other tests of `tests/corpus` hold that on the same exchanges. An exchange that is defective itself is an exception, with its reason in `tests/corpus/exceptions.toml`.

Generated by `python -m tests.corpus.table`.
"""


def page() -> str:
    """Write the whole page; prints what failed and is not excused."""
    lines = [_HEAD, f"| API | exchanges | {' | '.join(DIRECTIONS)} | excepted | handled |"]
    lines.append("|---" + "|---:" * (len(DIRECTIONS) + 3) + "|")
    known = excused()
    sums: Counter[str] = Counter()
    for api in APIS:
        found = count(api)
        bad = {line.split(" ")[0]: line for line in found.failed}
        excepted = len(known.get(api, set()) & bad.keys())
        for exchange_id, line in bad.items():
            if exchange_id not in known.get(api, set()):
                print(f"{api} {line[:300]}")
        share = 1 - (len(bad) - excepted) / found.total
        tried = " | ".join(f"{found.tried[name]:,}" if found.tried[name] else "" for name in DIRECTIONS)
        lines.append(f"| {api} | {found.total:,} | {tried} | {excepted or ''} | {share:.1%} |")
        sums += found.tried
        sums["exchanges"] += found.total
    total = " | ".join(f"{sums[name]:,}" for name in DIRECTIONS)
    return "\n".join([*lines, f"| all | {sums['exchanges']:,} | {total} | | |", *_across(), *_exceptions()])


_ACROSS = """
## From dialect to dialect

Every chat request that its own host took is told to every other host, and what that host would read is told back. In each body

- nothing is invalid: it fits the types of the vendor's own SDK with unknown members forbidden (AWS's service model for Bedrock, strict models for Cohere and Ollama);
- nothing is lost in silence: each leaf of the request (every text, call, result, thought, medium, seal, mark, tool and option that is set) stands in the body, on its speaker's side and in order, with results joined to the calls they answer, or a declared loss names its place. A loss that only says `info` excuses no word, call, result or tool. The search reads the body's JSON with no code of the dialect that wrote it.

A cell counts exchanges: searched, and after the plus sign refused with an error that names the member or the reason's code (a sound for a host that cannot hear, a tool that the host does not run). Requests that differ only in the model or in streaming are rendered once and counted as often as they were sent. Bedrock has no clients here: its requests are read by the tests, and bodies for Bedrock, Cohere and Ollama are not told back.
"""


def _across() -> list[str]:
    """Return the table of APIs and targets; prints what is wrong and not excepted."""
    lines = [_ACROSS, f"| API | {' | '.join(TARGETS)} | wrong |", "|---" + "|---:" * (len(TARGETS) + 1) + "|"]
    known = {(row["id"], target) for row in _rows("across") for target in row["targets"]}
    for api, source in SOURCES.items():
        cells = {target: tally(api, target, PROBLEMS[target]) for target in TARGETS if target != source}
        for target, cell in cells.items():
            for one in cell.wrong:
                if (one, target) not in known:
                    print(f"{api} for {target}: {one} {cell.wrong[one]}")
        wrong = sum(len(cell.wrong) for cell in cells.values())
        row = " | ".join(_cell(cells[target]) if target in cells else "" for target in TARGETS)
        lines.append(f"| {api} | {row} | {wrong or ''} |")
    return lines


def _cell(found: Tally) -> str:
    return f"{found.searched:,}" + (f" + {found.refused:,}" if found.refused else "")


def _exceptions() -> list[str]:
    """Return the exceptions of both tables."""
    lines = ["", "## Exceptions", "", f"{len(_rows('exception'))} exchanges are defective themselves:", ""]
    lines += [f"- {row['id']} ({row['api']}): {row['reason']}." for row in _rows("exception")]
    lines += ["", f"Requests that are not told to another host as they should be: {len(_rows('across'))}.", ""]
    lines += [
        f"- {row['id']} ({row['api']} for {', '.join(row['targets'])}): {row['reason']}." for row in _rows("across")
    ]
    return [*lines, ""]


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
