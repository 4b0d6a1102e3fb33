"""docs/reference/faults.md from the forms and from what clients are known to make of them; `python -m tests.docs.faults` writes it."""

from setu.cassette.faults import FORMS
from setu.cassette.verdict import CHECKS, HASTE_MS, MAX_RETRIES, SLACK_MS
from tests.clients.faulted import CALLS, OUTCOMES, SHORT
from tests.docs.blocks import ROOT

PAGE = ROOT / "docs" / "reference" / "faults.md"

_HEAD = """# Faults

A fault breaks a recorded answer on purpose, so that a client can be seen to bear it. The same text stands on the command line (`setu replay --fault`), in a file (one fault a line, `#` for comments), in the admin API, in the header `X-Setu-Fault` of one request, and in the pytest marker. This page is written from the code and from tests that run.

## How a fault is written

`[DIALECT][#NTH]: FAULT [p=PROBABILITY] [seed=N]`

- `anthropic#2: close@event=4` strikes the second call to Anthropic; `openai` means Chat Completions and Responses. Without a lead it strikes every call.
- `p=0.3 seed=7` strikes a share of the calls. What is left to chance depends on the seed, on the request and on how often it came, not on the clock nor on other requests: the same run gives the same faults.
- Several faults strike in their order. Those that look at events (`drop-done`, `malformed-event`, `inject-error`, `ping`) cut the answer at its events first, so `split` goes last.
- Events count from 0; the number in brackets is what stands for N where none is given.
- Error answers come before the recorded one and do not use it up. Status, body and header fields are the provider's: `x-ratelimit-*` for OpenAI, `anthropic-ratelimit-*` for Anthropic, `RetryInfo` in the body for Gemini, `x-amzn-errortype` for Bedrock.
- In the header `X-Setu-Fault`, semicolons stand between faults; `429x2` there fails the first two tries of that call.

| fault | what the client meets |
|---|---|
"""

_CLIENTS = """
## What the vendors' clients make of it

openai 3.52 and anthropic 2.11 for Python, without retries, over a socket. A short name is an exception of the client itself.

"""

_LESSONS = """
Worth knowing:

- A stream that ends politely before its time is an error to `responses.stream` alone: {short} is what a missing end looks like to all others. Look for `finish_reason` (OpenAI), the event `response.completed` (Responses) or `stop_reason` (Anthropic) before you trust an answer.
- What breaks while a stream is read reaches the caller of Anthropic's client as an exception of its HTTP library, and malformed JSON reaches the caller of either as one of `json`: `except anthropic.APIError` catches neither.
- Both retry (twice by default) until they have something to hand out: a whole answer that breaks off is asked for again, a stream that breaks off is not.

## The verdict

`setu replay --resilience report.json -- COMMAND` judges what the command did with the failures it was given. Requests with the same content are the attempts of one call as long as each comes after the failure of the one before it. Each finding says on what it rests.

| check | passes when | fails when |
|---|---|---|
"""

_FAILS = {
    "retried": "no request with the same content follows the first such failure",
    "not-retried": "the same request comes again (`info` if the client calls that a first attempt)",
    "retry-after": f"the next attempt comes more than {SLACK_MS} ms too soon",
    "backoff": f"without a `retry-after`, the next attempt comes within {HASTE_MS} ms",
    "stopped": f"there are more than {MAX_RETRIES} retries",
    "success-kept": "a request that says it is a retry (`x-stainless-retry-count`) follows a whole answer",
    "truncation": "nothing follows an answer that was not whole, and the command ends with status 0",
}


def page() -> str:
    """Return the page."""
    forms = [f"| `{form.text}` | {form.does} |" for form in FORMS]
    clients = [f"| fault | {' | '.join(CALLS)} |", "|---" * (len(CALLS) + 1) + "|"]
    clients += [f"| `{fault}` | {' | '.join(found)} |" for fault, found in OUTCOMES.items()]
    checks = [f"| `{check}` | {asks} | {_FAILS[check]} |" for check, asks in CHECKS.items()]
    tables = (_HEAD, forms), (_CLIENTS, clients), (_LESSONS.replace("{short}", SHORT), checks)
    return "".join(lead + "\n".join(rows) + "\n" for lead, rows in tables)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
