"""Good and spoilt embeddings."""

from typing import Any

from setu.http import Exchange
from tests.conformance.build import but, exchange

PATH = "/v1/embeddings"
ASK = {"model": "m", "input": ["a", "b"]}
ASK_BASE64 = ASK | {"encoding_format": "base64"}
ANSWER: dict[str, Any] = {
    "object": "list",
    "data": [
        {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]},
        {"object": "embedding", "index": 1, "embedding": [0.125, 1]},
    ],
    "model": "m",
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}
PACKED = but(but(ANSWER, "data.0.embedding", "AAAAPwAAgL4="), "data.1.embedding", "AAAAPgAAgD8=")
GEMINI = {"embeddings": [{"values": [0.5, -0.25]}, {"values": [0.125, 1]}]}
NOTHING = {"error": {"message": "empty input", "type": "invalid_request_error", "param": "input", "code": None}}


def embeddings(body: Any = ANSWER, asked: Any = ASK, **how: Any) -> Exchange:
    return exchange(PATH, asked, body, **how)


def upstream(body: Any) -> Any:
    return (exchange("/v1beta/models/m:batchEmbedContents", {"requests": []}, body),)


GOOD_EMBEDDINGS: dict[str, Exchange] = {
    "embeddings": embeddings(),
    "embeddings in base64": embeddings(PACKED, ASK_BASE64, upstream=upstream(GEMINI)),
    "embeddings of tokens": embeddings(but(ANSWER, "data", ANSWER["data"][:1]), {"model": "m", "input": [1, 2]}),
    "embeddings of two numbers": embeddings(asked=ASK | {"dimensions": 2}),
    "embeddings of nothing": embeddings(NOTHING, {"model": "m", "input": []}, status=400),
}

EMBEDDINGS: dict[str, dict[str, Exchange]] = {
    "EMB-001": {
        "no_usage": embeddings(but(ANSWER, "usage")),
        "bare_vectors": embeddings(but(ANSWER, "data", [[0.5, -0.25], [0.125, 1]])),
        "dict_object": embeddings(but(ANSWER, "object", "embeddings")),
    },
    "EMB-002": {
        "one_lost": embeddings(but(ANSWER, "data", ANSWER["data"][:1])),
        "order_turned": embeddings(but(ANSWER, "data", ANSWER["data"][::-1])),
        "indices_all_zero": embeddings(but(ANSWER, "data.1.index", 0)),
    },
    "EMB-003": {
        "lengths_differ": embeddings(but(ANSWER, "data.1.embedding", [0.125])),
        "not_a_number": embeddings(but(PACKED, "data.1.embedding", "AADAfwAAgD8="), ASK_BASE64),
        "empty": embeddings(but(ANSWER, "data.1.embedding", [])),
        "text_numbers": embeddings(but(ANSWER, "data.1.embedding", ["0.125", "1"])),
    },
    "EMB-004": {
        "floats_for_base64": embeddings(ANSWER, ASK_BASE64),
        "base64_for_floats": embeddings(PACKED),
        "numbers_rounded": embeddings(but(ANSWER, "data.1.embedding", [0.12, 1]), upstream=upstream(GEMINI)),
    },
    "EMB-005": {"full_length": embeddings(asked=ASK | {"dimensions": 1})},
    "EMB-006": {
        "empty_answered": embeddings(but(ANSWER, "data", []), {"model": "m", "input": []}),
        "missing_answered": embeddings(asked={"model": "m"}),
        "server_error": embeddings(NOTHING, {"model": "m", "input": []}, status=500),
    },
}
