"""A laptop with the real Claude Code, and what stands between it and the product."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.peers.stage import CLAUDE

MODEL = "claude-sonnet-4-5"
LATER = 20  # seconds, as the product says in an outage that lasts


@dataclass
class Relay:
    """Stands before the product: answers the first `away` exports 503, and all of them
    while `is_away`, and hands each of the others on twice.
    """

    product: str
    away: int = 0
    is_away: bool = False
    refused: int = 0
    address: str = ""
    exports: list[tuple[str, int]] = field(default_factory=list)

    def take(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """What the client is answered."""
        if self.away > 0 or self.is_away:
            self.away -= self.away > 0
            self.refused += 1
            return 503, b""
        for _ in range(2):
            url = f"{self.product}{path}"
            request = urllib.request.Request(url, body, headers, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    status, read = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, read = error.code, error.read()
            self.exports.append((path, status))
        return status, read


@contextmanager
def relay(product: str, *, away: int = 0) -> Iterator[Relay]:
    """A relay that runs."""
    one = Relay(product, away)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None: ...

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept = ("authorization", "content-type", "content-encoding")
            sent = {k: v for k, v in self.headers.items() if k.lower() in kept}
            status, read = one.take(self.path, sent, body)
            self.send_response(status)
            if one.is_away:
                self.send_header("Retry-After", str(LATER))
            self.send_header("Content-Length", str(len(read)))
            self.send_header("Content-Type", sent.get("Content-Type", ""))
            self.end_headers()
            self.wfile.write(read)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield one
    finally:
        server.shutdown()


@dataclass
class Session:
    """An open session; what its requests cost so far, in USD as Claude Code says it."""

    process: subprocess.Popen[str]
    cost_usd: float = 0.0

    def ask(self, prompt: str) -> None:
        """One prompt, until its result."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        message = {"role": "user", "content": prompt}
        stdin.write(json.dumps({"type": "user", "message": message}) + "\n")
        stdin.flush()
        for line in stdout:
            said = json.loads(line)
            if said.get("type") == "result":
                self.cost_usd = said["total_cost_usd"]
                return
        raise AssertionError("Claude Code ended")


@dataclass(frozen=True)
class Laptop:
    """Somebody's Claude Code, with the settings of docs/gateways/claude-code.md."""

    home: Path
    product: str
    provider: str
    token: str

    def ask(
        self,
        prompt: str,
        *,
        telemetry: str = "",
        encoding: str = "http/protobuf",
        key: str = "sk-ant-none",
    ) -> dict[str, Any]:
        """What `claude -p` says, as JSON. `telemetry` is where exports go."""
        self.home.mkdir(exist_ok=True)
        settings = {"hooks": self._hooks(), "env": self._telemetry(telemetry, encoding)}
        (self.home / "settings.json").write_text(json.dumps(settings))
        command = [CLAUDE, "-p", prompt, "--model", MODEL, "--allowedTools", "Bash"]
        done = subprocess.run(
            [*command, "--output-format", "json", "--settings", "settings.json"],
            cwd=self.home,
            env=self._environment(key),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    @contextmanager
    def session(self, telemetry: str) -> Iterator[Session]:
        """A session that stays open between its prompts, as on a screen."""
        self.home.mkdir(exist_ok=True)
        settings = {"env": self._telemetry(telemetry, "http/protobuf")}
        (self.home / "settings.json").write_text(json.dumps(settings))
        streams = ["--input-format", "stream-json", "--output-format", "stream-json"]
        more = ["--verbose", "--settings", "settings.json"]
        process = subprocess.Popen(
            [CLAUDE, "-p", "--model", MODEL, *streams, *more],
            cwd=self.home,
            env=self._environment("sk-ant-none"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Session(process)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=60)
        finally:
            process.kill()
            process.wait()

    def _environment(self, key: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "ANTHROPIC_BASE_URL": self.provider,
            "ANTHROPIC_API_KEY": key,
            "EXTRA_USAGE_TOKEN": self.token,
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }

    def status_line(self) -> str:
        """As the command of the settings prints it."""
        url = f"{self.product}/doors/claude-code/statusline"
        header = f"Authorization: Bearer {self.token}"
        command = ["curl", "-fsS", "-m", "5", "-H", header, url]
        return subprocess.check_output(command, text=True)

    def _hooks(self) -> dict[str, Any]:
        hook = {
            "type": "http",
            "url": f"{self.product}/doors/claude-code/hook",
            "timeout": 5,
            "headers": {"Authorization": "Bearer $EXTRA_USAGE_TOKEN"},
            "allowedEnvVars": ["EXTRA_USAGE_TOKEN"],
        }
        events = ("UserPromptSubmit", "PreToolUse")
        return {event: [{"hooks": [hook]}] for event in events}

    def _telemetry(self, address: str, encoding: str) -> dict[str, str]:
        if not address:
            return {}
        return {
            "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": encoding,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"{address}/otlp",
            "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {self.token}",
            "OTEL_LOGS_EXPORT_INTERVAL": "500",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "150000",
        }
