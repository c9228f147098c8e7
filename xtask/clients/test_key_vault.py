"""azure-keyvault-secrets keeps secrets in the emulated vault, and is told why when it may not.

Where the real host names lead here, nothing is configured at all: the client then checks that the vault asks
for a token of its own domain. By the emulator's address it has to be told not to.
"""

import logging
import unittest
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets._shared import http_challenge_cache

from emulator import REAL_NAMES, Emulator

logging.getLogger("azure").setLevel(logging.CRITICAL)
READER = "99999999-0000-4000-8000-00000000000a"
STRANGER = "99999999-0000-4000-8000-00000000000b"
PATIENCE = 30
"""Seconds."""


def seed() -> dict[str, Any]:
    """A reader who may get secrets, and a stranger; what each vault does with it is for the tests to say."""
    principals = [
        {"id": f"{app[:-2]}1{app[-1]}", "displayName": name, "appId": app, "secret": "s"}
        for name, app in (("Reader", READER), ("Stranger", STRANGER))
    ]
    reader = principals[0]["id"]
    return {
        "servicePrincipals": principals,
        "vaults": [
            {"name": "emulator", "access": [{"principalId": reader, "role": "Key Vault Secrets User"}]},
            {
                "name": "finance",
                "authorization": "AccessPolicies",
                "access": [{"principalId": reader, "permissions": ["list"]}],
                "secrets": [{"name": "ledger", "value": "kept apart"}],
            },
        ],
    }


