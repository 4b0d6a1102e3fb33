import pytest
import yaml

from setu.cassette.serialize import HEADER, render_block
from setu.cassette.yamlfile import loader_class, parse_cassette
from tests.cassette.samples import ANTHROPIC_STREAM, interaction

TEXT = HEADER + render_block(interaction(b"1")) + render_block(interaction(ANTHROPIC_STREAM))


@pytest.fixture
def without_libyaml(monkeypatch):
    monkeypatch.delattr(yaml, "CSafeLoader")
    loader_class.cache_clear()
    yield
    loader_class.cache_clear()


def test_each_interaction_comes_with_its_line() -> None:
    lines = TEXT.splitlines()

    found = parse_cassette(TEXT, "a.yaml")

    assert [lines[line - 1] for line, _ in found] == ["- request:", "- request:"]


def test_a_missing_libyaml_is_warned_of_once_and_changes_nothing(without_libyaml) -> None:
    with pytest.warns(UserWarning, match="built without libyaml") as caught:
        slow = [parse_cassette(TEXT, "a.yaml"), parse_cassette(TEXT, "a.yaml")]

    assert len(caught) == 1
    loader_class.cache_clear()
    assert slow[0] == slow[1]
    assert len(slow[0]) == 2


def test_aliases_between_interactions_are_followed() -> None:
    text = "interactions:\n- &one {request: {method: GET}}\n- *one\n"

    [(_, one), (_, other)] = parse_cassette(text, "a.yaml")

    assert one == other == {"request": {"method": "GET"}}
