//! Finds the principals that a configuration names: by object id, or through Microsoft Graph by e-mail or name.
//!
//! A name that finds nobody, or more than one, is an error at the place that names it. Nothing is guessed.

use selvedge_fabric_client::{Client, Error, PrincipalId, graph};

use crate::config::{Diagnostic, Diagnostics};
use crate::desired::{DesiredRole, PrincipalKind, PrincipalRef, Role, strongest};
use crate::live::ResolvedRole;

/// The roles with their principals found, each principal once.
#[derive(Debug)]
pub struct Resolved {
    /// The roles.
    pub roles: Vec<ResolvedRole>,
    /// What was noticed on the way.
    pub warnings: Vec<Diagnostic>,
}

/// Why principals could not be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Names that find nobody, or more than one.
    #[error(transparent)]
    Names(#[from] Diagnostics),
    /// Microsoft Graph could not be asked.
    #[error("could not look up `{name}`")]
    Graph {
        /// The name.
        name: String,
        /// Why.
        #[source]
        source: Error,
    },
}

/// Finds the principals of `roles`.
///
/// Where Graph refuses this caller and object ids are given besides, the names are left out with a warning: a team that
/// used to be served by its principals file alone still is.
///
/// # Errors
///
/// When a name finds nobody or more than one, or Graph cannot be asked.
pub async fn resolve(graph: &Client, roles: &[DesiredRole]) -> Result<Resolved, ResolveError> {
    let has_ids = roles.iter().any(|role| matches!(role.principal, PrincipalRef::Id(_)));
    let mut resolved = Resolved { roles: Vec::new(), warnings: Vec::new() };
    let mut unknown = Vec::new();
    for role in roles {
        let label = role.principal.to_string();
        let found = match &role.principal {
            PrincipalRef::Id(id) => vec![PrincipalId::from(*id)],
            named => match look_up(graph, named, role.kind).await {
                Ok(found) => found,
                Err(error) if has_ids && error.status().is_some_and(|status| status == 403) => {
                    let message = format!("Microsoft Graph refuses to look up `{label}`: it gets no role");
                    let help =
                        "give this identity `User.Read.All`, or name the object id in the principals file";
                    resolved.warnings.push(Diagnostic::warning(role.at.clone(), message).with_help(help));
                    continue;
                }
                Err(source) => return Err(ResolveError::Graph { name: label, source }),
            },
        };
        match *found {
            [principal] => resolved.add(principal, role, label),
            [] => unknown.push(
                Diagnostic::error(
                    role.at.clone(),
                    format!("there is no {} `{label}` in the tenant", role.kind),
                )
                .with_help("check the spelling, or give the object id"),
            ),
            ref several => {
                let ids: Vec<_> = several.iter().map(ToString::to_string).collect();
                let message =
                    format!("`{label}` is the {} of {}: {}", role.kind, several.len(), ids.join(", "));
                unknown.push(
                    Diagnostic::error(role.at.clone(), message)
                        .with_help("give the object id of the one meant"),
                );
            }
        }
    }
    if unknown.is_empty() { Ok(resolved) } else { Err(Diagnostics::from(unknown).into()) }
}

/// Refuses a plan in which the deploying application takes its own rights away: it could neither go on nor go back.
///
/// Asks Graph who the application `app_id` is, and only where a service principal is to be less than Admin.
///
/// # Errors
///
/// When the application is among `roles` with less than Admin.
pub async fn refuse_own_demotion(
    graph: &Client,
    app_id: uuid::Uuid,
    roles: &[ResolvedRole],
) -> Result<(), Diagnostics> {
    let lesser: Vec<_> = roles
        .iter()
        .filter(|role| role.kind == PrincipalKind::ServicePrincipal && role.role != Role::Admin)
        .collect();
    if lesser.is_empty() {
        return Ok(());
    }
    // A caller that may not ask who it is is no worse off than before.
    let own = graph.list_all(graph::service_principals_by_app_id(app_id)).await.unwrap_or_default();
    let refused: Vec<_> = lesser
        .into_iter()
        .filter(|role| own.iter().any(|own| own.id == role.principal))
        .map(|role| {
            let (label, given) = (&role.label, role.role);
            let message = format!("`{label}` is the application that deploys; as {given} it could not go on");
            Diagnostic::error(role.at.clone(), message).with_help("make it Admin, or leave it out")
        })
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(Diagnostics::from(refused)) }
}

async fn look_up(
    graph: &Client,
    name: &PrincipalRef,
    kind: PrincipalKind,
) -> Result<Vec<PrincipalId>, Error> {
    let mut found: Vec<_> = match (name, kind) {
        (PrincipalRef::Id(id), _) => vec![PrincipalId::from(*id)],
        (PrincipalRef::Email(text) | PrincipalRef::Name(text), PrincipalKind::User) => {
            ids(graph.list_all(graph::users_by_address(text)).await?, |user| user.id)
        }
        (PrincipalRef::Email(text) | PrincipalRef::Name(text), PrincipalKind::Group) => {
            ids(graph.list_all(graph::groups_by_name(text)).await?, |group| group.id)
        }
        (PrincipalRef::Email(text) | PrincipalRef::Name(text), PrincipalKind::ServicePrincipal) => {
            ids(graph.list_all(graph::service_principals_by_name(text)).await?, |service| service.id)
        }
    };
    found.sort();
    found.dedup();
    Ok(found)
}

fn ids<T>(found: Vec<T>, id: impl Fn(&T) -> PrincipalId) -> Vec<PrincipalId> {
    found.iter().map(id).collect()
}

impl Resolved {
    /// Adds a role. A principal that is named twice, perhaps in two ways, gets the stronger one.
    fn add(&mut self, principal: PrincipalId, role: &DesiredRole, label: String) {
        let Some(known) = self.roles.iter_mut().find(|known| known.principal == principal) else {
            let (kind, role, at) = (role.kind, role.role, role.at.clone());
            self.roles.push(ResolvedRole { principal, kind, role, label, at });
            return;
        };
        if known.role != role.role {
            let both = strongest(known.role, role.role);
            let message = format!("`{label}` is `{}` and has two roles; {both} is given", known.label);
            self.warnings.push(Diagnostic::warning(role.at.clone(), message));
            known.role = both;
        }
    }
}
