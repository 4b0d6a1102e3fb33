"""llm-comply, the other suite that any server can be asked with, on the same servers: its verdicts beside ours."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from setu.conformance.packages import Wanted, cache_folder, installed
from setu.errors import SetuError

VERSION = "0.5.0"
WANTED = Wanted(kind="pypi", packages=(f"llm-comply=={VERSION}",))
RUN_SECONDS = 300
FAILED = 1
"""Its exit status when a test failed; others mean that it did not run."""

FORMATS: Mapping[str, tuple[str, str, str, dict[str, str]]] = {
    "openai_chat": ("openai-chat", "/v1", "Bearer", {}),
    "openai_responses": ("open-responses", "/v1", "Bearer", {}),
    "anthropic": ("anthropic", "/v1", "x-api-key", {"anthropic-version": "2023-06-01"}),
    "gemini": ("google-genai", "", "x-goog-api-key", {}),
}
"""By client dialect: its name for it, what follows the server's URL, where the key goes, and headers that it needs."""


class RivalError(SetuError):
    """The other suite did not run to its end."""


class Verdict(msgspec.Struct, frozen=True):
    """What it says of one of its tests: a test with warnings alone passes."""

    passed: bool
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def comply(
    url: str,
    model: str,
    key: str,
    *,
    dialect: str = "openai_chat",
    headers: Mapping[str, str] | None = None,
    cache: Path | None = None,
) -> dict[str, Verdict]:
    """Run its tests on a server, and return its verdicts by test id; tests that it leaves out are not there.

    `url` ends before `/v1`; `headers` go with every request, beside `key` where the dialect has it. The
    program is installed first where it is not yet.

    Raises:
        InstallError: it cannot be installed.
        RivalError: it did not run to its end, or said something else than its results.
    """
    room = installed("llm-comply", WANTED, cache_folder() if cache is None else cache)
    command = [str(room.python), "-m", "llm_comply.cli", *options(url, model, dialect, headers or {})]
    environ = {"PATH": os.environ.get("PATH", ""), "NO_PROXY": "*", "OPENRESPONSES_API_KEY": key}
    try:
        done = subprocess.run(  # noqa: S603 - a program of our own choice
            command, env=environ, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise RivalError(f"llm-comply {VERSION} did not end within {RUN_SECONDS} s") from None
    if done.returncode not in {0, FAILED}:
        raise RivalError(f"llm-comply {VERSION} ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
    return verdicts(done.stdout)


def options(url: str, model: str, dialect: str, headers: Mapping[str, str]) -> list[str]:
    name, path, place, own = FORMATS[dialect]
    auth = [] if place == "Bearer" else ["--auth-header", place, "--no-bearer"]
    # It would send the key twice, in two spellings of the name.
    sent = own | {field: value for field, value in headers.items() if field != "authorization"}
    further = ["--header", ",".join(f"{field}:{value}" for field, value in sent.items())] if sent else []
    return ["--json", "--format", name, "--base-url", url.rstrip("/") + path, "--model", model, *auth, *further]


def verdicts(output: str) -> dict[str, Verdict]:
    """Read what it prints with `--json`.

    Raises:
        RivalError: that is something else.
    """
    try:
        results: list[Mapping[str, Any]] = json.loads(output)["results"]
        return {
            result["id"]: Verdict(
                passed=result["status"] == "passed",
                errors=tuple(result.get("errors", ())),
                warnings=tuple(result.get("warnings", ())),
            )
            for result in results
            if result["status"] != "skipped"
        }
    except (ValueError, KeyError, TypeError) as error:
        raise RivalError(f"llm-comply {VERSION} printed no results ({error!r}): {output.strip()[:200]}") from None