class KeyVault(unittest.TestCase):
    """`SecretClient` as its package has it, over https with the exported authority."""

    emulator: Emulator

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = Emulator(cls)

    def setUp(self) -> None:
        self.emulator.admin("POST", "reset")
        self.emulator.admin("POST", "seed", seed())
        # What one client was challenged with, all of a process remember.
        http_challenge_cache.clear()
        self.client = self.connect(self.emulator.client, self.emulator.secret)
        self.addCleanup(self.check_answered)

    def check_answered(self) -> None:
        self.assertEqual(self.emulator.inventory()["unknownRoutes"], 0)

    def connect(self, client: str, secret: str, vault: str = "emulator", **options: Any) -> SecretClient:
        """A client for the vault, as that application."""
        if REAL_NAMES:
            url, authority = f"https://{vault}.vault.azure.net", {}
        else:
            url = self.emulator.url
            authority = {"authority": url, "disable_instance_discovery": True}
            options["verify_challenge_resource"] = False
        credential = ClientSecretCredential(self.emulator.tenant, client, secret, **authority)
        made = SecretClient(url, credential, connection_verify=self.emulator.ca, **options)
        self.addCleanup(made.close)
        return made

    def check_refused(
        self, error: HttpResponseError, status: int, code: str, inner: str | None = None
    ) -> None:
        """The client read the error as what it is."""
        self.assertEqual(error.status_code, status)
        assert error.error is not None
        self.assertEqual(error.error.code, code)
        self.assertEqual((error.error.innererror or {}).get("code"), inner)

    def reads(self, name: str) -> int:
        """How many times the vault has handed the secret out."""
        log = self.emulator.admin("GET", "requests")
        found = (each for each in log if each.get("secret") == f"emulator/{name}")
        return sum((each["method"], each["status"]) == ("GET", 200) for each in found)

    def is_there(self, get: Callable[[str], Any]) -> bool:
        """Whether `get` finds the secret `a`."""
        try:
            return get("a") is not None
        except ResourceNotFoundError:
            return False

    def test_what_is_set_is_got(self) -> None:
        value = 'multi\nline "quoted" = ä\u20ac'
        expires = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
        properties: dict[str, Any] = {"content_type": "text/plain", "tags": {"owner": "data"}}
        properties["expires_on"] = expires
        made = self.client.set_secret("Azure-Client-Secret", value, **properties)
        got = self.client.get_secret("azure-client-secret")
        self.assertEqual((got.value, got.name), (value, "Azure-Client-Secret"))
        self.assertEqual(got.properties.version, made.properties.version)
        self.assertEqual(got.properties.expires_on, expires)
        self.assertEqual(got.properties.content_type, "text/plain")
        self.assertEqual(got.properties.tags, {"owner": "data"})
        self.assertEqual(got.properties.recovery_level, "Recoverable+Purgeable")
        host = "emulator.vault.azure.net" if REAL_NAMES else self.emulator.url.removeprefix("https://")
        self.assertEqual(got.properties.vault_url, f"https://{host}")
        self.assertEqual(self.reads("azure-client-secret"), 1)

    def test_the_first_request_waits_for_the_challenge(self) -> None:
        self.client.set_secret("a", "v")
        log = self.emulator.admin("GET", "requests")
        log = [each for each in log if each.get("secret") == "emulator/a"]
        self.assertEqual([(each["status"], bool(each["body"])) for each in log], [(401, False), (200, True)])

    def test_versions_and_lists_come_in_pages(self) -> None:
        versions = [self.client.set_secret("secret-00", str(n)).properties.version for n in range(3)]
        for n in range(1, 30):
            self.client.set_secret(f"secret-{n:02}", "v")
        for options in ({}, {"max_page_size": 7}):
            listed = list(self.client.list_properties_of_secrets(**options))
            self.assertEqual([each.name for each in listed], [f"secret-{n:02}" for n in range(30)])
        pages = [list(page) for page in self.client.list_properties_of_secrets(max_page_size=7).by_page()]
        self.assertEqual([len(page) for page in pages], [7, 7, 7, 7, 2])
        found = self.client.list_properties_of_secret_versions("secret-00", max_page_size=2)
        self.assertEqual([each.version for each in found], versions)
        self.assertEqual(self.client.get_secret("secret-00", versions[1]).value, "1")
        self.assertEqual(self.client.get_secret("secret-00").value, "2")

    def test_properties_change_without_the_value(self) -> None:
        made = self.client.set_secret("a", "v")
        self.client.update_secret_properties("a", made.properties.version, content_type="x", enabled=False)
        with self.assertRaises(HttpResponseError) as raised:
            self.client.get_secret("a")
        self.check_refused(raised.exception, 403, "Forbidden", "SecretDisabled")
        changed = self.client.update_secret_properties("a", enabled=True)
        self.assertEqual((changed.content_type, changed.enabled), ("x", True))
        self.assertEqual(self.client.get_secret("a").value, "v")

    def test_a_deleted_secret_comes_back_or_goes_for_good(self) -> None:
        self.client.set_secret("a", "v")
        self.emulator.admin("POST", "clock", {"freeze": True})
        self.emulator.admin("POST", "settings", {"secretDeletion": "10s"})
        deletion = self.client.begin_delete_secret("a", _polling_interval=0.01)
        self.assertFalse(self.is_there(self.client.get_deleted_secret))
        self.assertEqual(deletion.result().name, "a")
        with self.assertRaises(ResourceExistsError) as raised:
            self.client.set_secret("a", "w")
        self.check_refused(raised.exception, 409, "Conflict", "ObjectIsBeingDeleted")
        self.emulator.admin("POST", "clock", {"advance": "10s"})
        deletion.wait(PATIENCE)
        self.assertTrue(self.is_there(self.client.get_deleted_secret))
        self.assertEqual([each.name for each in self.client.list_deleted_secrets()], ["a"])
        with self.assertRaises(ResourceExistsError) as raised:
            self.client.set_secret("a", "w")
        self.check_refused(raised.exception, 409, "Conflict", "ObjectIsDeletedButRecoverable")

        recovery = self.client.begin_recover_deleted_secret("a", _polling_interval=0.01)
        self.assertFalse(self.is_there(self.client.get_secret))
        self.emulator.admin("POST", "clock", {"advance": "10s"})
        recovery.wait(PATIENCE)
        self.assertEqual(self.client.get_secret("a").value, "v")

        self.emulator.admin("POST", "settings", {"secretDeletion": "0s"})
        self.client.begin_delete_secret("a", _polling_interval=0.01).wait(PATIENCE)
        self.client.purge_deleted_secret("a")
        with self.assertRaises(ResourceNotFoundError) as missing:
            self.client.get_deleted_secret("a")
        self.check_refused(missing.exception, 404, "SecretNotFound")

    def test_what_is_missing_is_not_found(self) -> None:
        self.client.set_secret("a", "v")
        for call in (
            lambda: self.client.get_secret("nothing"),
            lambda: self.client.get_secret("a", "0" * 32),
            lambda: self.client.begin_delete_secret("nothing"),
            lambda: self.client.get_deleted_secret("a"),
            lambda: list(self.client.list_properties_of_secret_versions("nothing")),
        ):
            with self.assertRaises(ResourceNotFoundError) as raised:
                call()
            self.check_refused(raised.exception, 404, "SecretNotFound")

    def test_who_may_not_is_forbidden(self) -> None:
        self.client.set_secret("a", "v")
        reader, stranger = self.connect(READER, "s"), self.connect(STRANGER, "s")
        self.assertEqual(reader.get_secret("a").value, "v")
        for call in (
            lambda: reader.set_secret("a", "w"),
            lambda: stranger.get_secret("a"),
            lambda: stranger.get_secret("x"),
        ):
            with self.assertRaises(HttpResponseError) as raised:
                call()
            self.check_refused(raised.exception, 403, "Forbidden", "ForbiddenByRbac")
        self.emulator.admin("POST", "seed", {"vaults": [{"name": "emulator", "firewall": True}]})
        with self.assertRaises(HttpResponseError) as raised:
            self.client.get_secret("a")
        self.check_refused(raised.exception, 403, "Forbidden", "ForbiddenByFirewall")

    @unittest.skipUnless(REAL_NAMES, "a second vault has only its real name")
    def test_a_second_vault_has_secrets_and_policies_of_its_own(self) -> None:
        reader = self.connect(READER, "s", "finance")
        self.assertEqual([each.name for each in reader.list_properties_of_secrets()], ["ledger"])
        with self.assertRaises(HttpResponseError) as raised:
            reader.get_secret("ledger")
        self.check_refused(raised.exception, 403, "Forbidden", "AccessDenied")
        with self.assertRaises(ResourceNotFoundError):
            self.client.get_secret("ledger")

    @unittest.skipUnless(REAL_NAMES, "by another name the client is told not to look")
    def test_a_challenge_that_names_another_resource_is_not_answered(self) -> None:
        self.client.set_secret("a", "v")
        client = self.connect(self.emulator.client, self.emulator.secret, "finance")
        elsewhere = "https://vault.azure.net.elsewhere.example"
        self.emulator.admin("POST", "faults", f"GET */secrets/*=challenge:{elsewhere}")
        with self.assertRaisesRegex(ValueError, "does not match the requested domain"):
            client.get_secret("a")

    def test_what_cannot_be_is_refused(self) -> None:
        for name, value in (("a_b", "v"), ("a", ""), ("a", "x" * 25_601)):
            with self.assertRaises(HttpResponseError) as raised:
                self.client.set_secret(name, value)
            self.check_refused(raised.exception, 400, "BadParameter")

    def test_a_wrong_or_expired_token_is_refused(self) -> None:
        self.client.set_secret("a", "v")
        wrong = self.connect(self.emulator.client, "wrong")
        with self.assertRaises(ClientAuthenticationError):
            wrong.get_secret("a")
        self.emulator.admin("POST", "clock", {"advance": "2h"})
        # The client takes its token for good, is challenged, and takes it for good again.
        with self.assertRaises(ClientAuthenticationError) as raised:
            self.client.get_secret("a")
        self.check_refused(raised.exception, 401, "Unauthorized")

    def test_throttling_is_waited_out(self) -> None:
        self.client.set_secret("a", "v")
        self.emulator.admin("POST", "faults", "GET */secrets/*=429,retry-after=0,times=2")
        self.assertEqual(self.client.get_secret("a").value, "v")
        self.assertEqual(self.reads("a"), 1)
        impatient = self.connect(self.emulator.client, self.emulator.secret, retry_total=0)
        impatient.get_secret("a")
        self.emulator.admin("POST", "settings", {"quotas": {"vault": 0}})
        with self.assertRaises(HttpResponseError) as raised:
            impatient.get_secret("a")
        self.check_refused(raised.exception, 429, "Throttled")
