//! A workspace for each environment: all of them, or none.

use anyhow::{Context as _, anyhow};
use selvedge_deployment::change::{Change, Made as _, Ref};
use selvedge_deployment::desired::{PrincipalKind, Role};
use selvedge_fabric_client::WorkspaceId;
use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_rollback::{Plan, StepId};
use serde_json::{Map, Value, json};

use super::change::{named, refuse_taken};
use super::{find, people, said, tell};
use crate::args::{CreateSetArgs, Env, SetupArgs};
use crate::commands::transact::{Session, Task};
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};

/// The environments of a project.
const ALL: [Env; 3] = [Env::Dev, Env::Test, Env::Prod];

pub(super) async fn create(app: &App, args: &CreateSetArgs) -> anyhow::Result<u8> {
    let environments: Vec<_> = args.environments.iter().map(|one| one.trim().to_owned()).collect();
    if environments.iter().any(String::is_empty) {
        let with = ExitWith::usage("create a set of workspaces").help("write --environments dev,test,prod");
        return Err(anyhow!("--environments has an empty name").context(with));
    }
    let session = Session::open(app).await?;
    let set = Set::new(app, &session, &args.name, environments, args.description.as_deref()).await?;
    let made = set.make(&session, format!("create workspaces for {}", args.name)).await?;
    let mut text = String::from("Results:\n");
    for (environment, one) in &made {
        text.push_str(&format!("  ✓ {environment}: {} ({})\n", one_line(&one.display_name), one.id));
    }
    text.push_str(&format!("\n{} succeeded, 0 failed", made.len()));
    tell(app, &text, by_environment(&made))
}

pub(super) async fn setup(app: &App, args: &SetupArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let of = |argument: &'static str, words: &[String], role| {
        let words: Vec<_> = words.iter().map(|word| word.trim().to_owned()).collect();
        words.into_iter().map(move |word| people::wanted(argument, &word, PrincipalKind::User, role))
    };
    let wanted =
        of("--admins", &args.admins, Role::Admin).chain(of("--members", &args.members, Role::Member));
    let resolved = people::resolve(&session, &wanted.collect::<Vec<_>>()).await?;
    let environments = ALL.iter().map(|one| one.name().to_owned()).collect();
    let mut set = Set::new(app, &session, &args.name, environments, None).await?;
    for made in set.steps.clone() {
        for role in &resolved {
            set.plan.push(people::given(Ref::Step(made), role.clone()), [made]);
        }
    }
    let made = set.make(&session, format!("set up {}", args.name)).await?;
    let mut text = format!("✓ Set up {}: {}\n", one_line(&args.name), counted(made.len(), "workspace"));
    for (environment, one) in &made {
        text.push_str(&format!("  {environment}: {} ({})\n", one_line(&one.display_name), one.id));
    }
    let of = |role: Role| resolved.iter().filter(move |one| one.role == role).map(|one| one.label.clone());
    let (admins, members): (Vec<_>, Vec<_>) = (of(Role::Admin).collect(), of(Role::Member).collect());
    text.push_str(&format!(
        "  in each: {}, {}",
        counted(admins.len(), "admin"),
        counted(members.len(), "member")
    ));
    let workspaces = by_environment(&made);
    tell(app, &text, json!({ "workspaces": workspaces, "admins": admins, "members": members }))
}

/// The workspaces that are to be made, and the plan that makes them.
struct Set {
    environments: Vec<String>,
    names: Vec<String>,
    plan: Plan<Change>,
    /// Those that make the workspaces.
    steps: Vec<StepId>,
}

impl Set {
    async fn new(
        app: &App,
        session: &Session<'_>,
        base: &str,
        environments: Vec<String>,
        description: Option<&str>,
    ) -> anyhow::Result<Self> {
        let names = environments.iter().map(|environment| named(app, session, base, environment));
        let names = names.collect::<anyhow::Result<Vec<_>>>()?;
        refuse_taken(&session.clients.fabric, &names).await?;
        let mut plan = Plan::default();
        let mut steps = Vec::new();
        for (environment, name) in environments.iter().zip(&names) {
            let usual = || format!("{base} - {} environment", environment.to_uppercase());
            let description = Some(description.map_or_else(usual, str::to_owned));
            steps.push(plan.push(Change::CreateWorkspace { name: name.clone(), description }, []));
        }
        Ok(Self { environments, names, plan, steps })
    }

    /// The workspaces by environment, as they are then.
    async fn make(self, session: &Session<'_>, words: String) -> anyhow::Result<Vec<(String, Workspace)>> {
        let Self { environments, names, plan, steps } = self;
        let receipts = session.make(Task { plan, workspaces: names, environment: None, words }).await?;
        let mut made = Vec::new();
        for (environment, step) in environments.into_iter().zip(steps) {
            let id = receipts.get(&step).and_then(WorkspaceId::in_receipt);
            let id = id.context("a workspace that was made has no id")?;
            let live = session.clients.fabric.send(workspaces::get(id)).await.map_err(find::unread)?;
            made.push((environment, live));
        }
        Ok(made)
    }
}

fn by_environment(made: &[(String, Workspace)]) -> Value {
    let members = made.iter().map(|(environment, one)| (environment.clone(), said(json!(one))));
    Value::Object(members.collect::<Map<_, _>>())
}
