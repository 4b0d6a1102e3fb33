import json
import time
from itertools import chain

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.library import Library
from setu.cassette.normalise import parse_normalisers
from setu.cassette.serialize import HEADER, render_block
from setu.cassette.shelf import read_cassette
from setu.errors import CassetteDecodeError, CassetteNotFoundError, NoMatchError
from tests.cassette.samples import ANTHROPIC_STREAM, interaction, request, talk

KEY = "sk-ant-api03-Abc_123-Def456Ghi789"


def saved(path, *interactions):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(map(render_block, interactions)))
    return path


def bodies(library, *requests):
    return [library.take(each).interaction.exchange.body for each in requests]


def test_recordings_of_one_request_are_served_in_order() -> None:
    library = Library(interaction(body, asked=talk("hi")) for body in (b"1", b"2", b"3"))

    assert bodies(library, talk("hi"), talk("hi"), talk("hi")) == [b"1", b"2", b"3"]
    assert library.unused() == ()


def test_each_request_has_its_own_queue() -> None:
    library = Library(
        [interaction(b"1", asked=talk("a")), interaction(b"2", asked=talk("b")), interaction(b"3", asked=talk("a"))]
    )

    assert bodies(library, talk("b"), talk("a"), talk("a")) == [b"2", b"1", b"3"]


def test_a_request_that_was_changed_since_is_another() -> None:
    library = Library([interaction(b"1", asked=talk("a")), interaction(b"2", asked=talk("b"))])
    asked = talk("a")
    assert library.answers(asked)

    asked.body = talk("b").body

    assert bodies(library, asked) == [b"2"]


def test_used_up_recordings_are_a_miss_that_says_so() -> None:
    library = Library([interaction(asked=talk("hi"))])
    library.take(talk("hi"))

    with pytest.raises(NoMatchError, match="POST /v1/messages was recorded once and has been served as often"):
        library.take(talk("hi"))
    assert library.misses == 1


@pytest.mark.parametrize(("on_exhausted", "expected"), [("last", b"122222"), ("cycle", b"121212")])
def test_used_up_recordings_may_be_served_again(on_exhausted, expected) -> None:
    library = Library([interaction(b"1"), interaction(b"2")], on_exhausted=on_exhausted)

    assert b"".join(bodies(library, *[request()] * 6)) == expected


def test_recordings_of_the_same_origin_win() -> None:
    openai, other = "https://api.openai.com", "https://other.example"
    library = Library(interaction(host.encode(), asked=request(origin=host)) for host in (openai, other))

    assert bodies(library, request(origin=other), request(origin="")) == [other.encode(), openai.encode()]
    with pytest.raises(NoMatchError):
        library.take(request(origin=other))


def test_a_request_from_an_unrecorded_origin_gets_any() -> None:
    library = Library([interaction(b"1", asked=request(origin="https://a.example"))])

    assert bodies(library, request(origin="https://b.example")) == [b"1"]


def test_a_miss_names_the_nearest_recording_and_the_divergent_message(tmp_path) -> None:
    near = interaction(asked=talk("hello", "hi", "what is 2+2?"))
    saved(tmp_path / "a.yaml", interaction(asked=talk("other")), near)
    library = Library.load(tmp_path)

    with pytest.raises(NoMatchError) as caught:
        library.take(talk("hello", "hi", "what is 2+3?"))

    line = (tmp_path / "a.yaml").read_text().splitlines().index("- request:", 3) + 1
    place = f"{tmp_path / 'a.yaml'}:{line}"
    assert str(caught.value) == (
        f"no recording answers POST /v1/messages; the nearest, {place}, differs first at /messages/2/content"
    )
    assert caught.value.nearest[0] == place
    assert caught.value.report.splitlines() == [
        f"nearest recording: {place}",
        "first difference: /messages/2/content",
        "  /messages/2/content",
        '  - "what is 2+2?"',
        '  + "what is 2+3?"',
        f"next nearest: {tmp_path / 'a.yaml'}:3",
        "to record it: setu record -- COMMAND, where COMMAND makes this call",
    ]


def test_a_miss_never_shows_a_secret() -> None:
    library = Library([interaction(asked=talk("a"))], secrets=("known-value",))
    asked = talk(f"my key {KEY} and known-value")
    asked.query = "key=Zx81"
    asked.path = f"/v1/{KEY}/messages"

    with pytest.raises(NoMatchError) as caught:
        library.take(asked)

    shown = str(caught.value) + caught.value.report
    assert [secret for secret in (KEY, "known-value", "Zx81") if secret in shown] == []


def test_a_miss_without_any_recording_says_so() -> None:
    with pytest.raises(NoMatchError, match="no recordings are loaded"):
        Library().take(request())


