//! What must not be believed of an answer, against a service that gives just that answer.

use selvedge_fabric_client::{BoxService, Client, Request, Response};
use tower::{BoxError, service_fn};
use uuid::Uuid;

use super::*;

/// A tenant that answers with the first status and body whose method and end of path fit, else with 404.
fn fabric(answers: &'static [(&'static str, &'static str, u16, &'static str)]) -> Fabric<impl Secrets> {
    let service = service_fn(move |request: Request| {
        let fits = |(method, path, ..): &&(&str, &str, u16, &str)| {
            let query = request.uri().query().filter(|_| path.contains('?')).unwrap_or_default();
            let asked = format!("{}?{query}", request.uri().path());
            request.method().as_str() == *method && asked.trim_end_matches('?').ends_with(path)
        };
        let (status, body) =
            answers.iter().find(fits).map_or((404, "{}"), |(.., status, body)| (*status, *body));
        let mut answer = Response::new(body.into());
        *answer.status_mut() = status.try_into().unwrap();
        std::future::ready(Ok::<_, BoxError>(answer))
    });
    Fabric::new(Client::new(BoxService::new(service)), |_: &str| None, Patience::default())
}

#[tokio::test(start_paused = true)]
async fn r21_an_item_that_is_not_found_is_gone_only_where_its_workspace_can_be_read() {
    let ids = || (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
    let blind = fabric(&[]);
    let (workspace, item) = ids();
    let failure = blind.remove_item(workspace, item).await.unwrap_err();
    assert!(matches!(failure.error, TargetError::Fabric(_)), "{:?}", failure.error);

    let seeing = fabric(&[("GET", "00000001", 200, OURS), ("GET", ADMINS, 200, LISTED)]);
    let (workspace, item) = ids();
    assert_eq!(seeing.remove_item(workspace, item).await.unwrap(), Undone::AlreadyGone);
}

const OURS: &str = r#"{"id":"00000000-0000-0000-0000-000000000001","displayName":"ours","type":"Workspace"}"#;
/// Asks for the workspaces whose admin the caller is.
const ADMINS: &str = "/workspaces?roles=Admin";
const LISTED: &str =
    r#"{"value":[{"id":"00000000-0000-0000-0000-000000000001","displayName":"ours","type":"Workspace"}]}"#;

/// A process may have died between its removal and the record of it: who repeats the undo finds nothing, and nobody told where it went.
#[tokio::test(start_paused = true)]
async fn r13_an_item_found_gone_by_who_cannot_delete_for_good_may_be_in_the_recycle_bin() {
    let remove = async |fabric: Fabric<_>| {
        fabric.remove_item(Uuid::from_u128(1).into(), Uuid::from_u128(2).into()).await.unwrap()
    };
    let member = fabric(&[("GET", "00000001", 200, OURS), ("GET", ADMINS, 200, r#"{"value":[]}"#)]);
    let told = remove(member).await;
    assert!(matches!(&told, Undone::Recycled(trace) if trace.contains("recycle bin")), "{told:?}");
    // Where it cannot be found out it is told as what it may be, and is no reason for the undo to fail.
    let unknown = fabric(&[("GET", "00000001", 200, OURS), ("GET", ADMINS, 403, "{}")]);
    assert!(matches!(remove(unknown).await, Undone::Recycled(_)));
}

#[tokio::test(start_paused = true)]
async fn r14_an_empty_answer_is_no_pre_image() {
    let fabric = fabric(&[("POST", "getDefinition", 200, r#"{"definition":{"parts":[]}}"#)]);
    let (workspace, item) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
    let failure = fabric.invert_update_definition(workspace, item, "Notebook").await.unwrap_err();
    assert!(matches!(failure.error, TargetError::Conflict(_)), "{:?}", failure.error);
    assert_eq!(failure.reach, selvedge_rollback::Reach::Unsent);
}
