"""A collector that nobody here wrote receives traces, metrics and logs of one deployment, over http and gRPC.

It is Rotel, whose debug log shows what it was sent in the form of the OpenTelemetry Collector's debug exporter.
"""

import re
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import time
import unittest
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import environ
from pathlib import Path

from emulator import Emulator

PATIENCE = 30
"""Seconds."""
FLAGS = ("TELEMETRY", "RETRY_LOGIC", "CIRCUIT_BREAKER", "ROLLBACK")
TRACE = "0af7651916cd43dd8448eb211c80319c"
OUTSIDE = "b7ad6b7169203331"
EXAMPLE = Path(__file__).parents[2] / "examples" / "sales-analytics"


@dataclass
class Entry:
    """A span, a log record or a metric, as the log shows it."""

    kind: str
    told: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


def entries(log: str) -> Iterator[Entry]:
    """What the collector was sent."""
    entry: Entry | None = None
    for line in log.splitlines():
        if head := re.match(r"(Span|LogRecord|Metric|HistogramDataPoints|NumberDataPoints) #\d+", line):
            if entry:
                yield entry
            # A data point belongs to the metric above it.
            name = entry.told.get("Name", "") if entry and "DataPoints" in head[1] else ""
            entry = Entry(head[1], {"Name": name} if name else {})
        elif entry is None:
            continue
        elif pair := re.match(r"\s+-> (Name): (.*)", line):
            entry.told[pair[1]] = pair[2]
        elif pair := re.match(r"\s+-> ([^:]+): \w+\((.*)\)$", line):
            entry.attributes[pair[1]] = pair[2]
        elif pair := re.match(r"\s*([A-Za-z ]+?)\s*: (.*)", line):
            entry.told[pair[1]] = pair[2]
    if entry:
        yield entry


def free_port() -> int:
    """A port that nobody has: the collector does not tell which one it took."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Collector:
    """A running Rotel, which stops after the test."""

    def __init__(self, case: unittest.TestCase) -> None:
        self.http, self.grpc = free_port(), free_port()
        folder = tempfile.TemporaryDirectory()
        case.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "log"
        agent = Path(sysconfig.get_path("purelib")) / "rotel" / "rotel-agent"
        command = [str(agent), "start", "--exporter", "blackhole", "--debug-log-verbosity", "detailed"]
        command += ["--otlp-grpc-endpoint", f"127.0.0.1:{self.grpc}"]
        command += ["--otlp-http-endpoint", f"127.0.0.1:{self.http}"]
        for signal in ("traces", "metrics", "logs"):
            command += ["--debug-log", signal]
        with self.log.open("wb") as log:
            process = subprocess.Popen(command, env={}, stdout=log, stderr=log, cwd=folder.name)
        case.addCleanup(process.wait, PATIENCE)
        case.addCleanup(process.terminate)
        for port in (self.http, self.grpc):
            self._wait(port)

    def _wait(self, port: int) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > until:
                    raise RuntimeError(self.log.read_text()) from None
                time.sleep(0.05)

    def entries(self, kind: str) -> list[Entry]:
        """What it was sent of one kind."""
        return [entry for entry in entries(self.log.read_text()) if entry.kind == kind]


class Telemetry(unittest.TestCase):
    """One deployment, seen from outside."""

    emulator: Emulator

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = Emulator(cls, "--listen", "127.0.0.1:0")

    def deploy(self, collector: Collector, protocol: str, port: int) -> None:
        """Deploys the example, with trouble on the way."""
        self.emulator.admin("POST", "reset")
        # One that is sent again, and as many failures of polls as open a breaker.
        self.emulator.admin("POST", "faults", "GET */workspaces=503,times=1\nGET */operations/*=503,times=2\n")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        project = Path(folder.name) / "project"
        shutil.copytree(EXAMPLE, project)
        url = self.emulator.http
        variables = {f"FEATURE_USE_{flag}": "true" for flag in FLAGS} | {
            "AZURE_TENANT_ID": self.emulator.tenant,
            "AZURE_CLIENT_ID": self.emulator.client,
            "AZURE_CLIENT_SECRET": self.emulator.secret,
            "AZURE_LOGIN_BASE_URL": url,
            "FABRIC_API_BASE_URL": f"{url}/v1",
            "GRAPH_API_BASE_URL": f"{url}/v1.0",
            "GITHUB_TOKEN": "a-token",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "SELVEDGE_BREAKER__FAILURE_THRESHOLD": "2",
            "SELVEDGE_BREAKER__OPEN_FOR": "100ms",
            "SELVEDGE_RETRY__BASE_DELAY": "50ms",
            "TRACEPARENT": f"00-{TRACE}-{OUTSIDE}-01",
        }
        command = [environ["EMULATOR"], "deploy", "--yes", "product_config.yaml"]
        ended = subprocess.run(command, env=variables, cwd=project, capture_output=True, text=True, timeout=120)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertNotIn("telemetry", ended.stderr)

    def check(self, collector: Collector) -> None:
        """The whole tree, the retry, the breaker, the figures."""
        spans = {span.told["ID"]: span for span in collector.entries("Span")}

        def above(span: Entry) -> list[str]:
            names = []
            parent = span.told["Parent ID"]
            while parent in spans:
                names.append(spans[parent].told["Name"])
                parent = spans[parent].told["Parent ID"]
            self.assertEqual(parent, OUTSIDE, "all are part of what the CI system runs")
            return names

        for span in spans.values():
            self.assertEqual(span.told["Trace ID"], TRACE)
        attempts = [span for span in spans.values() if span.told["Kind"] == "SPAN_KIND_CLIENT"]
        created = [span for span in attempts if above(span)[:1] == ["workspaces.create"]]
        self.assertEqual(len(created), 1)
        call, step, *outer = above(created[0])
        self.assertEqual((call, outer), ("workspaces.create", ["transaction", "deploy Sales Analytics"]))
        self.assertTrue(step.startswith("create workspace"), step)
        self.assertEqual(created[0].attributes["http.response.status_code"], "201")

        again = [span for span in attempts if "http.request.resend_count" in span.attributes]
        self.assertTrue(again)
        first = [
            span
            for span in attempts
            if span.told["Parent ID"] == again[0].told["Parent ID"] and span is not again[0]
        ]
        self.assertEqual(first[0].attributes["http.response.status_code"], "503")
        self.assertIn("STATUS_CODE_ERROR", first[0].told["Status code"])

        events = {record.told.get("EventName") for record in collector.entries("LogRecord")}
        for event in ("deployment.started", "transaction.committed", "resilience.retry", "resilience.breaker_opened"):
            self.assertIn(event, events)
        for record in collector.entries("LogRecord"):
            self.assertEqual(record.told["Trace ID"], TRACE)

        figures = {metric.told["Name"] for metric in collector.entries("Metric")}
        for figure in (
            "http.client.request.duration",
            "cicd.pipeline.run.duration",
            "selvedge.step.duration",
            "selvedge.retries",
            "selvedge.circuit_breaker.opened",
            "selvedge.circuit_breaker.state",
        ):
            self.assertIn(figure, figures)
        text = collector.log.read_text()
        for secret in (self.emulator.secret, "a-token", "Bearer "):
            self.assertNotIn(secret, text)

    def test_http(self) -> None:
        collector = Collector(self)
        self.deploy(collector, "http/protobuf", collector.http)
        self.check(collector)

    def test_grpc(self) -> None:
        collector = Collector(self)
        self.deploy(collector, "grpc", collector.grpc)
        self.check(collector)


if __name__ == "__main__":
    unittest.main()
