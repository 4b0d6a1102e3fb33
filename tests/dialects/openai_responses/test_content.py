"""Content parts of the Responses API: sound, files, and what is not as documented."""

from typing import Any

import pytest

from setu.chat.parts import Inline, Media, Opaque, Ref, Refusal, Text, Url
from setu.chat.request import ChatRequest
from setu.dialects.openai_responses.content import PartWriter, parse_part
from setu.dialects.record import Loss, Target
from setu.errors import LocalDialectError
from tests.dialects.openai_responses.wire import parse, user

SOUND = Media(kind="audio", source=Inline(b64="AAAA", mime="audio/wav"))


def read(part: dict[str, Any]) -> Any:
    request: ChatRequest = parse(user([part]))
    return request.messages[0].parts[0]


def written(part: Any, *capabilities: str) -> tuple[list[Any], list[str]]:
    losses: list[Loss] = []
    target = Target(model="m", capabilities=frozenset(capabilities))
    return PartWriter(target, losses).part(part, ("input", 0)), [loss.pointer for loss in losses]


def test_sound_is_read_and_written_where_the_target_takes_it() -> None:
    wire = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}

    assert read(wire) == SOUND
    assert written(SOUND, "input_audio") == ([wire], [])
    assert written(SOUND) == ([], ["/input/0"])


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "opus"}},
        {"type": "input_audio", "input_audio": {"format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav", "odd": 1}},
        {"type": "input_audio"},
        {"type": "input_file", "filename": "a.pdf"},
        {"type": "input_file", "file_data": "no data URL"},
        {"type": "brand_new"},
    ],
)
def test_a_part_that_is_not_as_documented_stays_opaque(part: dict[str, Any]) -> None:
    found = read(part)

    assert isinstance(found, Opaque)
    assert found.kind == f"content.{part['type']}"


@pytest.mark.parametrize("part", [{"type": "input_text"}, {"type": "refusal"}, {"type": "input_image"}, {"text": "x"}])
def test_a_client_must_say_what_a_part_is_about(part: dict[str, Any]) -> None:
    with pytest.raises(LocalDialectError):
        read(part)


@pytest.mark.parametrize("raw", [b"7", b'"x"', b"{}", b'{"type":"output_text"}', b'{"type":"refusal"}'])
def test_an_upstream_may_leave_it_out(raw: bytes) -> None:
    assert isinstance(parse_part(raw, "x", lenient=True), (Opaque, Text, Refusal))


@pytest.mark.parametrize(
    ("source", "members"),
    [
        (Url(url="https://x.test/a.pdf"), {"file_url": "https://x.test/a.pdf"}),
        (Ref(issuer="openai_chat", id="file-1"), {"file_id": "file-1"}),
        (
            Inline(b64="AAAA", mime="application/pdf"),
            {"filename": "document.pdf", "file_data": "data:application/pdf;base64,AAAA"},
        ),
    ],
)
def test_a_file_is_written_by_address_by_id_or_whole(source: Url | Ref | Inline, members: dict[str, str]) -> None:
    assert written(Media(kind="document", source=source)) == ([{"type": "input_file", **members}], [])


def test_a_file_that_another_host_keeps_is_lost() -> None:
    assert written(Media(kind="document", source=Ref(issuer="gemini", id="f"))) == ([], ["/input/0"])


def test_a_message_of_an_empty_text_says_nothing() -> None:
    assert written(Text(text="")) == ([], [])
