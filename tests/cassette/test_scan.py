import json

import pytest

from setu.cassette.edits import Rules
from setu.cassette.scan import Hit, is_stand_in, listed, scan
from setu.cassette.serialize import HEADER, render_block
from setu.cassette.shelf import whole
from tests.cassette.samples import interaction, request, talk
from tests.cassette.test_redact import SHAPED

KEY = SHAPED["openai"]
PLAIN = "Zq7-plain-credential-7f3d2b"
FOREIGN = f"""interactions:
- request:
    body: '{{"a": {{"b": "{KEY}"}}}}'
    headers:
      Authorization:
      - Bearer {PLAIN}
      X-Api-Key:
      - <key>
    method: POST
    uri: https://api.example.com/v1?key={PLAIN}&sig=REDACTED
  response:
    body:
      string: '{{"vault_token": "{PLAIN}"}}'
    headers:
      Set-Cookie:
      - session={PLAIN}
    status: {{code: 200, message: OK}}
version: 1
"""


def hits(text: str, name: str = "a.yaml", **options: bool) -> list[Hit]:
    recordings = whole(text, name) if "interactions" in text else []
    return scan(text, name, Rules(known=("known-value",)), recordings, **options)


def test_a_foreign_cassette_is_searched_by_its_parts() -> None:
    assert hits(FOREIGN) == [
        Hit("a.yaml", 3, "request.body:/a/b", "sk- key"),
        Hit("a.yaml", 6, "request.headers.authorization", "a credential header"),
        Hit("a.yaml", 10, "request.query.key", "a credential in the query"),
        Hit("a.yaml", 13, "response.body:/vault_token", "a value named like a secret", guess=True),
        Hit("a.yaml", 16, "response.headers.set-cookie", "a credential header"),
    ]


def test_guesses_can_be_left_out() -> None:
    assert [hit.line for hit in hits(FOREIGN, guess=False)] == [3, 6, 10, 16]


def test_the_same_secret_in_two_recordings_is_two_hits() -> None:
    text = HEADER + render_block(interaction(asked=talk(KEY))) * 2

    found = hits(text)

    assert [hit.where for hit in found] == ["request.body:/messages/0/content"] * 2
    assert [KEY in line for line in text.splitlines()].count(True) == 2
    assert [text.splitlines()[hit.line - 1].count(KEY) for hit in found] == [1, 1]


def test_what_base64_hides_is_found() -> None:
    text = HEADER + render_block(interaction(b"\x00\xff" + KEY.encode()))

    [hit] = hits(text)

    assert (hit.where, hit.kind) == ("response.body", "sk- key")


def test_a_clean_cassette_has_none() -> None:
    assert hits(HEADER + render_block(interaction(asked=talk("hello")))) == []


@pytest.mark.parametrize(
    ("text", "line", "where"),
    [
        (json.dumps({"a": [{"b": KEY}]}), 1, "/a/0/b"),
        (json.dumps({"a": [{"b": KEY}]}, indent=2), 4, "/a/0/b"),
        (f'{{"n":1}}\n{{"request":{{"body":"{KEY}"}}}}\n', 2, "/request/body"),
        (f"# notes\n\nthe key is {KEY}\n", 3, ""),
        ("the value is known-value", 1, ""),
    ],
    ids=["json", "indented json", "json lines", "text", "known"],
)
def test_any_text_is_searched(text: str, line: int, where: str) -> None:
    [hit] = hits(text, "notes.txt")

    assert (hit.file, hit.line, hit.where) == ("notes.txt", line, where)


def test_a_line_says_everything_but_the_secret() -> None:
    lines = listed(hits(FOREIGN))

    assert lines[0] == "a.yaml:3: sk- key in request.body:/a/b"
    assert lines[3] == "a.yaml:13: a value named like a secret (perhaps) in response.body:/vault_token"
    assert KEY not in repr(lines)
    assert PLAIN not in repr(lines)


@pytest.mark.parametrize(
    "value", ["REDACTED", "Bearer <token>", "test-key", "$KEY", "**********", "xxxxxxxx", "", "abc"]
)
def test_stand_ins(value: str) -> None:
    assert is_stand_in(value)


def test_a_request_with_userinfo_is_a_hit() -> None:
    asked = request(origin=f"https://user:{PLAIN}@api.example.com")

    assert [hit.where for hit in hits(HEADER + render_block(interaction(asked=asked)))] == ["request.uri"]
