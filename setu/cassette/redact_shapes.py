"""What keys look like, wherever they stand."""

import re
from typing import NamedTuple


class Shape(NamedTuple):
    """What a kind of key looks like. `hint` is a string every match contains, `lead` where in it; None: anywhere.

    Of a pattern with a group `secret` only that group is taken out.
    """

    name: str
    hint: str
    pattern: re.Pattern[str]
    lead: int | None = 0


# A key starts where a word starts; a JSON escape (`\nsk-…`) or a percent escape may stand right before it.
_START = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])|(?<=\\u[0-9a-fA-F]{4})|(?<=%[0-9A-Fa-f]{2}))"
_WORD = "[A-Za-z0-9._~+/=-]"


# Within one event: what a stream spells over several has a pass of its own, an edit must not swallow event boundaries.
_PEM = r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!\r?\n\r?\n|-----BEGIN ).)*?-----END [A-Z ]*PRIVATE KEY-----"


_BETWEEN = r"(?:[?&]|\\u0026|&amp;|%3[Ff]|%26)"
_USERINFO = r"://[^/?#@\s\"'<>:\\]{0,64}:(?P<secret>(?!REDACTED@)[^/?#@\s\"'<>\\]{3,128})@"
_SIGNED = r"(?!REDACTED)(?:[A-Za-z0-9._~+/-]|%(?!26)[0-9A-Fa-f]{2}){16,}"


def _shape(name: str, hint: str, pattern: str, lead: int | None = 0) -> Shape:
    return Shape(name, hint, re.compile(_START + pattern, re.DOTALL), lead)


def _in_url(hint: str, name: str, what: str = "signed URL") -> Shape:
    return Shape(what, hint, re.compile(rf"{_BETWEEN}{name}=(?P<secret>{_SIGNED})"), None)


SHAPES = (
    _shape("sk- key", "sk-", r"sk-(?=[A-Za-z0-9_-]*[0-9A-Z])[A-Za-z0-9_-]{16,}"),
    _shape("Google API key", "AIza", r"(?<!\+)AIza[A-Za-z0-9_-]{20,}"),
    _shape("Google API key", "AQ.", r"AQ\.[A-Za-z0-9_-]{20,}"),
    _shape("Google access token", "ya29.", r"ya29\.[A-Za-z0-9._-]{16,}"),
    _shape("Groq key", "gsk_", r"gsk_[A-Za-z0-9]{16,}"),
    _shape("xAI key", "xai-", r"xai-[A-Za-z0-9_-]{16,}"),
    _shape("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{16,}"),
    _shape("Perplexity key", "pplx-", r"pplx-[A-Za-z0-9]{16,}"),
    _shape("NVIDIA key", "nvapi-", r"nvapi-[A-Za-z0-9_-]{16,}"),
    _shape("Cerebras key", "csk-", r"csk-[A-Za-z0-9]{16,}"),
    _shape("Replicate token", "r8_", r"r8_[A-Za-z0-9]{20,}"),
    _shape("Fireworks key", "fw_", r"fw_[A-Za-z0-9]{20,}"),
    _shape("Together key", "tgp_v1_", r"tgp_v1_[A-Za-z0-9_-]{16,}"),
    _shape("GitHub token", "gh", r"gh[opusr]_[A-Za-z0-9_]{20,}"),
    _shape("GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}"),
    _shape("GitLab token", "glpat-", r"glpat-[A-Za-z0-9_-]{16,}"),
    _shape("Slack token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    _shape("Stripe key", "k_", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}", 1),
    _shape("AWS access key id", "AKIA", r"(?<![+/])AKIA[A-Z0-9]{16}(?![A-Za-z0-9+/])"),
    _shape("AWS access key id", "ASIA", r"(?<![+/])ASIA[A-Z0-9]{16}(?![A-Za-z0-9+/])"),
    _shape("AWS bearer token", "ABSK", r"ABSK[A-Za-z0-9+/=]{32,}"),
    _shape("AWS signature", "Signature=", r"Signature=[0-9a-f]{64}"),
    _shape("JWT", ".eyJ", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}", None),
    # "Bearer authentication" in an error message is prose: a token is long or has a digit.
    _shape(
        "bearer token", "earer", r"[Bb]earer(?:[ \t]|%20|\+)+(?=_{20}|_*\d)(?!REDACTED)_{8,}".replace("_", _WORD), 1
    ),
    _shape("basic credentials", "asic ", r"[Bb]asic (?=_{20}|_*=)_{12,}".replace("_", _WORD), 1),
    _shape("private key", "-----BEGIN ", _PEM),
    _shape("webhook secret", "whsec_", r"whsec_[A-Za-z0-9+/=_-]{16,}"),
    _shape("OpenAI client secret", "ek_", r"ek_(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{24,}"),
    _shape("OAuth refresh token", "1//0", r"1//0[A-Za-z0-9_-]{24,}"),
    _shape("Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/services/(?P<secret>[A-Za-z0-9/]{20,})"),
    # Signatures of URLs: Azure's SAS, and what AWS and Google sign. The separator may be escaped in several ways.
    _in_url("sig=", "sig"),
    _in_url("ignature=", "(?:Signature|X-(?:Amz|Goog)-Signature)"),
    _in_url("X-Amz-Security-Token=", "X-Amz-Security-Token"),
    _in_url("key=", "(?:api[-_]?)?key", "key in a URL"),
    _in_url("token=", "(?:access_|auth_)?token", "token in a URL"),
    Shape("password in a URL", "://", re.compile(_USERINFO)),
)
