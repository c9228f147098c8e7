"""The folder of items as Fabric's Git integration lays them out, read without any of the clients."""

import json
from dataclasses import dataclass
from pathlib import Path

WORKSPACE = Path(__file__).parent / "workspace"
NOBODY = "00000000-0000-0000-0000-000000000000"
"""Stands for the workspace itself, wherever an item names one."""
WITHOUT_DEFINITION = {"Lakehouse", "Warehouse"}
"""Types that fabric-cicd publishes without their files."""


@dataclass(frozen=True)
class RepositoryItem:
    """An item as its folder says it should be."""

    kind: str
    name: str
    description: str
    folder: str
    """Where in the workspace, such as `Reports/Monthly`; empty at the root."""
    logical_id: str
    path: Path

    @property
    def parts(self) -> dict[str, str]:
        """The files that make up the definition, by path."""
        files = (file for file in self.path.rglob("*") if file.is_file() and file.name != ".platform")
        return {file.relative_to(self.path).as_posix(): file.read_text("utf-8") for file in files}


def read(root: Path = WORKSPACE) -> list[RepositoryItem]:
    """All items below a folder."""
    items = []
    for file in sorted(root.rglob(".platform")):
        platform = json.loads(file.read_text("utf-8"))
        metadata = platform["metadata"]
        folder = file.parent.parent.relative_to(root).as_posix()
        item = RepositoryItem(
            kind=metadata["type"],
            name=metadata["displayName"],
            description=metadata.get("description", ""),
            folder="" if folder == "." else folder,
            logical_id=platform["config"]["logicalId"],
            path=file.parent,
        )
        items.append(item)
    return items
