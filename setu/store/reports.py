"""What the tables of usage say: totals for people and for `GET /admin/usage`, lines for a bill. Import it late."""

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from setu.errors import ConfigError
from setu.store.database import reading
from setu.store.schema import REQUESTS

BY = ("tenant", "model", "provider", "day", "key")
_FILTERS: Mapping[str, sa.Column[Any]] = {
    "tenant": REQUESTS.c.tenant,
    "model": REQUESTS.c.model,
    "provider": REQUESTS.c.provider,
    "key": REQUESTS.c.key_id,
    "upstream_model": REQUESTS.c.upstream_model,
}
_BILL = uuid.UUID("0d5e0f8c-3c1e-5f0a-8f0e-7a4a3f5f0b11")
_AGO = re.compile(r"([0-9]+)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERIOD = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a report. Times are in milliseconds, None where nothing was measured.

    `failures` are requests that got an error or whose answer broke off; `unpriced` those with tokens, but without a
    known price: `cost_usd` lacks them.
    """

    group: str
    requests: int
    failures: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: float
    unpriced: int
    cache_hits: int
    latency_ms: int | None
    ttfb_ms: int | None


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is about: requests from `since` on and before `until`, those with the given names only."""

    by: str = "model"
    since: datetime | None = None
    until: datetime | None = None
    only: Mapping[str, str] = {}


class BillLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant used of one model in a month. `id` follows from the four names, so a bill can be sent twice."""

    id: str
    tenant: str
    period: str
    provider: str
    model: str
    requests: int
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano_usd: int
    cost_usd: str
    unpriced: int


def query_of(said: Mapping[str, str], now: datetime) -> Query:
    """Read a query: `by`, `since`, `until` and the names of a tenant, model, provider or key.

    A moment is `2026-11-20` (as `until`: to the end of that day), `2026-11-20T08:00:00Z`, or `7d` for seven days ago;
    without a zone it is UTC.

    Raises:
        ConfigError: an unknown name, or no such moment.
    """
    unknown = sorted(said.keys() - {"by", "since", "until", *_FILTERS})
    if unknown:
        raise ConfigError(f"usage: unknown parameter {unknown[0]!r}; there are by, since, until, {', '.join(_FILTERS)}")
    by = said.get("by") or "model"
    if by not in BY:
        raise ConfigError(f"usage: by must be one of {', '.join(BY)}, not {by!r}")
    return Query(
        by=by,
        since=_moment("since", said["since"], now) if said.get("since") else None,
        until=_moment("until", said["until"], now) if said.get("until") else None,
        only={name: said[name] for name in _FILTERS if name in said},
    )


def usage_report(url: str, said: Mapping[str, str], now: datetime | None = None) -> dict[str, Any]:
    """Return the body of `GET /admin/usage`: what was asked for, a row for each group, and their sum.

    Raises:
        ConfigError: a wrong query, or the database cannot be read.
    """
    query = query_of(said, now or datetime.now(UTC))
    rows, total = totals(url, query)
    return {
        "object": "usage.report",
        "by": query.by,
        "since": query.since.isoformat() if query.since else None,
        "until": query.until.isoformat() if query.until else None,
        "rows": [msgspec.to_builtins(row) for row in rows],
        "total": msgspec.to_builtins(total),
    }


def totals(url: str, query: Query) -> tuple[list[Totals], Totals]:
    """Return a line for each group, the dearest first (days in their order), and the line of all together."""
    with reading(url) as connection:
        if connection is None:
            return [], _totals("total", ())
        group = _group(query.by, connection.dialect.name)
        lines = connection.execute(_narrowed(sa.select(group.label("name"), *_SUMS), query).group_by("name")).all()
        [whole] = connection.execute(_narrowed(sa.select(*_SUMS), query)).all()
    rows = [_totals(line[0] or "", line[1:]) for line in lines]
    rows.sort(key=(lambda row: row.group) if query.by == "day" else _dearest_first)
    return rows, _totals("total", whole)


def bill(url: str, tenant: str, period: str) -> list[BillLine]:
    """Return what a tenant used in a month (`2026-11`, UTC), a line for each provider and model, in their order.

    Raises:
        ConfigError: no such month, or the database cannot be read.
    """
    since, until = month(period)
    names = (REQUESTS.c.provider, REQUESTS.c.upstream_model)
    query = Query(since=since, until=until, only={"tenant": tenant})
    chosen = _narrowed(sa.select(*names, *_BILLED), query).group_by(*names)
    with reading(url) as connection:
        found = connection.execute(chosen).all() if connection is not None else []
    lines = [_bill_line(tenant, period, provider or "", model or "", sums) for provider, model, *sums in found]
    return sorted(lines, key=lambda line: (line.provider, line.model))


def month(period: str) -> tuple[datetime, datetime]:
    """Return a month's first moment and the next one's."""
    found = _PERIOD.fullmatch(period)
    if found is None or not 1 <= int(found[1]) < 9999:
        raise ConfigError(f"usage: a period is a month such as 2026-11, not {period!r}")
    first = datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)
    return first, (first + timedelta(days=31)).replace(day=1)


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _sum(column: sa.Column[Any]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(column), 0)


_FAILED = sa.or_(REQUESTS.c.status_code >= 400, REQUESTS.c.end.not_in(("complete", "closed-by-client")))
_UNPRICED = sa.and_(REQUESTS.c.total_tokens > 0, REQUESTS.c.cost_nano_usd.is_(None))
_SUMS: tuple[sa.ColumnElement[Any], ...] = (
    sa.func.count(),
    _count(_FAILED),
    _sum(REQUESTS.c.prompt_tokens),
    _sum(REQUESTS.c.cached_tokens),
    _sum(REQUESTS.c.completion_tokens),
    _sum(REQUESTS.c.reasoning_tokens),
    _sum(REQUESTS.c.cost_nano_usd),
    _count(_UNPRICED),
    _count(REQUESTS.c.cache == "hit"),
    sa.func.avg(REQUESTS.c.latency_ms),
    sa.func.avg(REQUESTS.c.ttfb_ms),
)
_BILLED: tuple[sa.ColumnElement[Any], ...] = (
    sa.func.count(),
    _sum(REQUESTS.c.prompt_tokens),
    _sum(REQUESTS.c.cached_tokens),
    _sum(REQUESTS.c.cache_write_tokens),
    _sum(REQUESTS.c.completion_tokens),
    _sum(REQUESTS.c.reasoning_tokens),
    _sum(REQUESTS.c.cost_nano_usd),
    _count(_UNPRICED),
)


def _group(by: str, dialect: str) -> sa.ColumnElement[Any]:
    if by != "day":
        return _FILTERS[by]
    if dialect == "sqlite":
        return sa.func.strftime("%Y-%m-%d", REQUESTS.c.created_at)
    return sa.func.to_char(sa.func.timezone("UTC", REQUESTS.c.created_at), "YYYY-MM-DD")


def _narrowed(chosen: sa.Select[Any], query: Query) -> sa.Select[Any]:
    if query.since is not None:
        chosen = chosen.where(REQUESTS.c.created_at >= query.since)
    if query.until is not None:
        chosen = chosen.where(REQUESTS.c.created_at < query.until)
    for name, value in query.only.items():
        chosen = chosen.where(_FILTERS[name] == value)
    return chosen


def _totals(group: str, sums: Any) -> Totals:
    requests, failures, given, cached, made, thought, cost, unpriced, hits, latency, ttfb = sums or (
        *(0,) * 9,
        None,
        None,
    )
    return Totals(
        group=group,
        requests=requests,
        failures=int(failures),
        input_tokens=int(given),
        cached_tokens=int(cached),
        output_tokens=int(made),
        reasoning_tokens=int(thought),
        cost_usd=int(cost) / 1e9,
        unpriced=int(unpriced),
        cache_hits=int(hits),
        latency_ms=None if latency is None else round(latency),
        ttfb_ms=None if ttfb is None else round(ttfb),
    )


def _bill_line(tenant: str, period: str, provider: str, model: str, sums: list[Any]) -> BillLine:
    requests, given, cached, written, made, thought, cost, unpriced = map(int, sums)
    name = msgspec.json.encode((tenant, period, provider, model)).decode()
    return BillLine(
        id=str(uuid.uuid5(_BILL, name)),
        tenant=tenant,
        period=period,
        provider=provider,
        model=model,
        requests=requests,
        input_tokens=given,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=made,
        reasoning_tokens=thought,
        cost_nano_usd=cost,
        cost_usd=f"{cost // 10**9}.{cost % 10**9:09}",
        unpriced=unpriced,
    )


def _dearest_first(row: Totals) -> tuple[float, int, str]:
    return -row.cost_usd, -row.requests, row.group


def _moment(name: str, text: str, now: datetime) -> datetime:
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        found = datetime.fromisoformat(text)
        if name == "until" and _DAY.fullmatch(text):
            found += timedelta(days=1)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"usage: {name}: {text!r} is no moment: write 2026-11-20, 2026-11-20T08:00:00Z or 7d"
        ) from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def csv_lines(rows: list[Totals] | list[BillLine], kind: type[msgspec.Struct]) -> Iterator[str]:
    """Yield rows as CSV, the names first (RFC 4180); the same rows give the same bytes.

    A text that a spreadsheet would take for a formula gets an apostrophe before it: names come from clients.
    """
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for cells in (kind.__struct_fields__, *(msgspec.structs.astuple(row) for row in rows)):
        writer.writerow([_cell(value) for value in cells])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return "'" + value
    return value
