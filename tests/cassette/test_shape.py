import base64
import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import msgspec
import pytest

from setu.cassette.blobs import FOLDER, Blobs
from setu.cassette.library import Library
from setu.cassette.match import LARGE, key_of
from setu.cassette.model import Recording, Timing
from setu.cassette.script import Bytes, script_of
from setu.cassette.shape import shape_of, strip, without_media
from setu.cassette.shelf import Appender, read_cassette
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, JSON, interaction, request

PICTURE = base64.b64encode(bytes(range(256)) * 200).decode()


def painted():
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    asked = request({"model": "m", "messages": [{"role": "user", "content": [{"type": "image", "source": source}]}]})
    answer = {"data": [{"b64_json": PICTURE}], "small": "aGk="}
    return interaction(msgspec.json.encode(answer), asked=asked, headers=JSON)


def test_large_media_are_over_the_limit() -> None:
    assert len(PICTURE) > LARGE


def test_a_stripped_recording_still_answers_the_request_with_the_media_in_it() -> None:
    stripped = without_media(painted(), strip)

    assert len(stripped.exchange.request.body) < 300
    assert len(stripped.exchange.body) < 300
    assert b'"small":"aGk="' in stripped.exchange.body
    assert Library([stripped]).take(painted().exchange.request)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"model": "m", "messages": [], "attachment": PICTURE}),
        ("/v1/messages", {"model": "m", "messages": [{"role": "user", "content": f"data:text/plain;base64,{PICTURE}"}]}),
        ("/v1/messages", {"model": "m", "messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"blob": PICTURE}}]}]}),
        ("/nobodys/api", {"upload": [PICTURE, {"again": PICTURE}]}),
    ],
)  # fmt: skip
def test_media_under_any_name_match_stripped_or_not(path, body) -> None:
    whole = interaction(asked=request(body))
    whole.exchange.request.path = path
    other = request(json.loads(json.dumps(body).replace(PICTURE, PICTURE[4:])))
    other.path = path

    stripped = without_media(whole, strip)

    assert len(stripped.exchange.request.body) < 500
    assert key_of(stripped.exchange.request) == key_of(whole.exchange.request)
    assert key_of(other) != key_of(whole.exchange.request)


def test_media_in_a_request_that_is_not_json_stay_for_matching_compares_the_whole() -> None:
    whole = interaction(asked=request({}))
    whole.exchange.request.body = b'{"a":"%s"}\n{"a":1}' % PICTURE.encode()

    assert without_media(whole, strip).exchange.request.body == whole.exchange.request.body


def test_blobs_are_kept_once_beside_the_cassette_and_put_back(tmp_path) -> None:
    shape = shape_of(media=Blobs(tmp_path).keep)
    path = tmp_path / "deep" / "a.yaml"

    Appender(path).append(shape(painted()))

    assert path.stat().st_size < 2000
    [blob] = (tmp_path / FOLDER).iterdir()
    assert blob.read_text() == PICTURE
    [found] = read_cassette(path)
    assert found.exchange.request.body == painted().exchange.request.body
    assert found.exchange.body == painted().exchange.body
    assert found.notes == ()


def test_a_blob_that_is_not_there_leaves_the_digest_and_a_changed_one_is_told(tmp_path) -> None:
    Appender(tmp_path / "a.yaml").append(shape_of(media=Blobs(tmp_path).keep)(painted()))
    [blob] = (tmp_path / FOLDER).iterdir()

    blob.write_text("something else")
    [changed] = read_cassette(tmp_path / "a.yaml")
    blob.unlink()
    [missing] = read_cassette(tmp_path / "a.yaml")

    assert all("is not what was recorded" in note for note in changed.notes)
    assert len(changed.notes) == 2
    assert missing.exchange.body == changed.exchange.body
    assert Library([missing]).take(painted().exchange.request)


def test_times_can_be_left_out() -> None:
    timed = Recording(timing=Timing(ttfb_ms=5, events_ms=(0, 5)))

    assert shape_of(timing=False)(interaction(CHAT_STREAM, recording=timed)).recording.timing is None
    assert shape_of()(interaction(CHAT_STREAM, recording=timed)).recording.timing == timed.timing


@pytest.mark.parametrize("sizes", [(20, 30), (7, 1, 100)])
def test_chunks_are_played_as_they_came(tmp_path, sizes) -> None:
    sizes = (*sizes, len(ANTHROPIC_STREAM) - sum(sizes))
    timing = Timing(ttfb_ms=10, events_ms=(0, 50, 50, 100, 200))
    Appender(tmp_path / "a.yaml").append(
        interaction(ANTHROPIC_STREAM, recording=Recording(timing=timing, chunks=sizes))
    )

    [found] = read_cassette(tmp_path / "a.yaml")

    chunks = [step.data for step in script_of(found, speed=1) if isinstance(step, Bytes)]
    assert tuple(map(len, chunks)) == sizes
    assert b"".join(chunks) == ANTHROPIC_STREAM
    assert [len(step.data) for step in script_of(found) if isinstance(step, Bytes)] == list(sizes)
    assert shape_of()(found).recording.chunks == ()
    assert shape_of(chunks=True)(found).recording.chunks == sizes


def test_chunks_of_an_edited_body_are_forgotten() -> None:
    edited = interaction(CHAT_STREAM, recording=Recording(chunks=(1, 2, 3)))

    assert [step.data for step in script_of(edited) if isinstance(step, Bytes)] == [
        piece + b"\n\n" for piece in CHAT_STREAM.split(b"\n\n")[:-1]
    ]


def test_identifiers_are_renamed_when_asked() -> None:
    found = shape_of(rename=lambda each: key_of(each.exchange.request))(
        interaction(b'{"id":"msg_01ABCDEFGH"}', headers=JSON)
    )

    assert b"msg_setu_" in found.exchange.body


def test_threads_may_keep_the_same_media_at_once(tmp_path) -> None:
    data = b"A" * 3_000_000
    name = sha256(data).hexdigest()

    for turn in range(5):
        blobs = Blobs(tmp_path / str(turn))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _, blobs=blobs: blobs.keep(name, data), range(8)))

        assert [file.name for file in (tmp_path / str(turn) / FOLDER).iterdir()] == [name]
