//! What changes the connection, the workspace or the repository.

use anyhow::anyhow;
use selvedge_deployment::change::{Change, Ref};
use selvedge_deployment::desired::{DesiredGit, GitProvider, Location};
use selvedge_deployment::diff::{self, Means};
use selvedge_deployment::read;
use selvedge_fabric_client::git::{ConflictPolicy, InitializationStrategy};
use selvedge_rollback::Plan;
use serde_json::{Value, json};
use uuid::Uuid;

use super::state::{self, State};
use crate::args::{
    CommitArgs, ConnectArgs, InWorkspace, InitializeArgs, Provider, Repository, Side, UpdateFromGitArgs,
};
use crate::commands::confirm;
use crate::commands::deploy::prepare::{GIT_TOKEN, invalid, target_failed};
use crate::commands::transact::{Session, Task};
use crate::commands::workspaces::tell;
use crate::exit;
use crate::render::table;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};

/// The longest comment of a commit, in characters.
const COMMENT: usize = 300;

pub(super) async fn connect(app: &App, args: &ConnectArgs) -> anyhow::Result<u8> {
    let comment = comment(args.commit_message.as_deref(), args.of.word())?;
    let want = wanted(app, &args.to, comment)?;
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let before = State::read(fabric, args.of.word()).await?;
    let id = before.workspace.id;
    let live = read::read_for_git(fabric, id).await.map_err(target_failed)?;
    let has_token = app.secret(GIT_TOKEN).await?.is_some();
    let means = Means { git_token: has_token.then_some(GIT_TOKEN) };
    let plan = diff::connect(&want, args.prefer.into(), id, &live, means).map_err(|error| invalid(&error))?;
    let name = &before.workspace.display_name;
    make(&session, &before, plan, format!("connect workspace {name} to Git")).await?;
    told(app, &session, args.of.word(), "✓ Connected").await
}

pub(super) async fn initialize(app: &App, args: &InitializeArgs) -> anyhow::Result<u8> {
    let comment = comment(args.commit_message.as_deref(), args.of.word())?;
    let session = Session::open(app).await?;
    let before = State::read(&session.clients.fabric, args.of.word()).await?;
    let mut plan = Plan::default();
    if !before.is_connected() {
        before.ready("initialize the Git connection")?;
    }
    if before.status.is_none() {
        let workspace = Ref::Id(before.workspace.id);
        diff::initialize(&mut plan, workspace, None, args.prefer.into(), comment);
    }
    let name = &before.workspace.display_name;
    make(&session, &before, plan, format!("initialize the Git connection of workspace {name}")).await?;
    told(app, &session, args.of.word(), "✓ Initialized").await
}

pub(super) async fn commit(app: &App, args: &CommitArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let before = State::read(&session.clients.fabric, args.of.word()).await?;
    let name = before.workspace.display_name.clone();
    let comment = comment(args.commit_message.as_deref(), &name)?;
    let tried = format!("commit workspace {name} to Git");
    let status = before.ready(&tried)?;
    if state::changed_there(status) > 0 {
        let problem = anyhow!("the repository has changes that the workspace does not have");
        let help = format!("run `selvedge git update {}` first", one_line(&name));
        return Err(problem.context(ExitWith::new(exit::FAILED, tried).help(help)));
    }
    let count = state::changed_here(status);
    let mut plan = Plan::default();
    if count > 0 {
        let workspace = Ref::Id(before.workspace.id);
        plan.push(Change::CommitToGit { workspace, comment: comment.clone() }, []);
    }
    make(&session, &before, plan, tried).await?;
    let mut value = synced(&before, "workspace_to_git", count);
    value["commit_message"] = comment.into();
    tell(app, &said(count, "committed to the repository"), value)
}

pub(super) async fn update(app: &App, args: &UpdateFromGitArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let before = State::read(&session.clients.fabric, args.of.word()).await?;
    let name = before.workspace.display_name.clone();
    let tried = format!("update workspace {name} from Git");
    let status = before.ready(&tried)?;
    let (count, conflicts) = (state::changed_there(status), state::conflicts(status));
    let policy = match args.prefer {
        Side::None => None,
        Side::Remote => Some(ConflictPolicy::PreferRemote),
        Side::Workspace => Some(ConflictPolicy::PreferWorkspace),
    };
    let head = ["Item", "Type", "Workspace", "Repository", "Conflict"];
    if conflicts > 0 && policy.is_none() {
        let table = table(&head, state::rows(status));
        let problem = anyhow!("{} changed on both sides\n{table}", counted(conflicts, "item"));
        let help = "add --prefer remote or --prefer workspace, which says who wins";
        return Err(problem.context(ExitWith::new(exit::FAILED, tried).help(help)));
    }
    let mut plan = Plan::default();
    if count > 0 {
        let change = Change::UpdateFromGit {
            workspace: Ref::Id(before.workspace.id),
            commit: status.remote_commit_hash.clone(),
            conflicts: policy,
        };
        plan.push(change, []);
    }
    // What is lost in the workspace is asked about; what comes to it is what was asked for.
    let deletes = status.changes.iter().any(|one| one.remote_change.as_deref() == Some("Deleted"));
    let overwrites = conflicts > 0 && policy == Some(ConflictPolicy::PreferRemote);
    if deletes || overwrites {
        let table = table(&head, state::rows(status));
        let preview =
            format!("{table}\nItems are deleted or overwritten in the workspace. This cannot be undone.");
        if !confirm::agreed(app, &preview, "Update from Git?")? {
            return tell(app, "Cancelled", synced(&before, "git_to_workspace", 0));
        }
    }
    make(&session, &before, plan, tried).await?;
    tell(app, &said(count, "updated from the repository"), synced(&before, "git_to_workspace", count))
}

