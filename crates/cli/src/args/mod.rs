//! What can be typed on the command line. No behaviour: commands take settings and these structs.

mod about;
mod audit;
mod deploy;
mod doctor;
#[cfg(feature = "emulator")]
mod emulator;
mod folders;
mod git;
mod health;
mod items;
mod lock;
mod onboard;
mod output_file;
mod promote;
mod secrets;
mod serve;
mod transactions;
mod workspaces;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::{
    ci, exit,
    output::{Color, Format},
    query::Query,
};

pub(crate) use about::{CompletionsArgs, ExplainArgs, ManArgs, Schema, SchemaArgs};
pub(crate) use audit::{AuditAction, AuditArgs, ShowArgs, VerifyArgs};
pub(crate) use deploy::{DeployArgs, DriftArgs, PlanArgs, Selection, Target};
pub(crate) use doctor::{DoctorArgs, StageName};
#[cfg(feature = "emulator")]
pub(crate) use emulator::{CertificateArgs, EmulatorArgs};
pub(crate) use folders::{
    CreateFolderArgs, DeleteFolderArgs, FoldersAction, FoldersArgs, ListFoldersArgs, MoveFolderArgs,
    MoveItemsArgs, StructureArgs, TreeArgs,
};
pub(crate) use git::{
    CommitArgs, ConnectArgs, GitAction, GitArgs, InWorkspace, InitializeArgs, OutputFormat, Provider,
    Repository, Side, UpdateFromGitArgs,
};
pub(crate) use health::{HealthArgs, ReportFormat};
pub(crate) use items::{
    BulkDeleteArgs, CreateItemArgs, DeleteItemArgs, GetDefinitionArgs, ItemNamed, ItemsAction, ItemsArgs,
    ListItemsArgs, UpdateItemArgs,
};
pub(crate) use lock::{LockAction, LockArgs};
pub(crate) use onboard::OnboardArgs;
pub(crate) use output_file::with_files;
pub(crate) use promote::PromoteArgs;
pub(crate) use secrets::{MigrateArgs, Name, SecretsAction, SecretsArgs};
pub(crate) use serve::ServeArgs;
pub(crate) use transactions::{ExportArgs, GcArgs, RollbackArgs, TransactionsAction, TransactionsArgs};
pub(crate) use workspaces::{
    AddUserArgs, AddUsersFromFileArgs, AssignCapacityArgs, CopyUsersArgs, CreateArgs, CreateSetArgs,
    DeleteAllArgs, DeleteArgs, DeleteBulkArgs, Env, GetArgs, ListArgs, RemoveUserArgs, SetupArgs, UpdateArgs,
    UpdateRoleArgs, WorkspacesAction, WorkspacesArgs,
};

/// CI/CD for Microsoft Fabric that leaves either the whole deployment or no trace of it.
#[derive(Debug, Parser)]
#[command(name = "selvedge", version, after_help = exit::help(), max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that work before and after the sub-command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// How the result is printed on stdout: text, json (one document) or jsonl (one object a line, as it happens)
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
    /// Print only what this JMESPath expression finds in the JSON result; with text output, as JSON
    #[arg(long, global = true, value_parser = Query::parse, value_name = "EXPR")]
    pub(crate) query: Option<Query>,
    /// Do not ask for confirmation
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
    /// Say more on stderr; twice for debugging, three times for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say less on stderr: warnings and errors, no progress and no notes
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "WHEN"
    )]
    pub(crate) color: Color,
    /// Which CI system gets annotations, groups, a summary and outputs: auto, github, azure or none [default: auto]
    #[arg(long, global = true, value_enum, hide_possible_values = true, value_name = "SYSTEM")]
    pub(crate) ci: Option<ci::Choice>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Deploy a product: plan, confirm, make it true
    Deploy(DeployArgs),
    /// Show what a deployment would change
    Plan(PlanArgs),
    /// Show how a workspace differs from the files, also where a deployment would leave it alone
    Drift(DriftArgs),
    /// List, create, change and delete workspaces, and who has which role in them
    #[command(visible_alias = "workspace")]
    Workspaces(WorkspacesArgs),
    /// Take a data product in: its folder, its workspaces, its branch and its place in the registry
    Onboard(OnboardArgs),
    /// List, show, create, change and delete the items of a workspace
    #[command(visible_alias = "item")]
    Items(ItemsArgs),
    /// List, draw, create, move and delete the folders of a workspace
    #[command(visible_alias = "folder")]
    Folders(FoldersArgs),
    /// Connect a workspace to a Git repository, commit it, update it, show how they differ
    Git(GitArgs),
    /// Copy items to the next stage of a deployment pipeline; this cannot be undone
    Promote(PromoteArgs),
    /// Show transactions and take up interrupted ones
    #[command(visible_alias = "tx")]
    Transactions(TransactionsArgs),
    /// Show who changed what, and check that nobody changed the record of it
    Audit(AuditArgs),
    /// Show who is writing to which workspace, and take a lock from who is gone
    Lock(LockArgs),
    /// Show where secrets come from, and store them in Key Vault
    Secrets(SecretsArgs),
    /// Look for what is wrong with secrets, or soon will be, and say what mends it
    Doctor(DoctorArgs),
    /// Report how a workspace is: whether it answers, its items, its Git connection, its deployments
    Health(HealthArgs),
    /// Answer on http how sign-in, Fabric, vault, journal, breakers and open transactions are, with a status page
    Serve(ServeArgs),
    /// Show the feature flags, what set them and what they do
    Flags,
    /// Say what an exit code or an error code of Fabric means, and what to do about it
    Explain(ExplainArgs),
    /// Print the JSON Schema of a configuration file or of an output
    Schema(SchemaArgs),
    /// Print what a shell needs to complete this program's command lines
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands into a folder
    Man(ManArgs),
    /// A topic of `selvedge help`
    #[command(name = exit::TOPIC, hide = true, about = exit::explained(), help_template = "{about}")]
    ExitCodes,
    /// Run a local Microsoft Fabric with Entra ID and Microsoft Graph, for trials and tests
    #[cfg(feature = "emulator")]
    Emulator(Box<EmulatorArgs>),
}

#[cfg(test)]
mod compat;
#[cfg(test)]
#[cfg(feature = "emulator")]
mod help;
#[cfg(test)]
mod tests;
