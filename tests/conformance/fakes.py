"""A gateway of a few lines, to try recipes and processes with."""

from pathlib import Path

from setu.conformance.gateways import Recipe, load

MINIMAL = """
title = "Fake"
ready = "/up"
ready_seconds = 20
command = ["{python}", "{folder}/gateway.py", "{port}"]
capabilities = ["auth", "tools"]
[install]
kind = "here"
[models]
openai_chat = { name = "gpt", clients = ["openai_chat", "anthropic"] }
"""


SCRIPT = """
import http.server, json, os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
asked = 0

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global asked
        asked += 1
        body = json.dumps({"environ": dict(os.environ), "child": child.pid, "asked": asked}).encode()
        self.send_response(503 if asked < 3 else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def written(tmp_path: Path, text: str = MINIMAL, name: str = "fake.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def fake(tmp_path: Path, script: str = SCRIPT, more: str = "") -> Recipe:
    files = f"\n[files]\n'gateway.py' = '''{script}'''\n"
    return load(str(written(tmp_path, MINIMAL.replace("[install]", more + "\n[install]") + files)))
