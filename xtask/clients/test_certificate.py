"""azure-identity and msal sign in by an application's certificate, and are told why when it is not the right one.

azure-identity signs with RS256 and names the certificate by SHA-1; msal by itself signs with PS256 and names it by SHA-256.
"""

import logging
import unittest
from datetime import UTC, datetime, timedelta
from typing import Any

import msal
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from emulator import FABRIC_SCOPE, REAL_NAMES, Emulator

logging.getLogger("azure").setLevel(logging.CRITICAL)
SIGNER = "99999999-0000-4000-8000-00000000000a"
OTHER = "99999999-0000-4000-8000-00000000000b"


def new_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: RSAPrivateKey, days: int = 30) -> str:
    """A self-signed certificate for the key, good until `days` from now, as PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    until = datetime.now(UTC) + timedelta(days=days)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(until - timedelta(days=60)).not_valid_after(until)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def private(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class ByCertificate(unittest.TestCase):
    """What two of Microsoft's libraries make of a certificate, against the emulated Entra ID."""

    emulator: Emulator
    own: RSAPrivateKey
    certificate: str
    expired: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = Emulator(cls)
        cls.own = new_key()
        cls.certificate, cls.expired = certificate(cls.own), certificate(cls.own, days=-1)
        applications = [
            {"displayName": "Signer", "appId": SIGNER, "certificates": [cls.certificate, cls.expired]},
            {"displayName": "Other", "appId": OTHER, "certificates": [certificate(new_key())]},
        ]
        cls.emulator.admin("POST", "seed", {"servicePrincipals": applications})

    def credential(
        self, certificate: str, key: RSAPrivateKey, client: str = SIGNER, **more: Any
    ) -> CertificateCredential:
        if not REAL_NAMES:
            more |= {"authority": self.emulator.url, "disable_instance_discovery": True}
        data = (certificate + private(key)).encode()
        return CertificateCredential(self.emulator.tenant, client, certificate_data=data, **more)

    def msal(self, certificate: str, key: RSAPrivateKey) -> dict[str, Any]:
        """What msal gets for a certificate of which it is told no thumbprint."""
        host = "https://login.microsoftonline.com" if REAL_NAMES else self.emulator.url
        application = msal.ConfidentialClientApplication(
            SIGNER,
            authority=f"{host}/{self.emulator.tenant}",
            client_credential={"private_key": private(key), "public_certificate": certificate},
            instance_discovery=None if REAL_NAMES else False,
        )
        answer: dict[str, Any] = application.acquire_token_for_client([FABRIC_SCOPE])
        return answer

    def check_opens(self, token: str) -> None:
        """The token is of the application with the certificate, which sees the workspaces that it is in: none."""
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{self.emulator.url}/v1/workspaces", headers=headers, timeout=30)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(answer.json()["value"], [])

    def check_refused(self, credential: CertificateCredential, said: str) -> None:
        with self.assertRaisesRegex(ClientAuthenticationError, f"AADSTS700027: .*{said}"):
            credential.get_token(FABRIC_SCOPE)

    def test_a_certificate_gets_a_token(self) -> None:
        for chain in (False, True):
            credential = self.credential(self.certificate, self.own, send_certificate_chain=chain)
            self.check_opens(credential.get_token(FABRIC_SCOPE).token)

    def test_msal_by_itself_gets_a_token(self) -> None:
        answer = self.msal(self.certificate, self.own)
        self.check_opens(answer.get("access_token") or self.fail(answer))

    def test_a_wrong_key_is_refused(self) -> None:
        wrong = new_key()
        self.check_refused(self.credential(self.certificate, wrong), "use of the key .* failed")
        answer = self.msal(self.certificate, wrong)
        self.assertEqual((answer.get("error"), answer.get("error_codes")), ("invalid_client", [700027]))

    def test_an_unknown_certificate_is_refused(self) -> None:
        another = certificate(self.own)
        self.check_refused(self.credential(another, self.own), "The key was not found")
        self.assertEqual(self.msal(another, self.own).get("error_codes"), [700027])

    def test_a_certificate_of_another_application_is_refused(self) -> None:
        credential = self.credential(self.certificate, self.own, client=OTHER)
        self.check_refused(credential, "The key was not found")

    def test_an_expired_certificate_is_refused(self) -> None:
        self.check_refused(self.credential(self.expired, self.own), "The key used is expired")
