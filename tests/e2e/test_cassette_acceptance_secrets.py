"""Acceptance of cassettes: no seeded secret on the disk or in what the commands say, over real sockets.

`test_no_secret_on_disk.py` looks at each seed from more sides, without sockets.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.acceptance import Answer, Call, Client, Exact, Heard, through
from tests.e2e.seeds import KNOWN, Seed, seeds
from tests.e2e.test_no_secret_on_disk import assert_clean
from tests.processes import Serving
from tests.servers import RawServer

SEEDS = seeds()
OTHER_HOST = "/proxy/https/api.example.com"


class Said(NamedTuple):
    """What is on the disk, what the commands said, and what they answered, by seed."""

    directory: Path
    misses: bytes
    errors: bytes
    replayed: dict[str, Heard]
    missed: dict[str, Heard]

    def file(self, name: str) -> Path:
        return self.directory / f"seed-{list(SEEDS).index(name)}.yaml"


def answer(call: Call) -> Answer:
    seed = list(SEEDS.values())[int(call.headers["x-seed"])]
    fields = tuple(field for field in seed.headers.items() if field[0] != "content-type")
    return Answer((seed.answer,), seed.headers["content-type"], headers=fields)


def send(client: Client, upstream: str, seed: Seed, index: int, more: str = "") -> Heard:
    """Send a seed's request; with `more` it is one that was not recorded."""
    asked = seed.request
    assert isinstance(asked.body, bytes)
    query = "&".join(filter(None, (asked.query, more)))
    path = through(upstream, asked.path.removeprefix(OTHER_HOST)) + (f"?{query}" if query else "")
    return client.post(f"/c/seed-{index}{path}", asked.body, {**dict(asked.headers.items()), "x-seed": str(index)})


def every(url: str, upstream: str, more: str = "") -> dict[str, Heard]:
    with Client(url) as client:
        return {name: send(client, upstream, seed, index, more) for index, (name, seed) in enumerate(SEEDS.items())}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    directory, elsewhere = tmp_path_factory.mktemp("cassettes"), tmp_path_factory.mktemp("run")
    with RawServer(Exact(answer)) as upstream:
        with Serving("record", "-o", str(directory), "--port", "0", cwd=elsewhere, VAULT_TOKEN=KNOWN) as proxy:
            every(proxy.url, upstream.url)
        with Serving("replay", str(directory), "--port", "0", cwd=elsewhere, VAULT_TOKEN=KNOWN) as server:
            replayed, missed = every(server.url, upstream.url), every(server.url, upstream.url, "other=1")
    printed = (proxy.output + proxy.errors + server.output + server.errors).encode()
    return Said(directory, (elsewhere / "setu-misses.jsonl").read_bytes(), printed, replayed, missed)


def test_the_seeds_are_at_least_forty() -> None:
    assert len(SEEDS) >= 40


@pytest.mark.parametrize("name", SEEDS)
def test_a_seeded_secret_is_nowhere_and_its_recording_is_found_all_the_same(said: Said, name: str) -> None:
    seed = SEEDS[name]

    assert (said.replayed[name].status, said.missed[name].status) == (200, 424)
    for what, data in {
        "cassette": said.file(name).read_bytes(),
        "answer": said.replayed[name].body,
        "miss": said.missed[name].body,
        "misses": said.misses.splitlines()[list(SEEDS).index(name)],
        "printed": said.errors,
    }.items():
        assert_clean(what, data, seed)
