"""Where requests go: named, ruled, counted, priced, and where they go when the first place fails."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.e2e.predecessors.serving import MESSAGES, Started, model_asked, said

pytestmark = pytest.mark.slow

ROUTED = """
[providers.openai]
base_url = "$UPSTREAM/v1"
api_key = "sk-openai-0123456789"
models = ["gpt-4o", "shared-model"]
[providers.anthropic]
base_url = "$UPSTREAM"
api_key = "sk-ant-0123456789"
models = ["claude-sonnet-4-5", "shared-model"]
[providers.openrouter]
base_url = "$UPSTREAM/api/v1"
api_key = "sk-or-0123456789"
models = ["openai/gpt-4o", "deepseek/deepseek-r1"]
[providers.east]
type = "openai"
base_url = "$UPSTREAM/east/v1"
api_key = "sk-east-0123456789"
models = ["twin", "priced"]
[providers.west]
type = "openai"
base_url = "$UPSTREAM/west/v1"
api_key = "sk-west-0123456789"
models = ["twin", "priced"]

[resilience.retry]
max_attempts = 1

[routing]
default_provider = "openrouter"
provider_priorities = ["anthropic", "openai"]
directives = true
[routing.rules]
"llama-*" = "openai"
[routing.models]
"fast" = "openai/gpt-4o"
"best" = ["anthropic/claude-sonnet-4-5", "openai/gpt-4o"]
[routing.provider_aliases]
"claude" = "anthropic"

[[routing.routes]]
name = "review"
match = {use_case = "code_review"}
primary = {provider = "anthropic", model = "claude-sonnet-4-5"}
fallbacks = [{provider = "openai", model = "gpt-4o"}]

[prices."east/priced"]
input_per_1m = 10.0
output_per_1m = 30.0
[prices."west/priced"]
input_per_1m = 1.0
output_per_1m = 3.0
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with Started(tmp_path_factory.mktemp("routed"), ROUTED) as gateway:
        yield gateway


@pytest.fixture
def routed(started: Started) -> Started:
    started.play()
    return started


def place_of(gateway: Started) -> tuple[str, str]:
    """Return the path and the model of the one request that reached an upstream."""
    (exchange,) = gateway.reached()
    return exchange.request.path, model_asked(exchange)


def test_prefix_routing_provider_model(routed: Started) -> None:
    """A prefix counts where it is a provider's name; any other slash belongs to the model."""
    for model, place in {
        "openai/gpt-4o": ("/v1/chat/completions", "gpt-4o"),
        "anthropic/claude-sonnet-4-5": ("/v1/messages", "claude-sonnet-4-5"),
        "claude/claude-sonnet-4-5": ("/v1/messages", "claude-sonnet-4-5"),
        "openrouter/openai/gpt-4o": ("/api/v1/chat/completions", "openai/gpt-4o"),
        "deepseek/deepseek-r1": ("/api/v1/chat/completions", "deepseek/deepseek-r1"),
    }.items():
        assert routed.ask(said(model=model)).status == 200, model
        assert place_of(routed) == place


def test_header_routing(routed: Started) -> None:
    """`X-Setu-Provider` before `x-provider` before the query; a fallback list; a name nobody has is a 400."""
    body = said(model="shared-model")
    for fields, query, path in [
        ([("x-setu-provider", "openai"), ("x-provider", "anthropic")], "", "/v1/chat/completions"),
        ([("x-provider", "anthropic")], "?provider=openai", "/v1/messages"),
        ([], "?provider=openai", "/v1/chat/completions"),
    ]:
        answer = routed.ask(body, f"/v1/chat/completions{query}", fields)
        assert answer.status == 200
        assert place_of(routed) == (path, "shared-model")
        assert answer.field("x-setu-route")
    routed.play("503")
    fallen = routed.ask(body, fields=[("x-setu-provider", "openai"), ("x-setu-fallback", "anthropic")])
    assert fallen.status == 200
    assert [exchange.request.path for exchange in routed.reached()] == ["/v1/chat/completions", "/v1/messages"]
    unknown = routed.ask(body, fields=[("x-setu-provider", "nobody")])
    assert (unknown.status, unknown.error["code"]) == (400, "provider_not_found")


