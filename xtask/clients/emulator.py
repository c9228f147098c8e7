"""The emulator that a test case talks to, and what its tests ask it with a plain HTTP client.

Two variables come from `cargo xtask clients`: `EMULATOR`, the binary, and `REAL_NAMES`, which is there when
the host names of Microsoft's services lead to this machine, where the emulator may then take port 443.
"""

import base64
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

REAL_NAMES = "REAL_NAMES" in os.environ
FABRIC_SCOPE = "https://api.fabric.microsoft.com/.default"
CAPACITY = "Demo capacity"
"""The active capacity of the demo tenant."""


class Emulator:
    """A running `selvedge emulator` with the demo tenant, which stops after the tests of a class."""

    def __init__(self, case: type[unittest.TestCase], *more: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._unknown = 0
        self.ca = str(Path(self._folder.name) / "ca.pem")
        # The service names another host in `Location`. Only where that name leads here can it be followed.
        address, foreign = ("127.0.0.1:443", "true") if REAL_NAMES else ("127.0.0.1:0", "false")
        arguments = ["--https", address, "--ca-out", self.ca, "--foreign-location", foreign]
        # fab sleeps that long before it looks at an operation for the first time.
        arguments += ["--retry-after", "0", "--output", "json", "--exit-on-stdin-eof", *more]
        command = [os.environ["EMULATOR"], "emulator", *arguments]
        # Nobody's settings but its own arguments. Its input ends with this process, and so does it, however this one ends.
        self._process = subprocess.Popen(
            command, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        case.addClassCleanup(self._stop)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)} ended with {self._process.wait()}")
        ready = json.loads(line)
        self.url: str = ready["urls"]["https"][0]
        # There if somebody asked for it: `--listen`.
        self.http: str = next(iter(ready["urls"]["http"]), "")
        self.tenant: str = ready["environment"]["AZURE_TENANT_ID"]
        self.client: str = ready["environment"]["AZURE_CLIENT_ID"]
        self.secret: str = ready["environment"]["AZURE_CLIENT_SECRET"]
        # What requests trusts, and so each of the clients.
        os.environ["REQUESTS_CA_BUNDLE"] = self.ca

    def _stop(self) -> None:
        self._process.terminate()
        code = self._process.wait(timeout=30)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._folder.cleanup()
        if code != 0:
            raise RuntimeError(f"the emulator ended with {code}")

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the emulator's own surface; text is sent as it is, anything else as JSON."""
        content = {"data": body} if isinstance(body, str) else {"json": body}
        answer = requests.request(method, f"{self.url}/_emulator/{path}", timeout=30, **content)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def token(self, scope: str = FABRIC_SCOPE) -> str:
        """A token for the configured caller."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_secret": self.secret,
            "scope": scope,
        }
        answer = requests.post(f"{self.url}/{self.tenant}/oauth2/v2.0/token", data=form, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def fabric(self, method: str, path: str, body: Any = None) -> Any:
        """Calls Fabric as the configured caller: the result of an operation, all pages of a list."""
        headers = {"Authorization": f"Bearer {self.token()}"}

        def call(method: str, path: str, body: Any = None) -> requests.Response:
            answer = requests.request(method, f"{self.url}/v1/{path}", json=body, headers=headers, timeout=30)
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
            return answer

        answer = call(method, path, body)
        if answer.status_code != 202:
            whole = answer.json() if answer.content else {}
            page = whole
            while token := page.get("continuationToken"):
                page = call(method, f"{path}?continuationToken={quote(token)}").json()
                whole["value"] += page["value"]
            return whole
        operation = f"operations/{answer.headers['x-ms-operation-id']}"
        # An emulated operation takes no time.
        status = call("GET", operation).json()["status"]
        if status != "Succeeded":
            raise RuntimeError(f"{method} {path}: the operation has {status}")
        return call("GET", f"{operation}/result").json()

    def new_workspace(self, name: str) -> str:
        """Makes a workspace on the demo capacity; returns its id."""
        capacities = self.fabric("GET", "capacities")["value"]
        capacity = next(each["id"] for each in capacities if each["displayName"] == CAPACITY)
        return str(self.fabric("POST", "workspaces", {"displayName": name, "capacityId": capacity})["id"])

    def items(self, workspace: str) -> list[dict[str, Any]]:
        """The items of a workspace, without those that others brought with them."""
        items = self.fabric("GET", f"workspaces/{workspace}/items")["value"]
        return [item for item in items if item["type"] != "SQLEndpoint"]

    def definition(self, workspace: str, item: str) -> dict[str, bytes]:
        """The parts of an item's definition, by path."""
        answer = self.fabric("POST", f"workspaces/{workspace}/items/{item}/getDefinition")
        return {part["path"]: base64.b64decode(part["payload"]) for part in answer["definition"]["parts"]}

    def inventory(self) -> dict[str, Any]:
        """Everything there is, its hash, and how many requests nobody could answer."""
        inventory: dict[str, Any] = self.admin("GET", "inventory")
        return inventory

    def unanswered(self) -> list[str]:
        """The requests for routes that are not emulated, since this was asked last."""
        unknown = self.inventory()["unknownRoutes"]
        log = self.admin("GET", "requests")
        self.admin("DELETE", "requests")
        if unknown == self._unknown:
            return []
        self._unknown = unknown
        return [f"{each['method']} {each['path']}" for each in log if each["status"] == 404]
