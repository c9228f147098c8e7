//! `selvedge workspaces`: the predecessor's `manage_workspaces.py`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use selvedge_deployment::desired::{PrincipalKind, Role};

/// `selvedge workspaces`
#[derive(Debug, Args)]
pub(crate) struct WorkspacesArgs {
    /// The environment: it is made a part of the names of new workspaces, and filters lists
    #[arg(short, long, global = true, value_enum, value_name = "ENV")]
    pub(crate) environment: Option<Env>,
    /// The same as --output json
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The project's folder; without it, the one that this folder belongs to
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: WorkspacesAction,
}

/// An environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Env {
    Dev,
    Test,
    Prod,
}

/// What to do with workspaces.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkspacesAction {
    /// List the workspaces that this identity sees
    #[command(visible_alias = "list-workspaces")]
    List(ListArgs),
    /// Show a workspace
    Get(GetArgs),
    /// Create a workspace
    Create(CreateArgs),
    /// Change the name or the description of a workspace
    Update(UpdateArgs),
    /// Delete a workspace
    Delete(DeleteArgs),
    /// Assign a workspace to a capacity
    AssignCapacity(AssignCapacityArgs),
    /// Take a workspace off its capacity
    UnassignCapacity(Named),
    /// List who has which role in a workspace
    ListUsers(Named),
    /// Give somebody a role in a workspace
    AddUser(AddUserArgs),
    /// Take somebody's role in a workspace away
    RemoveUser(RemoveUserArgs),
    /// Give somebody another role in a workspace
    UpdateRole(UpdateRoleArgs),
    /// Give everybody in a principals file a role in a workspace
    AddUsersFromFile(AddUsersFromFileArgs),
    /// Give everybody who has a role in one workspace the same role in another
    CopyUsers(CopyUsersArgs),
    /// Create a workspace for each environment
    CreateSet(CreateSetArgs),
    /// Create the workspaces of a project, and give people their roles in them
    Setup(SetupArgs),
    /// Delete several workspaces
    DeleteBulk(DeleteBulkArgs),
    /// Delete all workspaces of an environment
    DeleteAll(DeleteAllArgs),
}

/// Names one workspace.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspace: String,
}

/// `selvedge workspaces list`
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of --environment, by the end of their names
    #[arg(long)]
    pub(crate) filter_env: bool,
    /// Read each workspace, and show its capacity, state and region
    #[arg(long)]
    pub(crate) details: bool,
}

/// `selvedge workspaces get`
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE", required_unless_present_any = ["id", "name"])]
    pub(crate) workspace: Option<String>,
    /// The workspace's id
    #[arg(long, value_name = "ID", conflicts_with = "workspace")]
    pub(crate) id: Option<String>,
    /// The workspace's name
    #[arg(long, value_name = "NAME", conflicts_with_all = ["workspace", "id"])]
    pub(crate) name: Option<String>,
    /// Show its first items as well
    #[arg(long)]
    pub(crate) show_items: bool,
}

/// `selvedge workspaces create`
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The workspace's name; with --environment, the name that the project's pattern makes of it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Its description [default: Workspace for ENV environment]
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// The capacity that it is to run on: its id or name
    #[arg(long, value_name = "CAPACITY")]
    pub(crate) capacity_id: Option<String>,
    /// Has no effect: a capacity has its size. It is taken for the sake of existing pipelines
    #[arg(long, value_name = "TYPE", hide = true)]
    pub(crate) capacity_type: Option<String>,
}

/// `selvedge workspaces update`
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspace: String,
    /// Its new name
    #[arg(long, value_name = "NAME", required_unless_present = "description")]
    pub(crate) name: Option<String>,
    /// Its new description
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

/// `selvedge workspaces delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspace: String,
    /// Delete it with the items that it holds
    #[arg(long)]
    pub(crate) force: bool,
}

/// `selvedge workspaces assign-capacity`
#[derive(Debug, Args)]
pub(crate) struct AssignCapacityArgs {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspace: String,
    /// The capacity's id or name
    #[arg(value_name = "CAPACITY")]
    pub(crate) capacity: String,
}

