"""The request log: one line a call, whatever the client calls its model."""

import logging

import pytest

from setu.signals import Call
from setu.telemetry.logs import configure, level_of, log_call

CALL = Call(
    request_id="req_1", dialect="openai_chat", model="m", provider="oa", upstream_model="m", route="listed", stream=False,
    status=200, end="complete", duration_ms=12, ttfb_ms=3, input_tokens=5, output_tokens=0,
)  # fmt: skip


def line_of(caplog: pytest.LogCaptureFixture, call: Call) -> tuple[str, str]:
    with caplog.at_level(logging.INFO, "setu.requests"):
        log_call(call)
    (record,) = caplog.records
    return record.levelname, record.getMessage()


def changed(**changes: object) -> Call:
    return Call(**{name: getattr(CALL, name) for name in CALL.__struct_fields__} | changes)


def test_a_call_is_one_line_of_fields(caplog: pytest.LogCaptureFixture) -> None:
    level, line = line_of(caplog, CALL)

    assert level == "INFO"
    assert line == (
        "request_completed: model=m, duration_ms=12, status=200, provider=oa, stream=false, end=complete, "
        "input_tokens=5, output_tokens=0, request_id=req_1"
    )


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"status": 429, "error": "rate_limit_exceeded"}, "request_id=req_1, error=rate_limit_exceeded"),
        ({"end": "truncated-upstream", "error": "upstream_truncated"}, "request_id=req_1, error=upstream_truncated"),
    ],
)
def test_a_failure_is_a_warning_that_names_it(
    caplog: pytest.LogCaptureFixture, changes: dict[str, object], end: str
) -> None:
    level, line = line_of(caplog, changed(**changes))

    assert (level, line.endswith(end)) == ("WARNING", True)


def test_losses_are_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    assert line_of(caplog, changed(losses=('{"a":1}', '{"b":2}')))[1].endswith('losses=2 {"a":1} {"b":2}')


def test_what_is_unknown_is_a_dash(caplog: pytest.LogCaptureFixture) -> None:
    line = line_of(caplog, changed(model="", provider="", input_tokens=None, output_tokens=None))[1]

    assert "model=-, " in line
    assert "provider=-, " in line
    assert "input_tokens=-, output_tokens=-" in line


@pytest.mark.parametrize("model", ["a\nWARNING forged", "a\r\nb", "a\x1b[31m", "a\u2028b"])
def test_a_clients_words_cannot_forge_a_line(caplog: pytest.LogCaptureFixture, model: str) -> None:
    line = line_of(caplog, changed(model=model))[1]

    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_nothing_is_formatted_that_nobody_reads(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "setu.requests"):
        log_call(CALL)

    assert caplog.records == []


def test_only_a_verbose_server_tells_of_every_call(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("setu")
    before = (logger.handlers, logger.level, logger.propagate)
    try:
        for verbose in (False, True):
            configure(verbose=verbose)
            log_call(changed(request_id=f"req_{verbose}"))
    finally:
        logger.handlers, logger.level, logger.propagate = before

    assert [line.rpartition("=")[2] for line in capsys.readouterr().err.splitlines()] == ["req_True"]


@pytest.mark.parametrize(
    ("directives", "level"),
    [
        ("info", logging.INFO),
        ("warn,setu=debug,tower_http=trace", logging.DEBUG),
        ("setu=error,info", logging.ERROR),
        ("tower_http=debug", None),
        ("loud", None),
        ("", None),
    ],
)
def test_directives_are_read_as_the_earlier_gateways_wrote_them(directives: str, level: int | None) -> None:
    assert level_of(directives) == level


@pytest.mark.parametrize(
    ("verbose", "environ", "level"),
    [
        (False, {}, logging.WARNING),
        (False, {"RUST_LOG": "info"}, logging.INFO),
        (False, {"RUST_LOG": "info", "SETU_LOG": "error"}, logging.ERROR),
        (True, {"SETU_LOG": "error"}, logging.INFO),
        (True, {"SETU_LOG": "debug"}, logging.DEBUG),
    ],
)
def test_the_command_line_goes_before_the_variables_and_ours_before_theirs(
    verbose: bool, environ: dict[str, str], level: int
) -> None:
    logger = logging.getLogger("setu")
    before = (logger.handlers, logger.level, logger.propagate)
    configure(verbose=verbose, environ=environ)
    configured = logger.level
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])

    assert configured == level
