//! Connections: where Fabric keeps the credentials of a Git provider.

use selvedge_fabric_client::ConnectionId;
use selvedge_fabric_client::connections::{self, Connection, Credentials, Parameter};
use selvedge_rollback::{Failure, Found, Progress, Undone};

use super::failure::{conflict, idempotent, once, read};
use super::{Attempt, Fabric, Secrets, TargetError};
use crate::change::{Receipt, Undo};

impl<S: Secrets> Fabric<S> {
    async fn connection_named(&self, name: &str) -> Attempt<Option<Connection>> {
        let all = self.client.list_all(connections::list()).await.map_err(read)?;
        Ok(all.into_iter().find(|live| live.display_name.as_deref() == Some(name)))
    }

    pub(super) async fn invert_create_connection(&self, name: &str) -> Attempt<Undo> {
        match self.connection_named(name).await? {
            None => Ok(Undo::Remove),
            Some(_) => Err(conflict(format!(
                "there is a connection `{name}` for something else; remove it, or set FABRIC_GIT_CONNECTION_ID"
            ))),
        }
    }

    pub(super) async fn create_connection(
        &self,
        name: &str,
        url: &str,
        secret: &str,
    ) -> Attempt<Progress<Receipt>> {
        let token = self
            .secrets
            .get(secret)
            .ok_or_else(|| Failure::unsent(TargetError::NoSecret(secret.to_owned())))?;
        let new = connections::New {
            display_name: name.to_owned(),
            kind: "GitHubSourceControl".to_owned(),
            creation_method: "GitHubSourceControl.Contents".to_owned(),
            parameters: vec![Parameter { name: "url".to_owned(), value: url.to_owned() }],
            credentials: Credentials::Key { key: token },
        };
        let made = self.client.send(connections::create(&new)).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Connection { id: made.id }))
    }

    pub(super) async fn find_connection(&self, name: &str, url: &str) -> Attempt<Found<Receipt>> {
        Ok(match self.connection_named(name).await? {
            None => Found::Absent,
            Some(live) if path(&live) == Some(url) => Found::Done(Receipt::Connection { id: live.id }),
            Some(_) => Found::Foreign(format!("a connection `{name}` for something else")),
        })
    }

    pub(super) async fn remove_connection(&self, id: ConnectionId) -> Attempt<Undone> {
        match self.client.send(connections::delete(id)).await {
            Ok(()) => {}
            Err(error) if error.is_not_found() => {
                // "Not found" is also what a caller without rights is told: the list must still be readable.
                let gone = self.connection_is_gone(id).await?;
                return if gone { Ok(Undone::AlreadyGone) } else { Err(idempotent(error)) };
            }
            Err(error) => return Err(idempotent(error)),
        }
        self.until_gone("connection", async || self.connection_is_gone(id).await).await?;
        Ok(Undone::Reversed)
    }

    async fn connection_is_gone(&self, id: ConnectionId) -> Attempt<bool> {
        let all = self.client.list_all(connections::list()).await.map_err(read)?;
        Ok(all.iter().all(|live| live.id != id))
    }
}

/// What a connection leads to.
pub(crate) fn path(connection: &Connection) -> Option<&str> {
    connection.connection_details.as_ref()?.path.as_deref()
}
