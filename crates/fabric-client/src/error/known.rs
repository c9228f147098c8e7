//! What is known of the service's error codes: one table, which [`ApiError::outcome`](super::ApiError::outcome) acts on and which people
//! are told from.

use super::ErrorCode;

/// A code that is known.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KnownCode {
    /// The code.
    pub code: ErrorCode,
    /// What it tells about sending the request again.
    pub treatment: Treatment,
    /// What the service means by it, and how that comes about.
    pub meaning: &'static str,
    /// What a person can do about it.
    pub remedy: &'static str,
}

/// What a code tells about sending the request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Treatment {
    /// Never worth another attempt, whatever status and `isRetriable` say: somebody must do something.
    Final,
    /// The identity is too fast, or the capacity overloaded: no request would fare better now, whatever status and `isRetriable` say.
    Throttled,
    /// What the request is about is not ready, and will be within minutes, whatever status and `isRetriable` say.
    Busy,
    /// Nothing: the answer's `isRetriable` says, and without it the status.
    ByAnswer,
}

impl ErrorCode {
    /// Every code that is known, the table in the order of their names.
    #[must_use]
    pub fn known() -> &'static [KnownCode] {
        &KNOWN
    }

    /// What it tells about sending the request again.
    #[must_use]
    pub fn treatment(&self) -> Treatment {
        let known = KNOWN.iter().find(|known| known.code == *self);
        known.map_or(Treatment::ByAnswer, |known| known.treatment)
    }
}

const fn row(
    code: ErrorCode,
    treatment: Treatment,
    meaning: &'static str,
    remedy: &'static str,
) -> KnownCode {
    KnownCode { code, treatment, meaning, remedy }
}

/// What may be hidden from the caller is said not to be there.
const HIDDEN: &str = "Check name or id, and whether the identity that deploys has a role in the workspace.";

