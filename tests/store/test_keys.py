"""Where virtual keys are kept, and how soon a running server knows of a change."""

import asyncio
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from setu.access.keys import Key, digest_of, made
from setu.errors import ConfigError, SetuError
from setu.store.keys import FileShelf, KeyStore, LiveKeys, Shelf, shelf_at
from tests.postgres_server import PostgresServer


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["file", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "file":
            return str(tmp_path / "keys.json")
        case "sqlite":
            return f"sqlite:///{tmp_path}/keys.db"
        case _:
            server: PostgresServer = request.getfixturevalue("postgres")
            return server.create(re.sub(r"\W", "_", request.node.name.lower())[-40:])


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lives(place: str) -> Iterator[Callable[..., LiveKeys]]:
    """Make keys as a server has them; closed after the test."""
    made: list[LiveKeys] = []

    def make(**options: Any) -> LiveKeys:
        made.append(LiveKeys(shelf_at(place), **options))
        return made[-1]

    yield make
    for live in made:
        live.close()


def looked(live: LiveKeys) -> None:
    asyncio.run(live.refresh())


def test_a_key_is_kept_without_its_secret(place: str) -> None:
    key, secret = KeyStore(shelf_at(place)).create(tenant="acme", models=("gpt-*",), daily_nano_usd=5)

    assert KeyStore(shelf_at(place)).all() == [key]
    assert re.fullmatch(r"sk-setu-[A-Za-z0-9_-]{40}", secret)
    assert re.fullmatch(r"key_[0-9a-f]{16}", key.id)
    assert key.digest == digest_of(secret)


def test_keys_are_listed_in_the_order_in_which_they_were_made(place: str) -> None:
    clock = Clock()
    store = KeyStore(shelf_at(place), clock)
    names = []
    for name in ("b", "a", "c"):
        clock.now += 1
        names.append(store.create(name=name)[0].name)

    assert [key.name for key in store.all()] == names == ["b", "a", "c"]


def test_no_two_secrets_are_alike(place: str) -> None:
    store = KeyStore(shelf_at(place))

    assert len({store.create()[1] for _ in range(20)}) == len({key.id for key in store.all()}) == 20


def test_a_rotated_key_has_a_new_secret_and_the_same_id(place: str) -> None:
    store = KeyStore(shelf_at(place))
    key, before = store.create(name="ci")

    rotated, after = store.rotate(key.id, 60)

    assert (rotated.id, rotated.name, rotated.digest, rotated.previous) == (
        key.id,
        "ci",
        digest_of(after),
        digest_of(before),
    )
    assert store.all() == [rotated]


def test_a_key_that_is_not_there_is_said_not_to_be(place: str) -> None:
    store = KeyStore(shelf_at(place))
    store.create()

    with pytest.raises(SetuError, match="no key 'key_none'"):
        store.revoke("key_none")


def test_a_running_server_knows_of_a_change_within_two_seconds(place: str, lives: Callable[..., LiveKeys]) -> None:
    clock = Clock()
    store = KeyStore(shelf_at(place))
    key, secret = store.create()
    live = lives(monotonic=clock)
    store.revoke(key.id)

    clock.now += 1.9
    looked(live)
    before = live.find(digest_of(secret))
    clock.now += 0.2
    looked(live)
    after = live.find(digest_of(secret))

    assert before is not None
    assert after is not None
    assert (before.ends, after.why) == (None, "revoked")


def test_a_new_key_of_another_process_comes_in_too(place: str, lives: Callable[..., LiveKeys]) -> None:
    clock = Clock()
    live = lives(monotonic=clock)
    _, secret = KeyStore(shelf_at(place)).create(tenant="acme")
    clock.now += 2
    looked(live)

    found = live.find(digest_of(secret))

    assert found is not None
    assert found.caller.tenant == "acme"


def test_when_keys_were_last_used_is_kept_once_a_minute(place: str, lives: Callable[..., LiveKeys]) -> None:
    clock = Clock()
    store = KeyStore(shelf_at(place))
    key, _ = store.create()
    live = lives(monotonic=clock)
    live.used(key.id, 5_000.0)
    clock.now += 30
    looked(live)
    early = store.all()[0].last_used
    clock.now += 31
    looked(live)

    assert (early, store.all()[0].last_used) == (None, 5_000.0)


def test_at_the_end_it_is_kept_too_and_never_goes_back(place: str) -> None:
    store = KeyStore(shelf_at(place))
    key, _ = store.create()
    for moment in (5_000.0, 4_000.0):
        live = LiveKeys(shelf_at(place))
        live.used(key.id, moment)
        live.close()

    assert store.all()[0].last_used == 5_000.0


def test_changes_of_many_at_once_are_all_there(place: str) -> None:
    stores = [KeyStore(shelf_at(place)) for _ in range(4)]
    stores[0].create()
    threads = [threading.Thread(target=lambda own=own: [own.create() for _ in range(5)]) for own in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stores[0].all()) == 21


def test_a_file_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.json"
    KeyStore(FileShelf(path)).create()

    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [name.name for name in path.parent.iterdir() if name.name not in ("keys.json", "keys.json.lock")] == []


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyStore(FileShelf(path)).create()
    path.chmod(0o620)

    with pytest.raises(ConfigError, match="can be written by others"):
        FileShelf(path).read()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no list of keys"),
        ("[]", "no list of keys"),
        ('{"keys": [{"id": "key_1"}]}', "no list of keys"),
        ('{"keys": [], "only": 1}', "no list of keys"),
        ('{"version": 2}', "newer Setu"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(ConfigError, match=says):
        LiveKeys(FileShelf(path))


def test_where_there_is_no_file_there_are_no_keys(tmp_path: Path) -> None:
    assert FileShelf(tmp_path / "keys.json").read() == []


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SetuError, match=r"keys\.json cannot be written: "):
        KeyStore(FileShelf(tmp_path / "file" / "keys.json")).create()


def test_a_broken_file_leaves_a_running_server_the_keys_it_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "keys.json", Clock()
    _, secret = KeyStore(FileShelf(path)).create()
    live = LiveKeys(FileShelf(path), monotonic=clock)
    path.write_text("{")
    for _ in range(3):
        clock.now += 60
        looked(live)

    assert live.find(digest_of(secret)) is not None
    assert len(caplog.records) == 1
    assert "those last read still count" in caplog.text


def test_a_file_that_is_read_only_hinders_nobody(tmp_path: Path) -> None:
    live = LiveKeys(ReadOnly())
    live.used("key_1", 1.0)
    live.close()

    assert live.find(digest_of("sk-setu-x")) is not None


class ReadOnly:
    """A shelf whose place can only be read, and says nothing more, once asked, while it is held."""

    blocks = True

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.asked = 0

    def version(self) -> object:
        self.asked += 1
        self.free.wait(30)
        return self.asked

    def read(self) -> list[Key]:
        return [made("key_1", "sk-setu-x", 0.0)]

    def add(self, key: Key) -> None:
        raise SetuError(f"{key.id} cannot be written")

    def change(self, identifier: str, edit: object) -> Key:
        raise SetuError(f"{identifier} cannot be written")

    def touch(self, used: object) -> None:
        raise SetuError(f"{used} cannot be written")

    def close(self) -> None:
        pass


def test_a_database_that_is_slow_to_answer_is_asked_once_and_not_waited_for() -> None:
    shelf = ReadOnly()
    live = LiveKeys(shelf, every=0.0)
    shelf.free.clear()

    async def many() -> bool:
        await asyncio.gather(*(live.refresh() for _ in range(20)))
        waited = shelf.free.is_set()
        shelf.free.set()
        return waited

    assert asyncio.run(many()) is False
    assert shelf.asked == 2


def test_a_database_that_is_gone_leaves_a_running_server_the_keys_it_has() -> None:
    clock = Clock()
    with PostgresServer() as server:
        _, secret = KeyStore(shelf_at(server.url)).create()
        live = LiveKeys(shelf_at(server.url), monotonic=clock)
        server.kill()
        clock.now += 10
        looked(live)
        found = live.find(digest_of(secret))
        server.start()
        clock.now += 60
        key = KeyStore(shelf_at(server.url)).all()[0]
        KeyStore(shelf_at(server.url)).revoke(key.id)
        looked(live)
        after = live.find(digest_of(secret))
        live.close()

    assert found is not None
    assert after is not None
    assert after.why == "revoked"


def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_password() -> None:
    with pytest.raises(SetuError, match="the keys' database cannot be used") as found:
        KeyStore(shelf_at("postgresql+psycopg://setu:hunter2@127.0.0.1:9/setu")).all()

    assert "hunter2" not in str(found.value)
    assert "\n" not in str(found.value)


def test_a_row_that_is_no_key_is_refused(tmp_path: Path) -> None:
    from sqlalchemy import create_engine, text

    url = f"sqlite:///{tmp_path}/keys.db"
    KeyStore(shelf_at(url)).create()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE virtual_keys SET record = '{}'"))
    engine.dispose()

    with pytest.raises(ConfigError, match="no key"):
        KeyStore(shelf_at(url)).all()


def test_looking_a_key_up_takes_next_to_no_time(tmp_path: Path) -> None:
    """The bound is many times what is measured: it shows a file read or a database asked for each request."""
    store: Shelf = FileShelf(tmp_path / "keys.json")
    _, secret = KeyStore(store).create()
    live = LiveKeys(store, every=3600.0)

    async def many() -> float:
        started = time.perf_counter()
        for _ in range(20_000):
            await live.refresh()
            live.find(digest_of(secret))
        return (time.perf_counter() - started) / 20_000

    spent = asyncio.run(many())
    print(f"a look-up takes {spent * 1e6:.2f} µs")

    assert spent < 50e-6


def test_the_file_is_json_that_people_can_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyStore(FileShelf(path)).create(tenant="acme")

    found = json.loads(path.read_text())

    assert found["keys"][0]["tenant"] == "acme"
    assert os.linesep in path.read_text().strip()
