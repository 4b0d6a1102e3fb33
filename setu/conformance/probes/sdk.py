"""Probes by the clients themselves, where they are installed: OpenAI's SDK, and LangChain's on top of it."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Any

from setu.conformance.lab import Lab
from setu.conformance.probes.probe import Probes

PROBES = Probes()

_CLASSES: Mapping[str, str] = {
    "400": "BadRequestError",
    "401": "AuthenticationError",
    "403": "PermissionDeniedError",
    "404": "NotFoundError",
    "429": "RateLimitError",
    "500": "InternalServerError",
}


def _installed(lab: Lab, package: str, *checks: str) -> bool:
    """Say whether a client is there and the subject can be reached by it; note it if not."""
    if lab.aim.url is None:
        why = "the target is not on a URL"
    elif find_spec(package) is None:
        why = f"the package {package} is not installed"
    else:
        return True
    for check in checks:
        lab.unsupported(check, why)
    return False


def _client(lab: Lab) -> Any:
    import openai

    return openai.OpenAI(**_options(lab))


def _options(lab: Lab) -> dict[str, Any]:
    key = (lab.aim.headers.get("authorization") or "").removeprefix("Bearer ") or "none"
    others = {name: value for name, value in lab.aim.headers.items() if name != "authorization"}
    return {
        "base_url": f"{lab.aim.url}/v1",
        "api_key": key,
        "default_headers": others,
        "max_retries": 0,
        "timeout": 60,
    }


@PROBES.add("SDK-001")
async def openai_parses(lab: Lab) -> None:
    """OpenAI's client builds its models without validating, so what it built is validated here."""
    if not _installed(lab, "openai", "SDK-001"):
        return

    def plain(client: Any) -> None:
        _strictly([client.chat.completions.create(**lab.chat())])

    def streamed(client: Any) -> None:
        _whole(list(client.chat.completions.create(**lab.chat(), stream=True)))

    for ask in (plain, streamed):
        lab.say("SDK-001", await asyncio.to_thread(_problem, partial(ask, _client(lab))))
    # In a thread, too: the asynchronous client wants an event loop of its own to be closed in.
    lab.say("SDK-001", await asyncio.to_thread(_problem, lambda: asyncio.run(_asynchronous(lab))))


async def _asynchronous(lab: Lab) -> None:
    import openai

    async with openai.AsyncOpenAI(**_options(lab)) as client:
        _strictly([await client.chat.completions.create(**lab.chat())])
        _whole([chunk async for chunk in await client.chat.completions.create(**lab.chat(), stream=True)])


def _strictly(answers: list[Any]) -> None:
    for answer in answers:
        type(answer).model_validate_json(answer.model_dump_json(warnings=False), strict=True)


def _whole(chunks: list[Any]) -> None:
    _strictly(chunks)
    assert any(choice.finish_reason for chunk in chunks for choice in chunk.choices), "no finish_reason came"


@PROBES.add("SDK-002", scripted=True)
async def openai_classifies(lab: Lab) -> None:
    """Every status of the upstream is the exception that callers catch."""
    if not _installed(lab, "openai", "SDK-002"):
        return
    for status, wanted in _CLASSES.items():
        lab.stand.clear()
        lab.stand.play(f"{status}x3")
        problem = await asyncio.to_thread(_problem, lambda: _client(lab).chat.completions.create(**lab.chat()))
        raised = (problem or "nothing").partition(":")[0]
        # A gateway's own key with its upstream is its own trouble: many answer 500 or 502 for a 401 or 403.
        fits = raised == wanted or (status in ("401", "403") and raised == "InternalServerError")
        lab.say("SDK-002", None if fits else f"status {status} of the upstream raised {raised}, expected {wanted}")


@PROBES.add("SDK-003")
async def langchain_smoke(lab: Lab) -> None:
    if not _installed(lab, "langchain_openai", "SDK-003"):
        return

    def ask() -> None:
        import langchain_openai

        key = (lab.aim.headers.get("authorization") or "").removeprefix("Bearer ") or "none"
        model = langchain_openai.ChatOpenAI(base_url=f"{lab.aim.url}/v1", api_key=key, model=lab.aim.model)
        assert model.invoke("Say hello.").content, "invoke gave no text"
        assert list(model.stream("Say hello.")), "stream gave no chunk"

    lab.say("SDK-003", await asyncio.to_thread(_problem, ask))


def _problem(ask: Callable[[], object]) -> str | None:
    """Return what a client raised: its class and its words."""
    try:
        ask()
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is asked for
        return f"{type(error).__name__}: {str(error)[:300]}"
    return None
