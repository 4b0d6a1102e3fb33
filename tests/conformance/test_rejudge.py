"""A saved run is judged again: what recordings tell anew, what they do not as it was."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.shelf import read_cassette
from setu.conformance.catalogue import Catalogue, load
from setu.conformance.judges.finding import Finding
from setu.conformance.rejudge import REPORT, Meta, run, save, saved
from setu.conformance.report import json_
from setu.conformance.results import CheckResult, Observation, Run, Status, collect
from setu.errors import CassetteNotFoundError, ConfigError
from setu.http import Ending, Exchange, Headers
from tests.conformance.build import ASK, CHAT, COMPLETION, but, chat, chat_stream, exchange, message, silence

NO_ROLE = but(COMPLETION, "choices.0.message.role")
KEY = "sk-proj-" + "a1B2c3D4" * 5


def seen(check: str, *problems: str, place: str = "probe x (m)") -> Observation:
    return Observation(check=check, place=place, findings=tuple(Finding(check, problem) for problem in problems))


def kept(folder: Path, *exchanges: Exchange, report: Run | None = None) -> Path:
    save(folder, exchanges, Meta(places=tuple(f"probe {number}" for number in range(len(exchanges)))))
    (folder / REPORT).write_text(json_.render([report or collect("a gateway", load(), [])]), encoding="utf-8")
    return folder


def result_of(found: Run, check: str) -> CheckResult:
    return next(result for result in found.results if result.check.id == check)


def catalogue_with(check: str, **members: object) -> Catalogue:
    return Catalogue(
        tuple(msgspec.structs.replace(row, **members) if row.id == check else row for row in load().checks)
    )


def test_both_sides_of_each_exchange_come_back_in_their_order(tmp_path: Path) -> None:
    tries = (exchange("/v1/messages", ASK, b"busy", status=529), message())
    exchanges = [msgspec.structs.replace(chat(), upstream=tries), chat_stream([]), chat(NO_ROLE)]

    save(tmp_path, exchanges, Meta(places=("a b", "c", "d")))

    back = saved(tmp_path)
    assert [place for place, _ in back] == ["a b", "c", "d"]
    assert [one.body for _, one in back] == [one.body for one in exchanges]
    assert [(sent.status, sent.body) for sent in back[0][1].upstream] == [(529, b"busy"), (200, tries[1].body)]


def test_how_an_answer_ended_is_kept_and_what_never_began_is_not(tmp_path: Path) -> None:
    cut = chat_stream([], done=False, end=Ending.TRUNCATED)

    save(tmp_path, [silence(), cut], Meta(places=("nothing", "cut")))

    assert [(place, one.end) for place, one in saved(tmp_path)] == [("cut", Ending.TRUNCATED)]


def test_no_secret_is_kept(tmp_path: Path) -> None:
    sent = {"authorization": f"Bearer {KEY}", "x-tenant": "tenant-4711"}
    leaking = exchange(CHAT, ASK, but(COMPLETION, "id", "tenant-4711"), sent=sent)

    save(
        tmp_path, [msgspec.structs.replace(leaking, upstream=(leaking,))], Meta(places=("a",), secrets=("tenant-4711",))
    )

    texts = [file.read_text(encoding="utf-8") for file in sorted(tmp_path.rglob("*.yaml"))]
    assert len(texts) == 2
    assert not any(KEY in text or "tenant-4711" in text for text in texts)
    assert all(read_cassette(file)[0].recording.redacted for file in tmp_path.rglob("*.yaml"))


def test_each_exchange_needs_its_place(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        save(tmp_path, [chat()], Meta(places=()))


def test_what_recordings_tell_is_judged_anew(tmp_path: Path) -> None:
    false_alarm = collect("a gateway", load(), [seen("CHAT-001", "wrong")])
    missed = collect("a gateway", load(), [seen("CHAT-001")])

    corrected = run(kept(tmp_path / "a", chat(), report=false_alarm))
    found = run(kept(tmp_path / "b", chat(NO_ROLE), report=missed))

    assert result_of(corrected, "CHAT-001").status is Status.PASS
    assert result_of(corrected, "CHAT-001").reason is None
    assert result_of(found, "CHAT-001").status is Status.FAIL
    assert [one.place for one in result_of(found, "CHAT-001").broken] == ["probe 0"]


@pytest.mark.parametrize("check", ["AUTH-001", "STR-011", "ERR-012", "FUZ-001"])
@pytest.mark.parametrize(("problems", "status"), [((), Status.PASS), (("wrong",), Status.FAIL)])
def test_what_they_do_not_tell_is_carried_over_and_says_so(
    check: str, problems: tuple[str, ...], status: Status, tmp_path: Path
) -> None:
    before = collect("a gateway", load(), [seen(check, *problems)])

    after = result_of(run(kept(tmp_path, chat(), report=before)), check)

    assert (after.status, after.exchanges) == (status, 1)
    assert after.reason == "carried over: recordings alone do not tell"
    assert [one.findings[0].message for one in after.broken] == list(problems)


def test_a_probes_check_that_a_judge_breaks_now_is_broken(tmp_path: Path) -> None:
    before = collect("a gateway", load(), [seen("CHAT-005")])

    after = result_of(run(kept(tmp_path, chat(asked=ASK | {"n": 2}), report=before)), "CHAT-005")

    assert (after.status, after.exchanges) == (Status.FAIL, 2)


def test_a_check_never_judged_before_is_judged(tmp_path: Path) -> None:
    after = run(kept(tmp_path, chat()))

    assert len(after.results) > 10
    assert after.compat


def test_reasons_and_what_the_run_was_stay(tmp_path: Path) -> None:
    before = msgspec.structs.replace(
        collect(
            "a gateway",
            load(),
            [seen("AUTH-001", "wrong")],
            unsupported={"MM-002": "no images"},
            inconclusive={"TOOL-006": "no call came"},
            expected={"AUTH-001": "open on purpose"},
            skipped={"scenario": "another dialect"},
        ),
        name="gw",
        mode="two-sided",
        seed=7,
        started="2026-11-21T00:00:00Z",
        fingerprint={"version": "1"},
    )

    after = run(kept(tmp_path, chat(), report=before))

    statuses = {
        check: (result_of(after, check).status, result_of(after, check).reason) for check in ("MM-002", "TOOL-006")
    }
    assert statuses == {
        "MM-002": (Status.UNSUPPORTED, "no images"),
        "TOOL-006": (Status.INCONCLUSIVE, "no call came"),
    }
    assert result_of(after, "AUTH-001").status is Status.XFAIL
    assert (after.label, after.mode, after.seed, after.started) == ("gw", "two-sided", 7, "2026-11-21T00:00:00Z")
    assert (after.fingerprint, after.skipped) == ({"version": "1"}, {"scenario": "another dialect"})


def test_a_newer_catalogue_decides_the_level_and_what_there_is(tmp_path: Path) -> None:
    before = collect("a gateway", load(), [seen("AUTH-001", "wrong"), seen("FUZ-001")])
    folder = kept(tmp_path, chat(NO_ROLE), report=before)
    demoted = catalogue_with("AUTH-001", level="SHOULD")
    newer = Catalogue(tuple(row for row in demoted.checks if row.id not in ("FUZ-001", "CHAT-001")))

    after = run(folder, catalogue=newer)

    assert result_of(after, "AUTH-001").status is Status.WARN
    assert not {"FUZ-001", "CHAT-001"} & {result.check.id for result in after.results}
    assert after.skipped == {"FUZ-001": "not in catalogue 2026.11, was pass"}


def test_what_the_upstream_had_wrong_already_is_not_the_gateways(tmp_path: Path) -> None:
    bad = chat(NO_ROLE)
    passed_on = msgspec.structs.replace(bad, upstream=(bad,))
    made = msgspec.structs.replace(bad, upstream=(message(),))

    assert "CHAT-001" not in {
        result.check.id for result in run(kept(tmp_path / "a", passed_on)).results if result.broken
    }
    assert result_of(run(kept(tmp_path / "b", made)), "CHAT-001").broken


def test_a_folder_without_recordings_or_a_report_of_one_run_is_refused(tmp_path: Path) -> None:
    one = collect("a gateway", load(), [])
    (tmp_path / REPORT).write_text(json_.render([one, one]), encoding="utf-8")
    with pytest.raises(ConfigError, match="not of 2"):
        run(tmp_path)

    (tmp_path / REPORT).write_text(json_.render([one]), encoding="utf-8")
    with pytest.raises(CassetteNotFoundError):
        run(tmp_path)


@given(
    st.lists(
        st.tuples(st.text(max_size=40), st.sampled_from(["text/plain", "text/event-stream", "application/json"])),
        min_size=1,
        max_size=4,
    )
)
def test_every_answer_is_kept_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, answers: list[tuple[str, str]]
) -> None:
    exchanges = [
        msgspec.structs.replace(chat(), body=text.encode(), headers=Headers.of({"content-type": media_type}))
        for text, media_type in answers
    ]
    folder = tmp_path_factory.mktemp("run")

    save(folder, exchanges, Meta(places=("x",) * len(exchanges)))

    assert [one.body for _, one in saved(folder)] == [one.body for one in exchanges]
