"""What the journal of a replay holds of requests: no secret, and of a translated one the client's own words."""

import asyncio

import pytest

from setu.cassette.journal import Journal
from setu.cassette.library import Library
from setu.errors import TruncatedError
from setu.transport.replay import Replay
from tests.cassette.samples import ANTHROPIC_STREAM, interaction, request, talk
from tests.transport.test_replay import entries, outcomes, render, replay
from tests.transport.virtual import VirtualClock

SECRETS = (
    "sk-ant-api03-" + "aB3dE6gH9j" * 3,
    "AIza" + "Sy3xKq9ZpL7vT2wM8nB4cR6dF1gH5jU0Ya"[:35],
    "hunter2-of-the-environment",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_the_journal_holds_no_secret_of_a_path_or_a_query(secret: str) -> None:
    transport = Replay(
        Library([interaction()], secrets=SECRETS[2:]), VirtualClock(), render_error=render, journal=Journal()
    )
    asked = [
        request(path=f"/v1/files/{secret}/content"),
        request({"model": secret}, path="/v1/messages", query=f"key={secret}&page={secret}"),
        request(path=f"/v1beta/models/{secret}:generateContent"),
    ]

    told = outcomes(transport, *asked)

    assert [status for status, _ in told] == [424, 424, 424]
    assert secret not in repr(entries(transport))
    assert entries(transport)[0].path.startswith("/v1/files/")
    assert entries(transport)[0].path.endswith("/content")


def test_what_is_translated_for_a_client_is_told_as_the_client_asked_it() -> None:
    asked = talk("a", stream=True)
    client = request({"model": "mine"}, path="/v1/chat/completions", origin="")
    client.headers.set("x-stainless-retry-count", "2")
    client.headers.set("x-setu-fault", "close@event=1")
    transport = replay(interaction(ANTHROPIC_STREAM, asked=asked))

    async def scenario() -> None:
        response = await transport.answer(asked, client)
        with pytest.raises(TruncatedError):
            await response.read()
        assert response.headers.get("x-setu-match") == "translated"

    asyncio.run(scenario())

    (entry,) = entries(transport)
    assert (entry.match, entry.dialect, entry.path, entry.model) == (
        "translated",
        "openai_chat",
        "/v1/chat/completions",
        "mine",
    )
    assert (entry.attempt, entry.fault, entry.key) == (2, "close@event=1", transport.library.asked(asked).key)
    assert transport.journal.hits == 1
