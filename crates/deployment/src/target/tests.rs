//! What must not be believed of an answer, against a service that gives just that answer.

use selvedge_fabric_client::{BoxService, Client, Request, Response};
use tower::{BoxError, service_fn};
use uuid::Uuid;

use super::*;

/// A tenant that answers with the first status and body whose method and end of path fit, else with 404.
fn fabric(answers: &'static [(&'static str, &'static str, u16, &'static str)]) -> Fabric<impl Secrets> {
    let service = service_fn(move |request: Request| {
        let fits = |(method, path, ..): &&(&str, &str, u16, &str)| {
            request.method().as_str() == *method && request.uri().path().ends_with(path)
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

    let seeing = fabric(&[(
        "GET",
        "00000001",
        200,
        r#"{"id":"00000000-0000-0000-0000-000000000001","displayName":"ours","type":"Workspace"}"#,
    )]);
    let (workspace, item) = ids();
    assert_eq!(seeing.remove_item(workspace, item).await.unwrap(), Undone::AlreadyGone);
}

#[tokio::test(start_paused = true)]
async fn r14_an_empty_answer_is_no_pre_image() {
    let fabric = fabric(&[("POST", "getDefinition", 200, r#"{"definition":{"parts":[]}}"#)]);
    let (workspace, item) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
    let failure = fabric.invert_update_definition(workspace, item, "Notebook").await.unwrap_err();
    assert!(matches!(failure.error, TargetError::Conflict(_)), "{:?}", failure.error);
    assert_eq!(failure.reach, selvedge_rollback::Reach::Unsent);
}
