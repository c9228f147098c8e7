//! The auth layer against scripted services and credentials, in paused time.

use super::*;
use crate::{
    Request,
    testing::{Script, response},
};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use bytes::Bytes;
use selvedge_resilience::find_cause;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use time::OffsetDateTime;
use tower::{BoxError, Layer, ServiceExt};

/// Gives tokens `t1`, `t2`, ...; each takes a second to get and is valid for an hour.
#[derive(Debug, Default)]
struct Counter {
    asked: AtomicU32,
    /// Every token after these is refused.
    gives: Option<u32>,
}

#[async_trait::async_trait]
impl TokenCredential for Counter {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["scope/.default"]);
        let n = 1 + self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(1)).await;
        if self.gives.is_some_and(|gives| n > gives) {
            let kind = azure_core::error::ErrorKind::Credential;
            return Err(azure_core::Error::with_message(kind, "Entra is away"));
        }
        let ends = OffsetDateTime::now_utc() + Duration::from_secs(3600);
        Ok(AccessToken::new(format!("t{n}"), ends))
    }
}

fn auth(gives: Option<u32>) -> (Auth, Arc<Counter>) {
    let credential = Arc::new(Counter { gives, ..Counter::default() });
    let base = BaseUri::new("https://api.fabric.microsoft.com/v1").unwrap();
    (Auth::new(credential.clone(), "scope/.default", base), credential)
}

fn get(uri: &str) -> Request {
    http::Request::get(uri).body(Bytes::new()).unwrap()
}

/// The tokens that the requests of a script carried.
fn tokens(script: &Script) -> Vec<String> {
    let requests = script.requests();
    let token = |request: &Request| {
        let header = &request.headers()["authorization"];
        assert!(header.is_sensitive());
        header.to_str().unwrap().trim_start_matches("Bearer ").to_owned()
    };
    requests.iter().map(token).collect()
}

async fn send(auth: &Auth, script: &Script) -> Result<u16, BoxError> {
    let response = auth.layer(script.service()).oneshot(get("/workspaces")).await?;
    Ok(response.status().as_u16())
}

#[tokio::test(start_paused = true)]
async fn one_token_serves_all_who_wait_for_it() {
    let (auth, credential) = auth(None);
    let script = (0..8).fold(Script::default(), |script, _| script.answer("200", ""));
    let sends = (0..8).map(|_| send(&auth, &script));
    for status in futures_util::future::join_all(sends).await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!(tokens(&script), ["t1"; 8]);
    assert_eq!(credential.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_early_and_used_on_while_that_fails() {
    let (auth, credential) = auth(Some(2));
    let script = (0..7).fold(Script::default(), |script, _| script.answer("200", ""));
    let minutes = |n: u64| tokio::time::advance(Duration::from_secs(n * 60));
    send(&auth, &script).await.unwrap();
    minutes(54).await;
    send(&auth, &script).await.unwrap();
    // Five minutes before its end.
    minutes(2).await;
    send(&auth, &script).await.unwrap();
    assert_eq!(tokens(&script), ["t1", "t1", "t2"]);

    // From here on Entra is away: the token is used on while it is valid, and Entra is not asked for each request.
    minutes(56).await;
    send(&auth, &script).await.unwrap();
    send(&auth, &script).await.unwrap();
    assert_eq!(credential.asked.load(Ordering::Relaxed), 3);
    minutes(1).await;
    send(&auth, &script).await.unwrap();
    assert_eq!(credential.asked.load(Ordering::Relaxed), 4);
    assert_eq!(tokens(&script)[3..], ["t2"; 3]);

    minutes(4).await;
    let error = send(&auth, &script).await.unwrap_err();
    assert!(find_cause::<AuthError>(&*error).is_some(), "{error}");
    assert_eq!(script.requests().len(), 6, "without a token nothing is sent");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_could_not_be_replaced_is_not_used_to_its_very_end() {
    let (auth, credential) = auth(Some(1));
    let script = (0..2).fold(Script::default(), |script, _| script.answer("200", ""));
    send(&auth, &script).await.unwrap();
    tokio::time::advance(Duration::from_secs(3550)).await;
    send(&auth, &script).await.unwrap();
    assert_eq!(credential.asked.load(Ordering::Relaxed), 2);
    // The pause goes on, and there are less than 30 seconds left.
    tokio::time::advance(Duration::from_secs(25)).await;
    send(&auth, &script).await.unwrap_err();
    assert_eq!(credential.asked.load(Ordering::Relaxed), 3);
    assert_eq!(tokens(&script), ["t1", "t1"]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_once() {
    let (auth, credential) = auth(None);
    let script = Script::default().answer("401", "").answer("200", "");
    assert_eq!(send(&auth, &script).await.unwrap(), 200);
    assert_eq!(tokens(&script), ["t1", "t2"]);

    // The second answer is final, whatever it is.
    let script = Script::default().answer("401", "").answer("401", "");
    assert_eq!(send(&auth, &script).await.unwrap(), 401);
    assert_eq!(tokens(&script), ["t2", "t3"]);
    assert_eq!(credential.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn many_rejections_of_one_token_ask_for_one_new_token() {
    let (auth, credential) = auth(None);
    let rejects_the_first = tower::service_fn(|request: Request| async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let rejected = request.headers()["authorization"] == "Bearer t1";
        Ok(response(if rejected { "401" } else { "200" }, ""))
    });
    let sends = (0..8).map(|_| auth.layer(rejects_the_first).oneshot(get("/workspaces")));
    for result in futures_util::future::join_all(sends).await {
        assert_eq!(result.unwrap().status(), 200);
    }
    assert_eq!(credential.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_to_its_own_base_only() {
    let (auth, credential) = auth(None);
    for uri in [
        "https://evil.example/v1/operations/x",
        "https://api.fabric.microsoft.com.evil.example/v1",
        "https://api.fabric.microsoft.com:8443/v1",
        "http://api.fabric.microsoft.com/v1",
        "https://user@api.fabric.microsoft.com/v1",
        "api.fabric.microsoft.com:443",
    ] {
        let script = Script::default();
        let result = auth.layer(script.service()).oneshot(get(uri)).await;
        let error = result.unwrap_err();
        assert!(find_cause::<AuthError>(&*error).is_some(), "{uri}: {error}");
        assert!(script.requests().is_empty(), "{uri}");
    }
    assert_eq!(credential.asked.load(Ordering::Relaxed), 0, "no token is even asked for");

    let script = Script::default().answer("200", "");
    let uri = "https://api.fabric.microsoft.com/v1/workspaces";
    auth.layer(script.service()).oneshot(get(uri)).await.unwrap();
    assert_eq!(tokens(&script), ["t1"]);
}
