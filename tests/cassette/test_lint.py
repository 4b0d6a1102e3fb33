import msgspec
import pytest

from setu.cassette.lint import findings_of
from setu.cassette.model import Interaction, Provenance, Recording, Side
from setu.cassette.redact import redact_request
from setu.http import Ending
from setu.studio import key_of
from tests.cassette.samples import interaction, request


def of(each: Interaction) -> list[str]:
    return findings_of([msgspec.structs.replace(each, place="a.yaml:3")], key_of)


def twin(side: Side, place: str) -> Interaction:
    return msgspec.structs.replace(interaction(recording=Recording(twin="s1", side=side)), place=place)


def test_a_recording_without_a_flaw_has_no_finding() -> None:
    asked, _ = redact_request(request())
    good = interaction(asked=asked)

    assert of(good) == []
    assert of(msgspec.structs.replace(good, recording=Recording(key=key_of(good)))) == []


def test_a_key_that_is_not_the_requests_is_found() -> None:
    [finding] = of(interaction(recording=Recording(key="0123")))

    assert finding.startswith("a.yaml:3: the key 0123 is not the request's any more")
    assert key_of(interaction()) in finding


def test_a_body_that_was_edited_is_found_unless_it_says_so() -> None:
    def noted(provenance: Provenance) -> Interaction:
        edited = interaction(recording=Recording(provenance=provenance))
        return msgspec.structs.replace(edited, notes=("a.yaml:3: the response body was edited after it was recorded",))

    assert len(of(noted("recorded"))) == 1
    assert of(noted("edited")) == []


def test_an_answer_that_nobody_would_send_is_found() -> None:
    assert of(interaction(status=101)) == ["a.yaml:3: the status 101 is no answer"]


@pytest.mark.parametrize(("end", "found"), [(Ending.CLOSED_BY_CLIENT, 1), (Ending.ERROR, 1), (Ending.TRUNCATED, 0)])
def test_a_recording_that_the_client_broke_off_is_found(end: Ending, found: int) -> None:
    assert len(of(interaction(end=end))) == found


def test_what_looks_like_a_secret_is_found_by_its_place_and_never_shown() -> None:
    secret = "sk-proj-" + "abcdEFGH0123" * 4

    findings = of(interaction(b'{"key":"' + secret.encode() + b'"}', asked=request({"note": secret})))

    assert len(findings) == 2
    assert all("looks like a secret" in finding and secret not in finding for finding in findings)


def test_a_header_that_is_never_stored_is_no_finding_of_its_own() -> None:
    asked = request(headers={"user-agent": "python/3", "content-type": "application/json"})

    assert of(interaction(asked=asked)) == []


def test_a_call_with_two_client_sides_is_found() -> None:
    both = [twin("client", "a.yaml:3"), twin("upstream", "a.yaml:9"), twin("client", "a.yaml:15")]

    assert findings_of(both[:2], key_of) == []
    assert findings_of(both, key_of) == ["a.yaml:15: the twin s1 has 2 recordings of the client's side"]