def test_misses_are_kept_as_json_lines(tmp_path) -> None:
    file = tmp_path / "setu-misses.jsonl"
    library = Library([interaction(asked=talk("a"))], misses_file=file)
    for text in ("b", "c"):
        with pytest.raises(NoMatchError):
            library.take(talk(text))

    [first, second] = map(json.loads, file.read_text().splitlines())
    assert first["target"] == "/v1/messages"
    assert "differs first at /messages/0/content" in second["message"]
    assert library.misses == 2


def test_a_misses_file_that_cannot_be_written_changes_nothing(tmp_path) -> None:
    library = Library([interaction(asked=talk("a"))], misses_file=tmp_path)

    with pytest.raises(NoMatchError):
        library.take(talk("b"))


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_every_request_gets_its_own_recordings_in_order_and_then_a_miss(recorded, asked) -> None:
    library = Library(interaction(str(n).encode(), asked=talk(text)) for n, text in enumerate(recorded))
    left = {text: [str(n).encode() for n, each in enumerate(recorded) if each == text] for text in "abc"}

    for text in asked:
        expected = left[text].pop(0) if left[text] else None
        assert taken(library, talk(text)) == expected

    assert sorted(found.exchange.body for found in library.unused()) == sorted(chain(*left.values()))


def taken(library, asked):
    try:
        return library.take(asked).interaction.exchange.body
    except NoMatchError:
        return None


def test_redaction_comes_before_matching() -> None:
    recorded = interaction(b"1", asked=talk("my key is REDACTED"))

    asked = talk(f"my key is {KEY}")
    asked.query = "key=anything"
    asked.headers.set("x-api-key", KEY)

    assert bodies(Library([recorded]), asked) == [b"1"]


def test_volatile_members_do_not_count() -> None:
    library = Library([interaction(b"1", asked=talk("a", user="u1"))], volatile={"anthropic": ("/user",)})

    assert bodies(library, talk("a", user="u2")) == [b"1"]


def test_unused_recordings_are_known() -> None:
    library = Library([interaction(asked=talk("a")), interaction(b"2", asked=talk("b"))])
    library.take(talk("a"))

    assert [found.exchange.body for found in library.unused()] == [b"2"]
    assert len(library) == 2


def test_directories_are_read_at_any_depth_in_order(tmp_path) -> None:
    saved(tmp_path / "b" / "x.yml", interaction(b"2"))
    saved(tmp_path / "a.yaml", interaction(b"1"))
    (tmp_path / "README.md").write_text("no cassette")

    library = Library.load(str(tmp_path))

    assert [found.exchange.body for found in library.interactions] == [b"1", b"2"]
    assert library.interactions[1].place == f"{tmp_path}/b/x.yml:3"


def test_several_paths_are_read_in_their_order(tmp_path) -> None:
    one, other = saved(tmp_path / "1.yaml", interaction(b"1")), saved(tmp_path / "2.yaml", interaction(b"2"))

    assert [found.exchange.body for found in Library.load([other, one]).interactions] == [b"2", b"1"]


def test_notes_of_recordings_are_collected(tmp_path) -> None:
    path = saved(tmp_path / "a.yaml", interaction(b'{"a":1}'))
    path.write_text(path.read_text().replace('"a": 1', '"a": 2'))

    assert Library.load(path).notes == [f"{path}:3: the response body was edited after it was recorded"]


def test_a_path_that_is_not_there_is_an_error(tmp_path) -> None:
    with pytest.raises(CassetteNotFoundError, match=r"no cassette at .*nowhere"):
        Library.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ":1: no 'interactions' list"),
        ("- a\n", ":1: no 'interactions' list"),
        ("version: 1\n", ":1: no 'interactions' list"),
        ("interactions: 3\n", ":1: no 'interactions' list"),
        ("version: 1\ninteractions:\n- request: [\n", ":4: not readable YAML"),
        ("version: 1\ninteractions:\n- request: !!python/object:os.x {}\n", ":3: not readable YAML"),
        ("version: 1\ninteractions:\n\n- response: {}\n", ":4: an interaction needs a 'request' mapping"),
        ("a: \x07", ": not readable YAML"),
        ('{"interactions": 1}', ":1: no 'interactions' list"),
    ],
)
def test_what_is_no_cassette_is_named_with_file_and_line(tmp_path, text, problem) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)

    with pytest.raises(CassetteDecodeError) as caught:
        read_cassette(path)

    assert f"{path}{problem}" in str(caught.value)


