"""What a run was judged with."""

import re
from importlib.metadata import version

from setu.conformance.provenance import rules_sha, sdks


def test_the_rules_have_one_digest() -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", rules_sha())
    assert rules_sha.__wrapped__() == rules_sha()


def test_the_sdks_that_are_installed_are_named_with_their_versions() -> None:
    assert sdks()["openai"] == version("openai")
