"""The dialect's own words, and what they mean.

Source: docs.ollama.com/api/chat and github.com/ollama/ollama/blob/main/docs/api.md, read 2026-11-20.
"""

from typing import Final

from setu.chat.response import Finish, FinishReason

NAME: Final = "ollama"
HOST: Final = "Ollama"

OWN: Final = frozenset({"keep_alive", "options", "think", "format", "truncate", "shift"})
"""Members of a request that no other dialect has; they pass from whatever request they stand in."""

RUNNER_OPTIONS: Final = frozenset(
    {
        "num_predict", "temperature", "top_p", "top_k", "min_p", "typical_p", "stop", "seed", "frequency_penalty",
        "presence_penalty", "repeat_penalty", "repeat_last_n", "num_ctx", "num_keep", "num_batch", "num_gpu",
        "main_gpu", "use_mmap", "num_thread", "mirostat", "mirostat_tau", "mirostat_eta", "penalize_newline",
    }
)  # fmt: skip
"""What `options` may hold; Hugging Face's clients have an `options` of their own beside chat messages."""

REASONS: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "load": "stop",
    "unload": "stop",
}
"""Words that end an answer. `load` and `unload` answer a request without messages: the model came or went."""


def finish_of(word: str | None, *, calls: bool) -> Finish:
    """Return what a done_reason means; before 0.3 there was none.

    Calls end in `stop` too (B-STR-14, B-FIN-11); a word nobody knows is no success (B-FIN-02).
    """
    reason = REASONS.get(word, "error") if word else "stop"
    return Finish(reason="tool_calls" if calls and reason == "stop" else reason, native=word or None)