static KNOWN: [KnownCode; 27] = {
    use Treatment::{Busy, ByAnswer, Final, Throttled};
    [
        row(
            ErrorCode::CAPACITY_LIMIT_EXCEEDED,
            Throttled,
            "The capacity itself is overloaded: it has used more compute than its size gives, by whatever work.",
            "Wait for other work on the capacity to end, scale it up, or move the workspace to another one.",
        ),
        row(
            ErrorCode::CAPACITY_NOT_ACTIVE,
            Final,
            "The capacity is paused. Another spelling of CapacityNotInActiveState.",
            "Resume the capacity in the Azure portal, or with `az fabric capacity resume`, and run the command again.",
        ),
        row(
            ErrorCode::CAPACITY_NOT_IN_ACTIVE_STATE,
            Final,
            "The capacity that the workspace runs on is paused. Its items cannot be changed meanwhile.",
            "Resume the capacity in the Azure portal, or with `az fabric capacity resume`, and run the command again.",
        ),
        row(
            ErrorCode::ENTITY_NOT_FOUND,
            ByAnswer,
            "What the request names is not there, or the caller may not see it.",
            HIDDEN,
        ),
        row(
            ErrorCode::FOLDER_DISPLAY_NAME_ALREADY_IN_USE,
            ByAnswer,
            "A folder of this name stands there already: somebody made it since the plan was made.",
            "Run the command again: a new plan takes the folder as it is.",
        ),
        row(
            ErrorCode::FOLDER_NOT_FOUND,
            ByAnswer,
            "The folder is not there, or the caller may not see it.",
            HIDDEN,
        ),
        row(
            ErrorCode::INSUFFICIENT_PRIVILEGES,
            ByAnswer,
            "The caller may not do this: its role in the workspace is too small, or a tenant setting keeps service principals out.",
            "Give the identity that deploys the role Contributor in the workspace, or Admin where it is to change roles or the Git connection, \
             and see that the tenant lets service principals use Fabric's APIs.",
        ),
        row(
            ErrorCode::ITEM_DISPLAY_NAME_ALREADY_IN_USE,
            ByAnswer,
            "An item of this type and name stands there already: somebody made it since the plan was made.",
            "Run the command again: a new plan takes the item as it is.",
        ),
        row(
            ErrorCode::ITEM_DISPLAY_NAME_NOT_AVAILABLE_YET,
            Busy,
            "The name of an item that was deleted a moment ago is still reserved. It becomes free within minutes.",
            "Wait some minutes and run the command again; with FEATURE_USE_RETRY_LOGIC=true that is waited for.",
        ),
        row(
            ErrorCode::ITEM_NOT_FOUND,
            ByAnswer,
            "The item is not there, or the caller may not see it.",
            HIDDEN,
        ),
        row(
            ErrorCode::OPERATION_HAS_NO_RESULT,
            ByAnswer,
            "The long-running operation ended without a result, as those of some calls do.",
            "Look whether what was asked for is there, and run the command again if it is not.",
        ),
        row(
            ErrorCode::OPERATION_NOT_FOUND,
            ByAnswer,
            "The long-running operation never existed, or its record is gone: the service keeps one for a while after it has ended.",
            "Look whether what was asked for is there, and run the command again if it is not.",
        ),
        row(
            ErrorCode::OPERATION_NOT_SUPPORTED_FOR_ITEM,
            ByAnswer,
            "Items of this type cannot do this; most often, the type has no definition.",
            "Take `definition` away from the item in the product's file.",
        ),
        row(
            ErrorCode::PRINCIPAL_ALREADY_HAS_ROLE,
            ByAnswer,
            "The principal has a role in the workspace already.",
            "Change that role instead: `selvedge workspaces update-role`.",
        ),
        row(
            ErrorCode::PRINCIPAL_NOT_FOUND,
            ByAnswer,
            "There is no such principal, or a new one is not known yet in the region of the workspace.",
            "Check the object id and the kind of principal. One that is minutes old: wait, and run the command again.",
        ),
        row(
            ErrorCode::PRINCIPAL_TYPE_NOT_SUPPORTED,
            ByAnswer,
            "The caller is of a type that may not do this: some calls are for users alone, not for service principals.",
            "Do this step as a user, or leave it out for the service principal.",
        ),
        row(
            ErrorCode::REQUEST_BLOCKED,
            Throttled,
            "The identity has sent more requests than it may in a minute, from whatever program.",
            "Wait for the minute to pass; give pipelines that run at the same time identities of their own.",
        ),
        row(
            ErrorCode::TOKEN_EXPIRED,
            ByAnswer,
            "The access token has expired on its way.",
            "Check the clock of this machine. A new token is asked for once for each request that is answered with 401.",
        ),
        row(
            ErrorCode::TOO_MANY_REQUESTS_FOR_CAPACITY,
            Throttled,
            "The capacity runs as many jobs as it can at a time.",
            "Wait for running jobs to end, or scale the capacity up.",
        ),
        row(
            ErrorCode::TOO_MANY_REQUESTS_FOR_JOBS,
            Throttled,
            "The identity has asked for more jobs than it may in a minute.",
            "Wait for the minute to pass.",
        ),
        row(
            ErrorCode::WORKSPACE_ALREADY_CONNECTED_TO_GIT,
            ByAnswer,
            "The workspace is connected to Git already: somebody connected it since the plan was made.",
            "Run the command again: a new plan compares the connection that is there.",
        ),
        row(
            ErrorCode::WORKSPACE_HEAD_MISMATCH,
            ByAnswer,
            "The workspace has changed since its Git status was read: somebody committed or updated meanwhile.",
            "Run the command again.",
        ),
        row(
            ErrorCode::WORKSPACE_MIGRATION_IN_PROGRESS,
            Busy,
            "The workspace is being moved from one capacity to another. The service says that this is not retriable; it passes in minutes.",
            "Wait some minutes and run the command again; with FEATURE_USE_RETRY_LOGIC=true that is waited for.",
        ),
        row(
            ErrorCode::WORKSPACE_NAME_ALREADY_EXISTS,
            ByAnswer,
            "A workspace of this name exists in the tenant already, though the caller may not see it.",
            "Choose another name, or have the identity that deploys given a role in that workspace.",
        ),
        row(
            ErrorCode::WORKSPACE_NOT_CONNECTED_TO_GIT,
            ByAnswer,
            "The workspace is not connected to Git: somebody disconnected it since the plan was made.",
            "Run the command again: a new plan connects it.",
        ),
        row(
            ErrorCode::WORKSPACE_NOT_FOUND,
            ByAnswer,
            "The workspace is not there, or the caller may not see it.",
            HIDDEN,
        ),
        row(
            ErrorCode::WORKSPACE_PREVIOUS_OPERATION_IN_PROGRESS,
            Busy,
            "Another Git operation of the workspace is under way.",
            "Wait for it to end and run the command again; with FEATURE_USE_RETRY_LOGIC=true that is waited for.",
        ),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_the_order_of_their_names_and_say_something() {
        for pair in KNOWN.windows(2) {
            let names = [pair[0].code.as_str(), pair[1].code.as_str()];
            assert!(names[0] < names[1], "{names:?}");
        }
        for KnownCode { code, meaning, remedy, .. } in &KNOWN {
            assert!(meaning.ends_with('.') && remedy.ends_with('.'), "{code}");
        }
        let unknown = ErrorCode::from("SomethingNew".to_owned());
        assert_eq!(unknown.treatment(), Treatment::ByAnswer);
    }

    /// A constant that is not in the table would be one that nobody can be told about.
    #[test]
    fn every_constant_is_in_the_table() {
        let source = include_str!("code.rs");
        let named = source.split("Self::new(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let mut named: Vec<_> = named.collect();
        named.sort_unstable();
        let known: Vec<_> = KNOWN.iter().map(|known| known.code.as_str()).collect();
        assert_eq!(known, named);
    }
}
