"""One gateway and one replaying process for the whole folder: starting them is the dear part."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from setu import build
from setu.build import OFFLINE_KEY
from setu.config.model import Config
from setu.server.serve import Background
from tests.clients.nodes import installed, scripts
from tests.clients.sdks import close
from tests.clients.upstreams import PROVIDERS, Recorded
from tests.processes import Serving


@pytest.fixture(scope="session")
def gateway() -> Iterator[str]:
    """The gateway in this process, in front of the recordings of every provider; its URL."""
    config = build.asked_once(Config())
    deployed = {
        name: deployment
        for name, deployment in build.deployments(config, {}, offline_key=OFFLINE_KEY).items()
        if name in PROVIDERS
    }
    made = build.gateway(deployed, Recorded(build.SystemClock()), config=config, on_call=lambda _call: None)
    with Background(build.app(made, config, build.describe_gateway(deployed))) as server:
        yield server.url


@pytest.fixture(scope="session")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`setu start --replay bundled`, as its user runs it; its URL. It writes what it misses into its folder."""
    with Serving("start", "--replay", "bundled", "--port", "0", cwd=tmp_path_factory.mktemp("replay")) as server:
        yield server.url


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder from which the scripts of `node/` run."""
    return scripts(installed(), tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="session", autouse=True)
def closing(gateway: str) -> Iterator[None]:
    """Close the shared clients before the servers go."""
    yield
    close()
