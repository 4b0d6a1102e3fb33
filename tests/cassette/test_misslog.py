import json
import multiprocessing
from functools import partial
from typing import Any

import pytest

from setu.cassette.library import Library
from setu.cassette.misslog import MissLog, read_miss
from setu.errors import CassetteDecodeError, CassetteNotFoundError, NoMatchError
from setu.http import Headers
from tests.cassette.samples import JSON, interaction, request, talk

KEY = "sk-ant-0123456789abcdefABCDEF"


def missed(path, *requests):
    found = Library([interaction(asked=talk("recorded"))], misses_file=path, hint=lambda place: f"at {place}")
    reports = []
    for each in requests:
        with pytest.raises(NoMatchError) as caught:
            found.take(each)
        reports.append(caught.value.report)
    return reports


def test_a_miss_can_be_read_back_as_the_request_it_was(tmp_path) -> None:
    path = tmp_path / "misses.jsonl"
    asked = request('{"model":"m","text":"ü"}'.encode(), query="a=1", headers=JSON)

    missed(path, talk("first"), asked)

    assert read_miss(f"{path}:2") == asked
    assert read_miss(str(path)) == asked


def test_a_report_names_the_line_of_its_miss(tmp_path) -> None:
    path = tmp_path / "misses.jsonl"

    reports = missed(path, talk("a"), talk("b"))

    assert [report.splitlines()[-1] for report in reports] == [f"at {path}:1", f"at {path}:2"]
    assert json.loads(path.read_text().splitlines()[1])["report"][-1] == f"at {path}:2"


def test_a_miss_holds_no_secret(tmp_path) -> None:
    asked = request({"model": "m", "text": KEY}, query=f"key={KEY}", headers=JSON | {"x-api-key": KEY})

    missed(tmp_path / "misses.jsonl", asked)

    assert KEY not in (tmp_path / "misses.jsonl").read_text()


def test_a_body_that_is_no_text_comes_back_byte_for_byte(tmp_path) -> None:
    asked = request(b"\xff\x00\xfe", headers={})

    missed(tmp_path / "m.jsonl", asked)

    found = read_miss(str(tmp_path / "m.jsonl"))
    assert (found.body, found.headers) == (b"\xff\x00\xfe", Headers())


def test_a_file_that_cannot_be_written_changes_no_answer(tmp_path) -> None:
    [report] = missed(tmp_path / "no" / "dir" / "m.jsonl", talk("a"))

    assert report.endswith("at ")


@pytest.mark.parametrize("line", ["", "not json", "[]", '{"request": {"method": "GET"}}'])
def test_a_line_that_is_no_miss_is_named(tmp_path, line) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(line + "\n")

    with pytest.raises(CassetteDecodeError, match=r"m\.jsonl:1: not a miss"):
        read_miss(f"{path}:1")


@pytest.mark.parametrize("place", ["none.jsonl", "none.jsonl:3"])
def test_misses_that_are_not_there_are_named(tmp_path, place) -> None:
    with pytest.raises(CassetteNotFoundError, match="no misses at"):
        read_miss(str(tmp_path / place))


def test_a_line_past_the_end_is_named(tmp_path) -> None:
    missed(tmp_path / "m.jsonl", talk("a"))

    with pytest.raises(CassetteNotFoundError, match="has 1 lines, not 5"):
        read_miss(f"{tmp_path / 'm.jsonl'}:5")


def _said(who: str, number: int, place: str) -> dict[str, Any]:
    return {"place": place, "who": who, "n": number}


def write(path, who):
    for number in range(50):
        MissLog(path).append(partial(_said, who, number))


def test_processes_that_share_a_file_each_name_their_own_lines(tmp_path) -> None:
    path = tmp_path / "m.jsonl"
    workers = [multiprocessing.get_context("spawn").Process(target=write, args=(path, who)) for who in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    places = [json.loads(line)["place"] for line in path.read_text().splitlines()]
    assert places == [f"{path}:{number}" for number in range(1, 151)]
