"""`setu cassettes list`, `show` and `stats`."""

from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli.cassettes.rooms import Json, Paths, say

if TYPE_CHECKING:
    from setu.cassette.model import Interaction

_COLUMNS = ("place", "model", "op", "status", "end", "events", "bytes", "ms", "recorded")
_NUMBERS = frozenset({"status", "events", "bytes", "ms"})


def list_(paths: Paths, as_json: Json = False) -> None:
    """List the recordings, one a line."""
    import msgspec

    from setu.cassette.tables import row_of
    from setu.cli.cassettes.rooms import interactions, print_json, table

    rows = [row_of(each) for each in interactions(paths)]
    if as_json:
        print_json(msgspec.to_builtins(rows))
        return
    cells = (
        (row.place, row.model, row.op or row.url, row.status, row.end, row.events or "", row.size, row.ms, row.recorded)
        for row in rows
    )
    table(_COLUMNS, cells, right=_NUMBERS)


def show(
    place: Annotated[str, typer.Argument(help="FILE, FILE:LINE or FILE#NUMBER.")],
    raw: Annotated[bool, typer.Option("--raw", help="Print the answer's very bytes and nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """Show a recording: the request, then the answer, a stream as a table of time, event and text."""
    import sys

    from setu.cassette.tables import events_of
    from setu.cli.cassettes.rooms import chosen, print_json

    found = chosen(place)
    if raw:
        for each in found:
            sys.stdout.buffer.write(each.exchange.body)
        sys.stdout.flush()
    elif as_json:
        import msgspec

        from setu.cassette.serialize import to_document

        plain = (to_document(each) | {"events": events_of(each)} for each in found)
        print_json([msgspec.to_builtins(each) for each in plain])
    else:
        for each in found:
            _show(each)


def stats(paths: Paths, as_json: Json = False) -> None:
    """Count what is recorded: hosts, operations, models, endings, bytes."""
    from setu.cassette.tables import stats_of
    from setu.cli.cassettes.rooms import interactions, print_json, table

    found = stats_of(interactions(paths))
    if as_json:
        print_json(found)
        return
    totals = [(name, "", value) for name, value in found.items() if not isinstance(value, dict)]
    groups = [(name, word, n) for name, value in found.items() if isinstance(value, dict) for word, n in value.items()]
    table(("what", "", "count"), [*totals, *groups], right=frozenset({"count"}))


def _show(each: "Interaction") -> None:
    from setu.cassette.bodies import store
    from setu.cassette.tables import events_of
    from setu.cli.cassettes.rooms import table

    exchange = each.exchange
    request = exchange.request
    assert isinstance(request.body, bytes)
    say(f"{each.place}  {each.recording.op}  recorded {each.recording.recorded or 'at no known date'}")
    for note in each.notes:
        say(f"note: {note}")
    say(f"\n> {request.method} {request.url}")
    for name, value in request.headers.items():
        say(f"> {name}: {value}")
    say(_text(store(request.body, normalise_eol=False).text))
    say(f"\n< {exchange.status} {each.reason}  ({exchange.end.value})")
    for name, value in exchange.headers.items():
        say(f"< {name}: {value}")
    events = events_of(each)
    if events:
        rows = ((event.ms, event.name, event.delta, event.data) for event in events)
        table(("t ms", "event", "delta", "data"), rows, frozenset({"t ms"}), cut=True)
    else:
        say(_text(store(exchange.body).text))
    typer.echo("")


def _text(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else f"({len(stored)} bytes that are no text)"
