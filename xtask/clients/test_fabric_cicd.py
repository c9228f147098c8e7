"""fabric-cicd publishes `workspace/`, publishes it again, and unpublishes what is no longer in it.

It is as its package has it, but for the constant with the root URL; where the real host names lead here, that
one too.
"""

import json
import logging
import os
import shutil
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Before the import: what it waits for has happened by then.
os.environ["FABRIC_CICD_RETRY_DELAY_OVERRIDE_SECONDS"] = "0"

from azure.identity import ClientSecretCredential
from fabric_cicd import (
    FabricWorkspace,
    append_feature_flag,
    constants,
    publish_all_items,
    unpublish_all_orphan_items,
)

import repository
from emulator import REAL_NAMES, Emulator
from repository import NOBODY, WITHOUT_DEFINITION, RepositoryItem

logging.getLogger("fabric_cicd").setLevel(logging.ERROR)
append_feature_flag("enable_shortcut_publish")


class Case(unittest.TestCase):
    """A fresh emulator with an empty workspace for each class of tests."""

    emulator: Emulator
    workspace: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.emulator = Emulator(cls)
        cls.workspace = cls.emulator.new_workspace("Sales analytics")
        if not REAL_NAMES:
            constants.DEFAULT_API_ROOT_URL = constants.FABRIC_API_ROOT_URL = cls.emulator.url

    @classmethod
    def target(cls, root: Path = repository.WORKSPACE, kinds: list[str] | None = None) -> FabricWorkspace:
        """What fabric-cicd knows about folder and workspace; it is good for one run."""
        authority: dict[str, Any] = (
            {} if REAL_NAMES else {"authority": cls.emulator.url, "disable_instance_discovery": True}
        )
        identity = (cls.emulator.tenant, cls.emulator.client, cls.emulator.secret)
        return FabricWorkspace(
            workspace_id=cls.workspace,
            repository_directory=str(root),
            token_credential=ClientSecretCredential(*identity, **authority),
            item_type_in_scope=kinds,
            environment="production",
        )

    def get(self, path: str) -> Any:
        """Reads something of the workspace."""
        return self.emulator.fabric("GET", f"workspaces/{self.workspace}/{path}")

    def items(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The items of the workspace by type and name."""
        items = self.emulator.items(self.workspace)
        by_name = {(item["type"], item["displayName"]): item for item in items}
        self.assertEqual(len(by_name), len(items), "an item is there twice")
        return by_name

    def check_items(self, expected: list[RepositoryItem]) -> None:
        """The workspace has these items and folders, and no others."""
        inventory = self.emulator.inventory()["world"]
        workspace = next(each for each in inventory["workspaces"] if each["displayName"] == "Sales analytics")
        keys = ("type", "displayName", "description", "folder")
        actual = [
            tuple(item[key] or "" for key in keys)
            for item in workspace["items"]
            if item["type"] != "SQLEndpoint"
        ]
        wanted = [(item.kind, item.name, item.description, item.folder) for item in expected]
        self.assertCountEqual(actual, wanted)
        folders = {str(folder) for item in expected if item.folder for folder in ancestors(item.folder)}
        self.assertCountEqual(workspace["folders"], folders)

    def check_definitions(self, expected: list[RepositoryItem]) -> None:
        """Each definition is what the files say, with the ids of this workspace."""
        items = self.items()
        ids = {item.logical_id: items[item.kind, item.name]["id"] for item in expected}
        ids[NOBODY] = self.workspace
        for item in expected:
            if item.kind in WITHOUT_DEFINITION:
                continue
            with self.subTest(f"{item.name}.{item.kind}"):
                actual = self.emulator.definition(self.workspace, items[item.kind, item.name]["id"])
                metadata = json.loads(actual.pop(".platform"))["metadata"]
                self.assertEqual((metadata["type"], metadata["displayName"]), (item.kind, item.name))
                wanted = {path: replaced(text, ids) for path, text in item.parts.items()}
                self.assertEqual(sorted(actual), sorted(wanted))
                for path, text in wanted.items():
                    if path == "definition.pbir":
                        self.assertIn("datasetReference", json.loads(actual[path]))
                    elif path.endswith(".json"):
                        self.assertEqual(json.loads(actual[path]), json.loads(text), path)
                    else:
                        self.assertEqual(actual[path].decode(), text, path)

    def tearDown(self) -> None:
        self.assertEqual(self.emulator.unanswered(), [])


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the folder to change. fabric-cicd compares paths: there are no symbolic links in this one."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "workspace"
        shutil.copytree(repository.WORKSPACE, root)
        yield root


def ancestors(folder: str) -> list[Path]:
    """A folder's path and those of the folders around it."""
    return [Path(folder), *Path(folder).parents][:-1]


def replaced(text: str, ids: dict[str, str]) -> str:
    """`text` with real ids in the place of the folder's own."""
    for placeholder, real in ids.items():
        text = text.replace(placeholder, real)
    return text


class Published(Case):
    """After one run."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        publish_all_items(cls.target())

    def test_the_items_and_folders_are_those_of_the_repository(self) -> None:
        self.check_items(repository.read())

    def test_the_definitions_are_those_of_the_repository(self) -> None:
        self.check_definitions(repository.read())

    def test_the_shortcuts_lead_to_the_published_lakehouses(self) -> None:
        items = self.items()
        sales, raw = items["Lakehouse", "sales"]["id"], items["Lakehouse", "orders_raw"]["id"]
        shortcuts = self.get(f"items/{sales}/shortcuts")["value"]
        actual = {(each["path"], each["name"]): each["target"]["oneLake"] for each in shortcuts}
        wanted = {
            ("/Files", "orders"): {"workspaceId": self.workspace, "itemId": raw, "path": "Files/orders"},
            ("/Files/archive", "latest"): {
                "workspaceId": self.workspace,
                "itemId": sales,
                "path": "Files/2026",
            },
        }
        self.assertEqual(actual, wanted)

    def test_the_report_reads_the_published_model(self) -> None:
        items = self.items()
        definition = self.emulator.definition(self.workspace, items["Report", "Sales overview"]["id"])
        reference = json.loads(definition["definition.pbir"])["datasetReference"]
        model = items["SemanticModel", "Sales"]["id"]
        self.assertEqual(reference["byConnection"]["pbiModelDatabaseName"], model)

    def test_the_lakehouse_has_schemas_and_its_sql_endpoint(self) -> None:
        lakehouse = self.items()["Lakehouse", "sales"]["id"]
        properties = self.get(f"lakehouses/{lakehouse}")["properties"]
        self.assertEqual(properties["defaultSchema"], "dbo")
        self.assertEqual(properties["sqlEndpointProperties"]["provisioningStatus"], "Success")

    def test_the_environment_is_published(self) -> None:
        environment = self.items()["Environment", "spark"]["id"]
        details = self.get(f"environments/{environment}")["properties"]["publishDetails"]
        self.assertEqual(details["state"], "Success")
        compute = self.get(f"environments/{environment}/sparkcompute?beta=false")
        self.assertEqual(compute["driverCores"], 4)
        executors = {"enabled": True, "minExecutors": 1, "maxExecutors": 2}
        self.assertEqual(compute["dynamicExecutorAllocation"], executors)

    def test_the_value_set_of_the_target_environment_is_active(self) -> None:
        library = self.items()["VariableLibrary", "settings"]["id"]
        properties = self.get(f"variableLibraries/{library}")["properties"]
        self.assertEqual(properties["activeValueSetName"], "production")

    def test_the_warehouse_has_its_collation(self) -> None:
        warehouse = self.items()["Warehouse", "sales_warehouse"]["id"]
        properties = self.get(f"warehouses/{warehouse}")["properties"]
        self.assertEqual(properties["collationType"], "Latin1_General_100_CI_AS_KS_WS_SC_UTF8")


class PublishedAgain(Case):
    """After two runs with nothing changed, and a third with something changed."""

    def test_publishing_again_changes_nothing_that_did_not_change(self) -> None:
        publish_all_items(self.target())
        first, ids = self.emulator.inventory()["hash"], self.ids()
        publish_all_items(self.target())
        self.assertEqual(self.ids(), ids)
        self.assertEqual(self.emulator.inventory()["hash"], first)

        with copied() as root:
            (root / "spark.Environment/Setting/Sparkcompute.yml").write_text("driver_cores: 8\n")
            (root / "Ingest/Load orders.Notebook").rename(root / "Load orders.Notebook")
            publish_all_items(self.target(root))
            self.assertEqual(self.ids(), ids)
            self.check_items(repository.read(root))
            self.check_definitions(repository.read(root))

    def ids(self) -> dict[tuple[str, str], str]:
        return {key: item["id"] for key, item in self.items().items()}


class Orphans(Case):
    """After a run, two items leave the repository."""

    def test_orphans_are_unpublished_with_the_folders_that_they_leave_empty(self) -> None:
        publish_all_items(self.target())
        with copied() as root:
            shutil.rmtree(root / "Reports")
            shutil.rmtree(root / "settings.VariableLibrary")
            unpublish_all_orphan_items(self.target(root))
            self.check_items(repository.read(root))
        self.assertNotIn(("Report", "Sales overview"), self.items())


class InBulk(Case):
    """By the bulk import, which takes all but warehouses, and where the service puts the ids in."""

    def test_a_bulk_import_publishes_the_same(self) -> None:
        flags = {"enable_experimental_features", "enable_bulk_publish"}
        constants.FEATURE_FLAG.update(flags)
        self.addCleanup(constants.FEATURE_FLAG.difference_update, flags)
        expected = [item for item in repository.read() if item.kind != "Warehouse"]
        publish_all_items(self.target(kinds=sorted({item.kind for item in expected})))
        self.check_items(expected)
        self.check_definitions(expected)
