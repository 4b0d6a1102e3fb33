"""A real nginx before two gateways, with the configuration that the guide shows."""

import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.needs import needs

_MAIN = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/setu.conf;
}}
"""


class Nginx:
    """nginx on a port of this machine, in a folder of its own; `conf` is what stands in its `http` block."""

    def __init__(self, folder: Path, conf: str, port: int) -> None:
        found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if found is None:
            needs("nginx", "no nginx on PATH (Debian: apt-get install nginx)")
        self._program = found
        self._folder = folder
        folder.mkdir(parents=True)
        (folder / "setu.conf").write_text(conf)
        # Started by root, its workers would be somebody who may not enter a test's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(_MAIN.format(user=user, folder=folder))
        self.url = f"http://127.0.0.1:{port}"

    @property
    def log(self) -> str:
        return (self._folder / "error.log").read_text()

    def __enter__(self) -> Self:
        log = self._folder / "error.log"
        self._process = subprocess.Popen(
            [self._program, "-e", str(log), "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(self.url + "/livez", timeout=5) as answer:
                    assert answer.read() == b"ok"
                    return self
            except OSError:
                time.sleep(0.05)
        self._process.kill()
        raise AssertionError(f"nginx does not answer: {log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
