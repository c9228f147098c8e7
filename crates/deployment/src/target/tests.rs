//! What must not be believed of an answer, against a service that gives just that answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use selvedge_fabric_client::{BoxService, Client, Request, Response};
use tower::{BoxError, service_fn};
use uuid::Uuid;

use super::*;
use crate::change::LeftOut;
use crate::promotion::{PromotedItem, Promotion, PromotionStage};

/// A tenant that answers with the first status and body whose method and end of path fit, else with 404.
fn fabric(answers: &'static [(&'static str, &'static str, u16, &'static str)]) -> Fabric<impl Secrets> {
    answering(move |request| {
        let fits = |(method, path, ..): &&(&str, &str, u16, &str)| {
            let query = request.uri().query().filter(|_| path.contains('?')).unwrap_or_default();
            let asked = format!("{}?{query}", request.uri().path());
            request.method().as_str() == *method && asked.trim_end_matches('?').ends_with(path)
        };
        answers.iter().find(fits).map_or((404, "{}"), |(.., status, body)| (*status, *body))
    })
}

/// A tenant that answers with this status and body.
fn answering(
    answer: impl Fn(&Request) -> (u16, &'static str) + Clone + Send + Sync + 'static,
) -> Fabric<impl Secrets> {
    let service = service_fn(move |request: Request| {
        let (status, body) = answer(&request);
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

/// A workspace on a capacity, if any, and how far its move has come. The capacities are `a`, as it is ours, and `b`, as it was before.
macro_rules! on {
    ($capacity:literal, $progress:literal) => {
        concat!(
            r#"{"id":"00000000-0000-0000-0000-000000000001","displayName":"ours","type":"Workspace","#,
            $capacity,
            r#""capacityAssignmentProgress":""#,
            $progress,
            r#""}"#
        )
    };
}
const ON_OURS: &str = on!(r#""capacityId":"00000000-0000-0000-0000-00000000000a","#, "Completed");
const ON_NONE_YET: &str = on!("", "InProgress");
const ON_BEFORE_YET: &str = on!(r#""capacityId":"00000000-0000-0000-0000-00000000000b","#, "InProgress");
const ON_BEFORE: &str = on!(r#""capacityId":"00000000-0000-0000-0000-00000000000b","#, "Completed");
const FAILED: &str = on!("", "Failed");

/// A workspace that shows these one after the other, then the last for ever, and accepts whatever it is sent. How often it was sent
/// something is counted.
fn moving(shown: &'static [(u16, &'static str)]) -> (Fabric<impl Secrets>, Arc<AtomicUsize>) {
    let (looks, sent) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&sent);
    let fabric = answering(move |request| match request.method().as_str() {
        "GET" => shown[looks.fetch_add(1, Ordering::Relaxed).min(shown.len() - 1)],
        _ => {
            counted.fetch_add(1, Ordering::Relaxed);
            (202, "")
        }
    });
    (fabric, sent)
}

#[tokio::test(start_paused = true)]
async fn r7_a_capacity_that_was_put_back_and_not_seen_to_arrive_is_on_its_way() {
    use selvedge_rollback::Reach::{Pending, Sent};
    let (workspace, a, b) = (Uuid::from_u128(1), Uuid::from_u128(10), Uuid::from_u128(11));
    let waits = Some(Duration::ZERO);
    for (shown, reach, resend_after) in [
        (&[(200, ON_OURS), (403, "{}")][..], Pending, None),
        (&[(200, ON_OURS), (500, "{}")], Pending, waits),
        (&[(200, ON_OURS), (200, ON_NONE_YET)], Pending, waits),
        (&[(200, ON_OURS), (200, FAILED)], Sent, waits),
    ] {
        let (fabric, sent) = moving(shown);
        let failure =
            fabric.restore_capacity(workspace.into(), Some(a.into()), Some(b.into())).await.unwrap_err();
        let failure = failure::with_patience(failure);
        assert_eq!((failure.reach, failure.resend_after), (reach, resend_after), "{shown:?}");
        assert_eq!(sent.load(Ordering::Relaxed), 1, "{shown:?}");
        // The same on the way forward, where it is read back then, and not sent again.
        let (fabric, _) = moving(&shown[1..]);
        let failure = fabric.capacity_assigned(workspace.into(), Some(a.into())).await.unwrap_err();
        assert_eq!((failure.reach, failure.resend_after), (reach, None), "{shown:?}");
    }
}

/// On its way it may be on no capacity: nobody else has done that.
#[tokio::test(start_paused = true)]
async fn r7_a_capacity_that_is_being_put_back_is_waited_for() {
    let (workspace, a, b) = (Uuid::from_u128(1), Uuid::from_u128(10), Uuid::from_u128(11));
    for shown in [
        &[(200, ON_NONE_YET), (200, ON_NONE_YET), (200, ON_BEFORE)][..],
        &[(200, ON_BEFORE_YET), (200, ON_BEFORE)],
    ] {
        let (fabric, sent) = moving(shown);
        let undone = fabric.restore_capacity(workspace.into(), Some(a.into()), Some(b.into())).await;
        assert_eq!(undone.unwrap(), Undone::AlreadyGone, "{shown:?}");
        assert_eq!(sent.load(Ordering::Relaxed), 0, "{shown:?}");
    }
    let (fabric, _) = moving(&[(200, ON_BEFORE_YET)]);
    let failure =
        fabric.restore_capacity(workspace.into(), Some(a.into()), Some(b.into())).await.unwrap_err();
    assert_eq!(failure.reach, selvedge_rollback::Reach::Pending);
}

/// A promotion of the items 11 and 12, through the pipeline 1 from the stage 2 to the stage 3, that knows the deployment 4.
fn promotion() -> Promotion {
    let stage = |id| PromotionStage {
        id: Uuid::from_u128(id).into(),
        name: format!("s{id}"),
        workspace: Uuid::from_u128(id).into(),
    };
    let item = |id| PromotedItem {
        id: Uuid::from_u128(id).into(),
        item_type: "Notebook".to_owned(),
        name: format!("n{id:x}"),
    };
    Promotion {
        pipeline: Uuid::from_u128(1).into(),
        name: "Sales".to_owned(),
        from: stage(2),
        to: stage(3),
        items: vec![item(0x11), item(0x12)],
        note: None,
        known: vec![Uuid::from_u128(4).into()],
    }
}

/// A deployment of the pipeline, with the end of an id, a status, and members that begin with a comma.
macro_rules! deployment {
    ($id:literal, $status:literal, $more:literal) => {
        concat!(
            r#"{"id":"00000000-0000-0000-0000-0000000000"#,
            $id,
            r#"","type":"Deploy","status":""#,
            $status,
            r#"","lastUpdatedTime":"","sourceStageId":"00000000-0000-0000-0000-000000000002","#,
            r#""targetStageId":"00000000-0000-0000-0000-000000000003""#,
            $more,
            "}"
        )
    };
}

/// The steps of the items 11 and 12.
macro_rules! steps {
    ($first:literal, $second:literal) => {
        concat!(
            r#"{"steps":[{"status":""#,
            $first,
            r#"","sourceAndTarget":{"sourceItemId":"00000000-0000-0000-0000-000000000011"}},{"status":""#,
            $second,
            r#"","error":{"errorCode":"Alm_Why","message":"so"},"#,
            r#""sourceAndTarget":{"sourceItemId":"00000000-0000-0000-0000-000000000012"}}]}"#
        )
    };
}

const KNOWN: &str = concat!(r#"{"value":["#, deployment!("04", "Succeeded", ""), "]}");
const NEW: &str =
    concat!(r#"{"value":["#, deployment!("04", "Succeeded", ""), ",", deployment!("05", "Failed", ""), "]}");
const OPERATION_FAILED: &str = r#"{"status":"Failed","error":{"errorCode":"E","message":"m"}}"#;

/// What the operation and the pipeline say of a deployment that has failed.
async fn ended(list: (u16, &'static str), one: &'static str) -> (Attempt<Receipt>, Attempt<Found<Receipt>>) {
    let fabric = answering(move |request| {
        let path = request.uri().path();
        match path {
            _ if path.starts_with("/operations/") => (200, OPERATION_FAILED),
            _ if path.ends_with("/operations") => list,
            _ if path.ends_with("05") => (200, one),
            _ => (404, "{}"),
        }
    });
    let accepted = Accepted { operation: Uuid::from_u128(6).into(), retry_after: None };
    (fabric.promoted(&promotion(), &accepted).await, fabric.find_promoted(&promotion()).await)
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_halfway_has_promoted_that_half() {
    use selvedge_rollback::Reach;

    const HALF: &str = concat!(
        r#"{"id":"00000000-0000-0000-0000-000000000005","status":"Failed","executionPlan":"#,
        steps!("Succeeded", "Failed"),
        "}"
    );
    let half = Receipt::Promoted {
        left_out: vec![LeftOut { item: Uuid::from_u128(0x12).into(), reason: "Alm_Why: so".to_owned() }],
    };
    let (waited, found) = ended((200, NEW), HALF).await;
    assert_eq!(waited.unwrap(), half);
    assert_eq!(found.unwrap(), Found::Done(half));

    // None of it: that is not made, and each item says why.
    const NONE: &str = concat!(
        r#"{"id":"00000000-0000-0000-0000-000000000005","status":"FAILED","executionPlan":"#,
        steps!("NotStarted", "Failed"),
        "}"
    );
    let (waited, found) = ended((200, NEW), NONE).await;
    let failure = waited.unwrap_err();
    assert_eq!(failure.reach, Reach::Unsent);
    let told = failure.error.to_string();
    assert_eq!(
        told,
        "nothing was promoted\nNotebook n11: its step ended as NotStarted\nNotebook n12: Alm_Why: so"
    );
    assert_eq!(found.unwrap(), Found::Absent);

    // All of it, whatever the operation says.
    const ALL: &str =
        r#"{"id":"00000000-0000-0000-0000-000000000005","status":"Succeeded","executionPlan":null}"#;
    let (waited, _) = ended((200, NEW), ALL).await;
    assert_eq!(waited.unwrap(), Receipt::Promoted { left_out: Vec::new() });

    // Where it is still said to run, or the pipeline says nothing, what became of it is not known.
    const RUNS: &str =
        r#"{"id":"00000000-0000-0000-0000-000000000005","status":"Running","executionPlan":{"steps":[]}}"#;
    let (waited, found) = ended((200, NEW), RUNS).await;
    assert_eq!((waited.unwrap_err().reach, found.unwrap_err().reach), (Reach::Sent, Reach::Pending));
    let (waited, found) = ended((403, "{}"), RUNS).await;
    assert!(waited.unwrap_err().reach == Reach::Sent && found.is_err());
    let (waited, found) = ended((200, KNOWN), RUNS).await;
    assert_eq!((waited.unwrap_err().reach, found.unwrap()), (Reach::Sent, Found::Absent));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_of_other_items_or_with_another_note_is_somebody_elses() {
    const THEIRS: &str = concat!(
        r#"{"id":"00000000-0000-0000-0000-000000000005","status":"Succeeded","executionPlan":"#,
        steps!("Succeeded", "Succeeded"),
        r#","note":{"content":"the first pa","isTruncated":true}}"#
    );
    for (note, items, is_ours) in [
        (Some("the first part"), 2, true),
        (Some("the second"), 2, false),
        (None, 2, false),
        (Some("the first part"), 1, false),
    ] {
        let fabric = answering(|request| match request.uri().path() {
            path if path.ends_with("/operations") => (200, NEW),
            _ => (200, THEIRS),
        });
        let mut ours = promotion();
        ours.note = note.map(str::to_owned);
        ours.items.truncate(items);
        let found = fabric.find_promoted(&ours).await.unwrap();
        assert_eq!(matches!(found, Found::Done(_)), is_ours, "{note:?} {items}");
        // Whoever has deployed since, what was shown is not what is there.
        let failure = fabric.promote(&ours).await.unwrap_err();
        assert!(matches!(failure.error, TargetError::Conflict(_)), "{:?}", failure.error);
    }
}
