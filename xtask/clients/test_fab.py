"""fab lists, makes, exports, imports and removes, by the real host names: it takes no others, and no port."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

import repository
from emulator import CAPACITY, Emulator

FAB = str(Path(sys.executable).with_name("fab"))
# It verifies each of these tokens, with the keys that login.microsoftonline.com publishes.
TOKENS = {
    "FAB_TOKEN": "https://analysis.windows.net/powerbi/api/.default",
    "FAB_TOKEN_ONELAKE": "https://storage.azure.com/.default",
    "FAB_TOKEN_AZURE": "https://management.azure.com/.default",
}
INGEST = repository.WORKSPACE / "Ingest"


@dataclass(frozen=True)
class Output:
    """What one run of fab printed."""

    code: int
    result: dict[str, Any]

    @property
    def message(self) -> str:
        return str(self.result["message"])

    @property
    def names(self) -> list[str]:
        """The names of a listing."""
        return [each["name"] for each in self.result.get("data", [])]


class Fab(unittest.TestCase):
    """One emulator for all; each test has a workspace of its own."""

    emulator: Emulator
    home: str
    identity: dict[str, str]

    @classmethod
    def setUpClass(cls) -> None:
        # It reads all pages of a list.
        cls.emulator = Emulator(cls, "--page-size", "2")
        cls.home = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.identity = {name: cls.emulator.token(scope) for name, scope in TOKENS.items()}

    def setUp(self) -> None:
        # Its own name, in fab's notation.
        self.name = self.id().rsplit(".", 1)[1].removeprefix("test_")
        self.path = f"{self.name}.Workspace"

    def tearDown(self) -> None:
        self.assertEqual(self.emulator.unanswered(), [])

    def run_fab(
        self, *arguments: str, identity: dict[str, str] | None = None, home: str | None = None
    ) -> Output:
        """Runs fab without a terminal."""
        variables = {
            "HOME": home or self.home,
            "PATH": os.environ["PATH"],
            "REQUESTS_CA_BUNDLE": self.emulator.ca,
            **(self.identity if identity is None else identity),
        }
        command = [FAB, *arguments, "--output_format", "json"]
        done = subprocess.run(
            command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )
        try:
            printed = json.loads(done.stdout)
        except json.JSONDecodeError:
            self.fail(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return Output(done.returncode, printed["result"])

    def fab(self, *arguments: str) -> Output:
        """Runs fab, which must do what it is told."""
        output = self.run_fab(*arguments)
        self.assertEqual(output.code, 0, f"{arguments}: {output.result}")
        return output

    def workspace(self) -> str:
        """Makes the test's workspace, behind fab's back."""
        return self.emulator.new_workspace(self.name)

    def export(self, item: str, *arguments: str) -> Path:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.fab("export", f"{self.path}/{item}", "-o", str(folder), "-f", *arguments)
        return folder / item.rsplit("/", 1)[-1]

    def test_ls_lists_workspaces_and_their_capacities(self) -> None:
        workspace = self.workspace()
        self.assertIn(self.path, self.fab("ls").names)
        listed = {each["name"]: each for each in self.fab("ls", "-l").result["data"]}
        self.assertEqual(listed[self.path]["id"], workspace)
        self.assertEqual(listed[self.path]["capacityName"], CAPACITY)
        self.assertEqual(listed[self.path]["capacityRegion"], "West Europe")

    def test_ls_lists_items_wherever_they_are(self) -> None:
        workspace = self.workspace()
        folder = self.emulator.fabric("POST", f"workspaces/{workspace}/folders", {"displayName": "Raw"})["id"]
        for name, place in (("orders", {}), ("returns", {}), ("shops", {"folderId": folder})):
            body = {"displayName": name, "type": "DataPipeline"} | place
            self.emulator.fabric("POST", f"workspaces/{workspace}/items", body)
        self.assertEqual(
            self.fab("ls", self.path).names,
            ["orders.DataPipeline", "returns.DataPipeline", "shops.DataPipeline"],
        )
        self.assertEqual(self.fab("ls", f"{self.path}/Raw.Folder").names, ["shops.DataPipeline"])

    def test_mkdir_makes_a_workspace_once(self) -> None:
        made = self.fab("mkdir", self.path, "-P", f"capacityName={CAPACITY}")
        self.assertEqual(made.message, f"'{self.path}' created")
        inventory = self.emulator.inventory()["world"]["workspaces"]
        capacities = [each["capacity"] for each in inventory if each["displayName"] == self.name]
        self.assertEqual(capacities, [CAPACITY])
        again = self.run_fab("mkdir", self.path, "-P", f"capacityName={CAPACITY}")
        self.assertEqual((again.code, again.result["error_code"]), (1, "AlreadyExists"))

    def test_mkdir_makes_items_and_folders(self) -> None:
        workspace = self.workspace()
        self.fab("mkdir", f"{self.path}/Gold.Folder")
        self.fab("mkdir", f"{self.path}/lake.Lakehouse", "-P", "enableSchemas=true")
        self.fab("mkdir", f"{self.path}/load.Notebook")
        self.fab("mkdir", f"{self.path}/settings.VariableLibrary")
        self.fab("mkdir", f"{self.path}/spark.Environment")
        self.fab("mkdir", f"{self.path}/Gold.Folder/house.Warehouse", "-P", "enableCaseInsensitive=true")
        # It makes a semantic model for the report first.
        self.fab("mkdir", f"{self.path}/Gold.Folder/weekly.Report")
        folder = self.emulator.fabric("GET", f"workspaces/{workspace}/folders")["value"][0]["id"]
        items = {f"{each['displayName']}.{each['type']}": each for each in self.emulator.items(workspace)}
        in_folder = {"house.Warehouse", "weekly.Report", "weekly_auto.SemanticModel"}
        at_root = {"lake.Lakehouse", "load.Notebook", "settings.VariableLibrary", "spark.Environment"}
        self.assertEqual(set(items), in_folder | at_root)
        self.assertEqual({name for name, each in items.items() if each.get("folderId") == folder}, in_folder)
        lake = f"workspaces/{workspace}/lakehouses/{items['lake.Lakehouse']['id']}"
        self.assertEqual(self.emulator.fabric("GET", lake)["properties"]["defaultSchema"], "dbo")

    def test_export_writes_what_import_read(self) -> None:
        self.workspace()
        pipeline = str(INGEST / "Daily load.DataPipeline")
        imported = self.fab("import", f"{self.path}/daily.DataPipeline", "-i", pipeline, "-f")
        self.assertEqual(imported.message, "'daily.DataPipeline' imported")
        exported = self.export("daily.DataPipeline")
        written, read = (Path(folder) / "pipeline-content.json" for folder in (exported, pipeline))
        self.assertEqual(json.loads(written.read_text()), json.loads(read.read_text()))
        platform = json.loads((exported / ".platform").read_text())
        self.assertEqual(platform["metadata"]["type"], "DataPipeline")

    def test_import_overwrites(self) -> None:
        workspace = self.workspace()
        changed = Path(self.enterContext(tempfile.TemporaryDirectory())) / "x.VariableLibrary"
        shutil.copytree(repository.WORKSPACE / "settings.VariableLibrary", changed)
        self.fab("import", f"{self.path}/x.VariableLibrary", "-i", str(changed), "-f")
        first = self.emulator.items(workspace)
        variables = json.loads((changed / "variables.json").read_text())
        variables["variables"][0]["value"] = 7
        (changed / "variables.json").write_text(json.dumps(variables))
        self.fab("import", f"{self.path}/x.VariableLibrary", "-i", str(changed), "-f")
        self.assertEqual(self.emulator.items(workspace), first)
        definition = self.emulator.definition(workspace, first[0]["id"])
        self.assertEqual(json.loads(definition["variables.json"]), variables)

    def test_a_notebook_goes_through_as_source_and_as_ipynb(self) -> None:
        self.workspace()
        source = INGEST / "Load orders.Notebook"
        self.fab("import", f"{self.path}/load.Notebook", "-i", str(source), "-f", "--format", ".py")
        exported = self.export("load.Notebook", "--format", ".py")
        written, read = (folder / "notebook-content.py" for folder in (exported, source))
        self.assertEqual(written.read_text(), read.read_text())

        notebook = json.loads((self.export("load.Notebook") / "notebook-content.ipynb").read_text())
        cells = "".join(line for cell in notebook["cells"] for line in cell["source"])
        self.assertIn('clean.write.mode("overwrite").saveAsTable("orders")', cells)

    def test_importing_an_environment_publishes_it(self) -> None:
        workspace = self.workspace()
        source = str(repository.WORKSPACE / "spark.Environment")
        for _ in range(2):
            self.fab("import", f"{self.path}/spark.Environment", "-i", source, "-f")
            answer = self.emulator.fabric("GET", f"workspaces/{workspace}/environments")["value"]
            self.assertEqual([each["properties"]["publishDetails"]["state"] for each in answer], ["Success"])

    def test_get_shows_workspaces_and_items(self) -> None:
        workspace = self.workspace()
        self.fab("mkdir", f"{self.path}/load.Notebook")
        shown = self.fab("get", self.path, "-q", ".").result["data"][0]
        self.assertEqual((shown["id"], shown["displayName"]), (workspace, self.name))
        self.assertEqual([each["role"] for each in shown["roleAssignments"]], ["Admin"])
        self.assertEqual(shown["managedPrivateEndpoints"], [])
        self.assertIn("pool", shown["sparkSettings"])
        notebook = self.fab("get", f"{self.path}/load.Notebook", "-q", ".", "-f").result["data"][0]
        self.assertEqual(notebook["displayName"], "load")
        self.assertEqual((notebook["connections"], notebook["schedules"]), ([], []))

    def test_rm_removes_items_for_now_or_for_good(self) -> None:
        workspace = self.workspace()
        for name in ("soft", "hard"):
            self.fab("mkdir", f"{self.path}/{name}.Notebook")
        self.fab("rm", f"{self.path}/soft.Notebook", "-f")
        self.fab("rm", f"{self.path}/hard.Notebook", "-f", "--hard")
        self.assertEqual(self.emulator.items(workspace), [])
        inventory = self.emulator.inventory()["world"]["workspaces"]
        bin = next(each["recycleBin"] for each in inventory if each["displayName"] == self.name)
        self.assertEqual([each["displayName"] for each in bin], ["soft"])

    def test_rm_removes_a_workspace_with_all_that_is_in_it(self) -> None:
        self.workspace()
        self.fab("mkdir", f"{self.path}/load.Notebook")
        self.fab("rm", self.path, "-f")
        self.assertEqual(self.fab("exists", self.path).message, "false")
        self.assertNotIn(self.path, self.fab("ls").names)

    def test_what_is_not_there_is_not_found(self) -> None:
        for arguments in (
            ("ls", self.path),
            ("rm", self.path, "-f"),
            ("get", f"{self.path}/x.Notebook", "-q", "."),
        ):
            output = self.run_fab(*arguments)
            self.assertEqual((output.code, output.result["error_code"]), (1, "NotFound"), arguments)

    def test_a_token_of_another_signer_is_refused(self) -> None:
        token = self.identity["FAB_TOKEN"]
        claims = jwt.decode(token, options={"verify_signature": False})
        own_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        kid = jwt.get_unverified_header(token)["kid"]
        forged = jwt.encode(claims, own_key, algorithm="RS256", headers={"kid": kid})
        output = self.run_fab("ls", identity=self.identity | {"FAB_TOKEN": forged})
        self.assertEqual((output.code, output.result["error_code"]), (1, "AuthenticationFailed"))

    def test_a_service_principal_signs_in(self) -> None:
        workspace = self.workspace()
        home = self.enterContext(tempfile.TemporaryDirectory())
        # No keyring to keep tokens in.
        self.run_fab("config", "set", "encryption_fallback_enabled", "true", identity={}, home=home)
        principal = {
            "FAB_TENANT_ID": self.emulator.tenant,
            "FAB_SPN_CLIENT_ID": self.emulator.client,
            "FAB_SPN_CLIENT_SECRET": self.emulator.secret,
        }
        output = self.run_fab("ls", "-l", identity=principal, home=home)
        self.assertIn((self.path, workspace), [(each["name"], each["id"]) for each in output.result["data"]])
        (Path(home) / ".config/fab/cache.bin").unlink()
        output = self.run_fab("ls", identity=principal | {"FAB_SPN_CLIENT_SECRET": "wrong"}, home=home)
        self.assertEqual((output.code, output.result["error_code"]), (1, "AuthenticationFailed"))
