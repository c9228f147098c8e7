"""azure-identity gets tokens, and is told why when it does not.

Where the real host names lead here, nothing is configured at all: msal then asks its instance discovery too.
"""

import logging
import time
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientAssertionCredential, ClientSecretCredential
from cryptography.hazmat.primitives.asymmetric import rsa

from emulator import FABRIC_SCOPE, REAL_NAMES, Emulator

logging.getLogger("azure").setLevel(logging.CRITICAL)
ELSEWHERE = "99999999-0000-4000-8000-000000000000"
ISSUER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def assertion(branch: str = "main", lasts: int = 300) -> str:
    """What GitHub would say about a workflow of a branch; the demo tenant trusts `main`."""
    now = int(time.time())
    claims = {
        "iss": "https://token.actions.githubusercontent.com",
        "sub": f"repo:contoso/fabric:ref:refs/heads/{branch}",
        "aud": "api://AzureADTokenExchange",
        "iat": now + lasts - 600,
        "exp": now + lasts,
    }
    return jwt.encode(claims, ISSUER_KEY, algorithm="RS256", headers={"kid": "github"})


def causes(error: BaseException | None) -> Iterator[str]:
    """What an error says, and each error that led to it."""
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


class AzureIdentity(unittest.TestCase):
    """Credentials of azure-identity against the emulated Entra ID."""

    emulator: Emulator
    options: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = Emulator(cls)
        cls.options = (
            {} if REAL_NAMES else {"authority": cls.emulator.url, "disable_instance_discovery": True}
        )

    def by_secret(self, **changes: str) -> ClientSecretCredential:
        identity = {
            "tenant_id": self.emulator.tenant,
            "client_id": self.emulator.client,
            "client_secret": self.emulator.secret,
        }
        return ClientSecretCredential(**identity | changes, **self.options)

    def by_assertion(
        self, assertion: Callable[[], str] = assertion, tenant: str | None = None
    ) -> ClientAssertionCredential:
        identity = (tenant or self.emulator.tenant, self.emulator.client)
        return ClientAssertionCredential(*identity, assertion, **self.options)

    def check_token(self, credential: ClientSecretCredential | ClientAssertionCredential) -> None:
        """The token is signed with a published key, says who it is for, and opens Fabric."""
        token = credential.get_token(FABRIC_SCOPE)
        self.assertGreater(token.expires_on, time.time() + 600)
        published = requests.get(
            f"{self.emulator.url}/{self.emulator.tenant}/discovery/v2.0/keys", timeout=30
        )
        keys = jwt.PyJWKSet.from_dict(published.json())
        key = keys[jwt.get_unverified_header(token.token)["kid"]]
        audience = FABRIC_SCOPE.removesuffix("/.default")
        claims = jwt.decode(token.token, key, algorithms=["RS256"], audience=audience)
        self.assertEqual(claims["tid"], self.emulator.tenant)
        self.assertEqual(claims["appid"], self.emulator.client)
        headers = {"Authorization": f"Bearer {token.token}"}
        answer = requests.get(f"{self.emulator.url}/v1/workspaces", headers=headers, timeout=30)
        self.assertEqual(answer.status_code, 200, answer.text)

    def check_refusal(self, credential: Any, code: int, scope: str = FABRIC_SCOPE) -> None:
        with self.assertRaises(ClientAuthenticationError) as raised:
            credential.get_token(scope)
        self.assertIn(f"AADSTS{code}:", "\n".join(causes(raised.exception)))

    def test_a_secret_gets_a_token(self) -> None:
        self.check_token(self.by_secret())

    def test_an_assertion_gets_a_token(self) -> None:
        self.check_token(self.by_assertion())

    def test_a_wrong_secret_is_refused(self) -> None:
        self.check_refusal(self.by_secret(client_secret="wrong"), 7000215)

    def test_a_wrong_assertion_is_refused(self) -> None:
        self.check_refusal(self.by_assertion(lambda: assertion(branch="feature")), 700213)
        self.check_refusal(self.by_assertion(lambda: assertion(lasts=-3600)), 700024)

    def test_an_unknown_application_is_refused(self) -> None:
        self.check_refusal(self.by_secret(client_id=ELSEWHERE), 700016)

    def test_an_unknown_tenant_is_refused(self) -> None:
        self.check_refusal(self.by_secret(tenant_id=ELSEWHERE), 90002)
        self.check_refusal(self.by_assertion(tenant=ELSEWHERE), 90002)

    def test_a_scope_that_is_not_the_default_one_is_refused(self) -> None:
        scope = "https://api.fabric.microsoft.com/Workspace.Read.All"
        self.check_refusal(self.by_secret(), 1002012, scope)
        self.check_refusal(self.by_assertion(), 1002012, scope)

    def test_a_scope_of_an_unknown_resource_is_refused(self) -> None:
        self.check_refusal(self.by_secret(), 500011, "https://nobody.example/.default")
        self.check_refusal(self.by_assertion(), 500011, "https://nobody.example/.default")

    def test_instance_discovery_is_asked_where_it_is_not_disabled(self) -> None:
        self.by_secret().get_token(FABRIC_SCOPE)
        asked = {each["path"].split("?")[0] for each in self.emulator.admin("GET", "requests")}
        self.assertIn(f"/{self.emulator.tenant}/v2.0/.well-known/openid-configuration", asked)
        self.assertEqual("/common/discovery/instance" in asked, REAL_NAMES, asked)
