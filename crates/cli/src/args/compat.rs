//! Every command line of the predecessor's scripts, in the words of this program: its sub-commands, its arguments, its spellings.

use clap::Parser as _;

use super::Cli;

/// What the predecessor took, script by script; the name of the script gave way to that of a group.
const TAKEN: &[&str] = &[
    // manage_workspaces.py
    "workspaces list",
    "workspaces list-workspaces",
    "workspaces -e dev list --filter-env --details",
    "workspaces --environment test --json -v list",
    "workspaces create sales",
    "workspaces -e dev create sales --description text --capacity-id cap --capacity-type Fabric_F2",
    "workspaces create sales -e dev --json",
    "workspaces delete id --force -y",
    "workspaces delete id --yes",
    "workspaces delete-bulk a b -f ids.txt --force -y",
    "workspaces delete-bulk --file ids.txt",
    "workspaces -e dev delete-all --force -y",
    "workspaces update id --name n --description d",
    "workspaces get --id id --show-items",
    "workspaces --json get --name n",
    "workspaces assign-capacity id cap",
    "workspaces unassign-capacity id -y",
    "workspaces list-users id",
    "workspaces add-user id who --role Admin --principal-type Group",
    "workspaces add-users-from-file id file.txt --dry-run -y",
    "workspaces remove-user id who",
    "workspaces update-role id who Member",
    "workspaces create-set name --environments dev,test --description text",
    "workspaces copy-users a b",
    "workspaces setup project --admins a@b.example,c@b.example --members d@b.example",
    // manage_fabric_items.py
    "items list --workspace w --type Notebook --json",
    "items get --workspace w --item-name n --type Lakehouse --json",
    "items get --workspace w --item-id 00000000-0000-4000-8000-000000000001",
    "items create --workspace w --name n --type Notebook --description d --definition-file f",
    "items update --workspace w --item-name n --type Notebook --new-name m --description d",
    "items delete --workspace w --item-id 00000000-0000-4000-8000-000000000001 --force",
    "items get-definition --workspace w --item-name n --type Notebook --format ipynb --output f",
    "items bulk-delete --workspace w --ids a b --force",
    "items bulk-delete --workspace w --file f",
    "items bulk-delete --workspace w --type Notebook",
    // health_check_fabric.py
    "health --workspace w --environment dev --output-format json --output-file f --fail-on-critical",
    // sync_fabric_git.py
    "git sync --workspace w --action sync-to-workspace --output-format json",
    "git sync --workspace w --action sync-to-git --commit-message m",
    "git sync --workspace w --action status --output-format text",
    "git sync --workspace w --action init-git --git-provider GitHub --organization o --repository r --branch b --directory /d",
    // onboard_data_product.py
    "onboard d.yaml --feature T-1 --dry-run --skip-git --skip-workspaces --skip-scaffold --json",
    "onboard --config d.yaml",
    // run_automated_deployment.py
    "deploy --config product_config.yaml --dry-run",
    // tools/manage_fabric_folders.py
    "folders create --workspace w --name n --parent p --show-tree",
    "folders list --workspace w --top-level --show-children",
    "folders tree --workspace w --show-items",
    "folders move --workspace w --folder f --parent p --show-tree",
    "folders delete --workspace w --folder f --force -y --show-tree",
    "folders create-structure --workspace w --template medallion --dry-run --show-tree --output f",
    "folders create-structure --workspace w --config f",
    "folders move-items --workspace w --folder f --items a,b",
    "folders list-templates",
];

#[test]
fn the_predecessors_command_lines_are_understood() {
    let refused: Vec<_> = TAKEN
        .iter()
        .filter_map(|line| {
            let words = std::iter::once("selvedge").chain(line.split_whitespace()).map(Into::into).collect();
            Cli::try_parse_from(super::with_files(words)).err().map(|error| format!("{line}: {error}"))
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