def test_text_that_is_not_utf8_is_refused(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: \xff")

    with pytest.raises(CassetteDecodeError, match="not UTF-8 text at byte 3"):
        read_cassette(path)


def test_a_file_with_a_header_only_is_empty(tmp_path) -> None:
    assert len(Library.load(saved(tmp_path / "a.yaml"))) == 0


def test_comments_are_allowed(tmp_path) -> None:
    path = saved(tmp_path / "a.yaml", interaction(b"1"))
    path.write_text("# why\n" + path.read_text().replace("  response:", "  # here\n  response:"))

    assert [found.exchange.body for found in read_cassette(path)] == [b"1"]


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_files_read_the_same_with_and_without_libyaml(tmp_path, loader) -> None:
    path = saved(tmp_path / "a.yaml", interaction(ANTHROPIC_STREAM), interaction("data: \U0001f600\x85\n\n".encode()))

    document = yaml.load(path.read_text(), loader)

    assert document == yaml.load(path.read_text(), yaml.CSafeLoader)


@pytest.mark.timed
def test_a_thousand_interactions_load_and_play_within_two_seconds(tmp_path) -> None:
    history = [f"message number {n} of a longer talk, with some words in it" for n in range(10)]
    talks = [talk(*history, str(n)) for n in range(1000)]
    path = saved(tmp_path / "a.yaml", *(interaction(ANTHROPIC_STREAM * 6, asked=asked) for asked in talks))

    assert min(_seconds_to_play(path, talks) for _ in range(3)) < 2


def _seconds_to_play(path, talks):
    started = time.process_time()  # a busy machine does not count
    library = Library.load(path)
    for asked in reversed(talks):
        library.take(asked)
    assert library.unused() == ()
    return time.process_time() - started


def test_a_recording_taken_loosely_does_not_leave_the_request_it_was_of_without_an_answer() -> None:
    one, two, other = (talk(f"id 0190b6f2-7c1a-7d4e-9c3f-00000000000{n}") for n in range(3))
    library = Library(
        [interaction(b"1", asked=one), interaction(b"2", asked=two)], normalisers=parse_normalisers(["uuid"])
    )

    assert bodies(library, other, one) == [b"1", b"2"]


def test_a_form_is_told_by_where_its_own_boundary_divides_it() -> None:
    body = b"--a\r\n\r\n1\r\n--a--\r\n--b--\r\n"
    forms = [request(body, path="/f", headers={"content-type": f"multipart/form-data; boundary={b}"}) for b in "ab"]
    library = Library([interaction(asked=forms[0])])

    assert library.asked(forms[0]).key != library.asked(forms[1]).key


@pytest.mark.parametrize("looser", ["shape", "last-user"])
@pytest.mark.parametrize("exhausted", ["error", "last", "cycle"])
def test_where_anything_like_it_will_do_an_answer_comes_before_an_error(looser, exhausted) -> None:
    library = Library(
        [
            interaction(b"refused", asked=talk("a", max_tokens=1), status=400),
            interaction(b"answered", asked=talk("a", max_tokens=2)),
        ],
        looser=looser,
        on_exhausted=exhausted,
    )
    asked = [talk("a", max_tokens=tokens) for tokens in (3, 4)]

    after = {"error": b"refused", "last": b"answered", "cycle": b"answered"}[exhausted]
    assert bodies(library, *asked) == [b"answered", after]


def test_an_answer_of_another_host_comes_before_an_error_of_ones_own() -> None:
    here, there = talk("a"), talk("a", n=1)
    there.origin = "https://other.example"
    library = Library(
        [interaction(b"refused", asked=here, status=429), interaction(b"answered", asked=there)], looser="last-user"
    )

    assert bodies(library, talk("a", n=2)) == [b"answered"]


def test_what_was_recorded_of_the_very_request_is_served_as_it_was_an_error_too() -> None:
    recorded = [interaction(b"refused", asked=talk("a"), status=429), interaction(b"answered", asked=talk("a"))]

    assert bodies(Library(recorded, looser="last-user"), talk("a"), talk("a")) == [b"refused", b"answered"]
    assert bodies(Library(recorded, looser="sequence"), talk("b"), talk("c")) == [b"refused", b"answered"]


def test_two_requests_that_differ_only_in_a_secret_are_equal() -> None:
    """The guide to replaying says so: they share one queue, and are served in the order of recording."""
    keys = [f"sk-ant-api03-{letter * 3}B3dE6gH9jK2mN5pQ8rT1vW4" for letter in "XYZ"]
    one, two, other = (talk(f"my key is {key}; is it good?") for key in keys)
    library = Library([interaction(b"1", asked=one), interaction(b"2", asked=two)])

    assert library.asked(one).key == library.asked(two).key == library.asked(other).key
    assert bodies(library, two, other) == [b"1", b"2"]
    assert library.asked(one).key != library.asked(talk("my key is none; is it good?")).key