pub(super) async fn disconnect(app: &App, of: &InWorkspace) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let before = State::read(&session.clients.fabric, of.word()).await?;
    let name = before.workspace.display_name.clone();
    let Some(provider) = &before.connection.git_provider_details else {
        return tell(app, &format!("{} is not connected to Git", one_line(&name)), before.value());
    };
    let mut preview =
        format!("Workspace {} is disconnected from {}.", one_line(&name), state::place(provider));
    let uncommitted = before.status.as_ref().map_or(0, state::changed_here);
    if uncommitted > 0 {
        preview.push_str(&format!("\n{} in it not committed.", counted(uncommitted, "change")));
    }
    if !confirm::agreed(app, &preview, "Disconnect?")? {
        return tell(app, "Cancelled", before.value());
    }
    let mut plan = Plan::default();
    plan.push(Change::DisconnectGit { workspace: before.workspace.id, provider: provider.clone() }, []);
    make(&session, &before, plan, format!("disconnect workspace {name} from Git")).await?;
    let after = State::read(&session.clients.fabric, of.word()).await?;
    tell(app, &format!("✓ Disconnected: {}", one_line(&name)), after.value())
}

async fn make(
    session: &Session<'_>,
    before: &State,
    plan: Plan<Change>,
    words: String,
) -> anyhow::Result<()> {
    let workspaces = vec![before.workspace.display_name.clone()];
    session.make(Task { plan, workspaces, environment: None, words }).await.map(drop)
}

/// How it is now, with what Fabric says comes next.
async fn told(app: &App, session: &Session<'_>, word: &str, done: &str) -> anyhow::Result<u8> {
    let after = State::read(&session.clients.fabric, word).await?;
    let place = after.connection.git_provider_details.as_ref().map(state::place).unwrap_or_default();
    let next = match after.word() {
        "uncommitted" => "\nnext: `selvedge git commit`",
        "behind" | "diverged" => "\nnext: `selvedge git update`",
        "conflicts" => "\nnext: `selvedge git update --prefer remote` or `--prefer workspace`",
        _ => "",
    };
    let name = one_line(&after.workspace.display_name);
    tell(app, &format!("{done}: {name} to {place}{next}"), after.value())
}

fn said(count: usize, what: &str) -> String {
    match count {
        0 => "Nothing to do: there are no changes".to_owned(),
        _ => format!("✓ {} {what}", counted(count, "item")),
    }
}

/// The predecessor's keys.
fn synced(before: &State, direction: &str, count: usize) -> Value {
    json!({
        "status": if count > 0 { "success" } else { "no_changes" },
        "direction": direction,
        "workspace": before.workspace.display_name,
        "stats": { "items_synced": count, "errors": 0, "warnings": 0 },
    })
}

fn comment(given: Option<&str>, workspace: &str) -> anyhow::Result<String> {
    let comment = given.map_or_else(|| format!("Automated sync from {workspace} workspace"), str::to_owned);
    let length = comment.chars().count();
    if length > COMMENT {
        let problem = anyhow!("the comment has {length} characters, and Fabric takes {COMMENT}");
        return Err(problem.context(ExitWith::usage("commit to Git").help("shorten --commit-message")));
    }
    Ok(comment)
}

/// What the options say, as a configuration would.
fn wanted(app: &App, to: &Repository, commit_message: String) -> anyhow::Result<DesiredGit> {
    let wrong = |problem: String, help: &'static str| {
        anyhow!(problem).context(ExitWith::usage("connect a workspace to Git").help(help))
    };
    let (organization, repository) = (to.organization.clone(), to.repository.clone());
    let provider = match to.git_provider {
        Provider::GitHub => GitProvider::GitHub { owner: organization, repository },
        Provider::AzureDevOps => {
            let help = "Azure DevOps has repositories in projects: add --git-project";
            let project = to.git_project.clone();
            let project = project.ok_or_else(|| wrong("--git-project is missing".to_owned(), help))?;
            GitProvider::AzureDevOps { organization, project, repository }
        }
    };
    let help = "write it from the root of the repository, with `/` and without `..`";
    let directory = DesiredGit::directory_of(&to.directory)
        .ok_or_else(|| wrong(format!("{:?} is not a directory of the repository", to.directory), help))?;
    const CONNECTION: &str = "FABRIC_GIT_CONNECTION_ID";
    let named = app.environment.variable(CONNECTION).filter(|text| !text.trim().is_empty());
    let named = named.map(|text| text.trim().parse::<Uuid>()).transpose().map_err(|_| {
        wrong(format!("the variable {CONNECTION} is not a GUID"), "set it to the id of a Fabric connection")
    })?;
    let at = Location { file: "--repository".into(), line: None, column: None, key: String::new() };
    Ok(DesiredGit {
        provider,
        branch: to.branch.clone(),
        directory,
        connection: to.connection.or(named),
        commit: false,
        commit_message,
        at,
    })
}

impl From<Side> for InitializationStrategy {
    fn from(side: Side) -> Self {
        match side {
            Side::None => Self::None,
            Side::Remote => Self::PreferRemote,
            Side::Workspace => Self::PreferWorkspace,
        }
    }
}