def test_use_case_routes(routed: Started) -> None:
    """The use case names the target where the model does not; it goes to no upstream that has no `metadata`."""
    answer = routed.ask(said(model=None, metadata={"use_case": "code_review", "tenant": "t1"}))
    (exchange,) = routed.reached()

    assert answer.status == 200
    assert model_asked(exchange) == "claude-sonnet-4-5"
    assert "review" in (answer.field("x-setu-route") or "")
    assert isinstance(exchange.request.body, bytes)
    assert b"code_review" not in exchange.request.body


def test_rules_aliases_priorities(routed: Started) -> None:
    for model, place in {
        "llama-3-70b": ("/v1/chat/completions", "llama-3-70b"),
        "fast": ("/v1/chat/completions", "gpt-4o"),
        "shared-model": ("/v1/messages", "shared-model"),
    }.items():
        assert routed.ask(said(model=model)).status == 200, model
        assert place_of(routed) == place
    routed.play("503")
    assert routed.ask(said(model="best")).status == 200
    assert [model_asked(exchange) for exchange in routed.reached()] == ["claude-sonnet-4-5", "gpt-4o"]
    comment = {"model": "shared-model", "max_tokens": 9, "system": "<!-- openai/gpt-4o -->\nBe brief.", "messages": [{"role": "user", "content": "Hi"}]}  # fmt: skip
    assert routed.ask(comment, MESSAGES).status == 200
    assert place_of(routed) == ("/v1/chat/completions", "gpt-4o")


def test_model_string_params_preferences(routed: Started) -> None:
    model = "openrouter/openai/gpt-4o:nitro?temperature=0.25&max_tokens=77&effort=low"
    answer = routed.ask(said(model=model, temperature=1))
    (exchange,) = routed.reached()
    assert isinstance(exchange.request.body, bytes)
    sent = json.loads(exchange.request.body)

    assert answer.status == 200
    assert sent["model"] == "openai/gpt-4o"
    assert sent["provider"]["sort"] == "throughput"
    assert sent["temperature"] == 0.25
    assert 77 in (sent.get("max_tokens"), sent.get("max_completion_tokens"))
    assert "low" in (sent.get("reasoning_effort"), (sent.get("reasoning") or {}).get("effort"))


def test_round_robin_load_balance(routed: Started) -> None:
    for _ in range(6):
        assert routed.ask(said(model="twin"), fields=[("x-setu-strategy", "round_robin")]).status == 200
    asked = [exchange.request.path.split("/")[1] for exchange in routed.reached()]

    assert Counter(asked) == {"east": 3, "west": 3}
    assert all(first != second for first, second in pairwise(asked))


def test_cost_based_routing(routed: Started) -> None:
    """The cheaper of two, and the reason can be read."""
    fields = [("x-setu-strategy", "cost_based"), ("x-request-id", "costly")]
    answer = routed.ask(said(model="priced", max_tokens=500), fields=fields)

    assert answer.status == 200
    assert place_of(routed)[0] == "/west/v1/chat/completions"
    info = routed.get("/v1/routing/info?request_id=costly").json
    assert info["routing_policy"] == "cost_based"
    assert info["decision"]["provider_name"] == "west"


def test_failover_policy(routed: Started) -> None:
    """Also for streams, until their first content; 003 had it for plain answers alone."""
    for stream in (False, True):
        routed.play("503")
        answer = routed.ask(said(model="best", stream=stream))

        assert answer.status == 200, answer.body
        assert [exchange.status for exchange in routed.reached()] == [503, 200]
        assert (answer.field("x-setu-provider"), answer.field("x-setu-route")) == ("openai", "alias best")