/// `selvedge workspaces add-user`
#[derive(Debug, Args)]
pub(crate) struct AddUserArgs {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspace: String,
    /// Who: an object id, an e-mail address, or the name of a group or an application
    #[arg(value_name = "PRINCIPAL")]
    pub(crate) principal: String,
    /// The role
    #[arg(long, value_parser = role, default_value = "Viewer", value_name = "ROLE")]
    pub(crate) role: Role,
    /// What kind of principal it is
    #[arg(long, value_parser = kind, default_value = "User", value_name = "TYPE")]
    pub(crate) principal_type: PrincipalKind,
}

/// `selvedge workspaces remove-user`
#[derive(Debug, Args)]
pub(crate) struct RemoveUserArgs {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspace: String,
    /// Who: an object id, an e-mail address, or a name as `list-users` shows it
    #[arg(value_name = "PRINCIPAL")]
    pub(crate) principal: String,
}

/// `selvedge workspaces update-role`
#[derive(Debug, Args)]
pub(crate) struct UpdateRoleArgs {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspace: String,
    /// Who: an object id, an e-mail address, or a name as `list-users` shows it
    #[arg(value_name = "PRINCIPAL")]
    pub(crate) principal: String,
    /// The new role
    #[arg(value_parser = role, value_name = "ROLE")]
    pub(crate) role: Role,
}

/// `selvedge workspaces add-users-from-file`
#[derive(Debug, Args)]
pub(crate) struct AddUsersFromFileArgs {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspace: String,
    /// A principals file: `object id,role,description,type` on each line
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `selvedge workspaces copy-users`
#[derive(Debug, Args)]
pub(crate) struct CopyUsersArgs {
    /// The workspace that has the roles: its id or name
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// The workspace that is to have them: its id or name
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
}

/// `selvedge workspaces create-set`
#[derive(Debug, Args)]
pub(crate) struct CreateSetArgs {
    /// What the workspaces are called before their environments are made parts of their names
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The environments
    #[arg(long, value_delimiter = ',', default_value = "dev,test,prod", value_name = "ENV,...")]
    pub(crate) environments: Vec<String>,
    /// Their description [default: NAME - ENV environment]
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

/// `selvedge workspaces setup`
#[derive(Debug, Args)]
pub(crate) struct SetupArgs {
    /// The project: its workspaces are called so, with dev, test and prod as parts of their names
    #[arg(value_name = "PROJECT")]
    pub(crate) name: String,
    /// Who is to be Admin in each: e-mail addresses or object ids
    #[arg(long, value_delimiter = ',', required = true, value_name = "USER,...")]
    pub(crate) admins: Vec<String>,
    /// Who is to be Member in each: e-mail addresses or object ids
    #[arg(long, value_delimiter = ',', value_name = "USER,...")]
    pub(crate) members: Vec<String>,
}

/// `selvedge workspaces delete-bulk`
#[derive(Debug, Args)]
pub(crate) struct DeleteBulkArgs {
    /// The workspaces' ids or names
    #[arg(value_name = "WORKSPACE", required_unless_present = "file")]
    pub(crate) workspaces: Vec<String>,
    /// A file with an id or name on each line; # begins a comment
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Delete them with the items that they hold
    #[arg(long)]
    pub(crate) force: bool,
}

/// `selvedge workspaces delete-all`
#[derive(Debug, Args)]
pub(crate) struct DeleteAllArgs {
    /// Delete every workspace that this identity sees, where no --environment is named
    #[arg(long, conflicts_with = "environment")]
    pub(crate) all_visible: bool,
    /// Delete them with the items that they hold
    #[arg(long)]
    pub(crate) force: bool,
}

impl Env {
    /// As it stands in names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Prod => "prod",
        }
    }

    /// Whether a workspace of this name is of the environment, by the end of the name.
    pub(crate) fn is_of(self, workspace: &str) -> bool {
        workspace.to_lowercase().ends_with(&format!("-{}", self.name()))
    }
}

fn role(name: &str) -> Result<Role, String> {
    name.parse().map_err(|_| "use one of Admin, Member, Contributor, Viewer".to_owned())
}

fn kind(name: &str) -> Result<PrincipalKind, String> {
    PrincipalKind::parse(name).ok_or_else(|| "use one of User, Group, ServicePrincipal".to_owned())
}
