"""azure-identity gets tokens where nothing has a secret: managed identities, pipelines and clusters.

Each test has the variables that a machine of the kind has, and the token opens the emulated vault.
"""

import logging
import os
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import (
    AzurePipelinesCredential,
    ClientAssertionCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.keyvault.secrets import SecretClient

from emulator import REAL_NAMES, Emulator

logging.getLogger("azure").setLevel(logging.CRITICAL)
SYSTEM = "99999999-0000-4000-8000-00000000000a"
USER = "99999999-0000-4000-8000-00000000000b"
NOBODY = "99999999-0000-4000-8000-00000000000c"
CONNECTION = "66666666-6666-4666-8666-666666666666"
CLUSTER = {"issuer": "https://oidc.example/cluster", "subject": "system:serviceaccount:deploy:selvedge"}
ACCESS_TOKEN = "emulator-system-access-token"
CLUSTER_APP = "99999999-0000-4000-8000-00000000000d"


def seed() -> dict[str, Any]:
    """Two identities of the machine, of which only its own may read, and an application of a cluster's."""
    ids = {app: f"{app[:-2]}1{app[-1]}" for app in (SYSTEM, USER, CLUSTER_APP)}
    reader = [{"principalId": ids[app], "role": "Key Vault Secrets User"} for app in (SYSTEM, CLUSTER_APP)]
    return {
        "servicePrincipals": [
            {"id": ids[SYSTEM], "displayName": "Own", "appId": SYSTEM, "managedIdentity": "SystemAssigned"},
            {"id": ids[USER], "displayName": "Shared", "appId": USER, "managedIdentity": "UserAssigned"},
            {
                "id": ids[CLUSTER_APP],
                "displayName": "Pod",
                "appId": CLUSTER_APP,
                "federatedCredentials": [CLUSTER],
            },
        ],
        "vaults": [{"name": "emulator", "access": reader, "secrets": [{"name": "a", "value": "v"}]}],
    }


class WithoutASecret(unittest.TestCase):
    """Credentials of azure-identity that read their machine's variables."""

    emulator: Emulator

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = Emulator(cls, "--listen", "127.0.0.1:0")
        cls.emulator.admin("POST", "seed", seed())
        cls.options: dict[str, Any] = (
            {} if REAL_NAMES else {"authority": cls.emulator.url, "disable_instance_discovery": True}
        )

    def machine(self, **variables: str) -> None:
        """The variables of this test's machine, and no others of their kind."""
        self.enterContext(patch.dict(os.environ, variables))

    def check_reads(self, credential: Any) -> None:
        """The credential opens the vault."""
        self.assertEqual(self.client(credential).get_secret("a").value, "v")

    def client(self, credential: Any) -> SecretClient:
        url = "https://emulator.vault.azure.net" if REAL_NAMES else self.emulator.url
        client = SecretClient(
            url, credential, verify_challenge_resource=REAL_NAMES, connection_verify=self.emulator.ca
        )
        self.addCleanup(client.close)
        return client

    def check_forbidden(self, credential: Any, app: str) -> None:
        """The token is the identity's, which may not read."""
        with self.assertRaises(HttpResponseError) as raised:
            self.client(credential).get_secret("a")
        self.assertEqual(raised.exception.status_code, 403)
        self.assertIn(f"appid={app};", str(raised.exception))

    def test_a_virtual_machine(self) -> None:
        self.machine(AZURE_POD_IDENTITY_AUTHORITY_HOST=self.emulator.http)
        self.check_reads(ManagedIdentityCredential())
        self.check_forbidden(ManagedIdentityCredential(client_id=USER), USER)
        with self.assertRaises(CredentialUnavailableError) as raised:
            ManagedIdentityCredential(client_id=NOBODY).get_token("https://vault.azure.net/.default")
        self.assertIn("Identity not found", str(raised.exception))

    def test_an_app_service(self) -> None:
        endpoint = f"{self.emulator.http}/msi/token"
        self.machine(IDENTITY_ENDPOINT=endpoint, IDENTITY_HEADER="emulator-identity-header")
        self.check_reads(ManagedIdentityCredential())
        self.check_forbidden(ManagedIdentityCredential(client_id=USER), USER)
        self.machine(IDENTITY_HEADER="guessed")
        with self.assertRaises(ClientAuthenticationError):
            ManagedIdentityCredential().get_token("https://vault.azure.net/.default")

    def test_a_pipeline_of_azure_devops(self) -> None:
        path = "contoso/fabric/_apis/distributedtask/hubs/build/plans/1/jobs/1/oidctoken"
        self.machine(SYSTEM_OIDCREQUESTURI=f"{self.emulator.http}/{path}")

        def credential(connection: str, token: str = ACCESS_TOKEN) -> AzurePipelinesCredential:
            return AzurePipelinesCredential(
                tenant_id=self.emulator.tenant,
                client_id=self.emulator.client,
                service_connection_id=connection,
                system_access_token=token,
                **self.options,
            )

        self.check_reads(credential(CONNECTION))
        for wrong in (credential(NOBODY), credential(CONNECTION, "guessed")):
            with self.assertRaises(ClientAuthenticationError):
                wrong.get_token("https://vault.azure.net/.default")

    def test_a_workflow_of_github_actions(self) -> None:
        def assertion(query: str = "") -> str:
            url = f"{self.emulator.http}/actions/idtoken?api-version=2.0{query}"
            url += "&audience=api://AzureADTokenExchange"
            headers = {"Authorization": "bearer emulator-actions-token"}
            answer = requests.get(url, headers=headers, timeout=30)
            answer.raise_for_status()
            return str(answer.json()["value"])

        identity = (self.emulator.tenant, self.emulator.client)
        self.check_reads(ClientAssertionCredential(*identity, assertion, **self.options))
        wrong = "&subject=repo:contoso/fabric:pull_request"
        with self.assertRaises(ClientAuthenticationError) as raised:
            ClientAssertionCredential(*identity, lambda: assertion(wrong), **self.options).get_token(
                "https://vault.azure.net/.default"
            )
        self.assertIn("AADSTS700213", str(raised.exception))

    def test_a_pod_of_a_cluster(self) -> None:
        file = Path(self.enterContext(tempfile.TemporaryDirectory())) / "token"
        file.write_text(self.emulator.admin("POST", "assertions", CLUSTER)["assertion"])
        self.check_reads(
            WorkloadIdentityCredential(
                tenant_id=self.emulator.tenant,
                client_id=CLUSTER_APP,
                token_file_path=str(file),
                **self.options,
            )
        )
