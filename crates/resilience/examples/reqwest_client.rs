//! Retry and circuit breaker on a plain reqwest client: `cargo run --example reqwest_client -- http://127.0.0.1:8080/`

#![expect(clippy::print_stdout, reason = "an example talks to the terminal that started it")]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use selvedge_resilience::{
    Unsent,
    breaker::{BreakerConfig, BreakerLayer, Breakers},
    deadline::{AttemptTimeoutLayer, DeadlineLayer},
    http::HttpClassify,
    retry::{RetryConfig, RetryLayer},
};
use std::time::Duration;
use tower::{BoxError, ServiceBuilder, ServiceExt};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let url = std::env::args().nth(1).ok_or("an address, please")?;
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "a TLS provider is installed")?;
    // Its own retries off: one layer retries, or their numbers multiply.
    let client = reqwest::Client::builder().retry(reqwest::retry::never()).build()?;

    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(300))?)
        .layer(RetryLayer::new(RetryConfig::robust(), HttpClassify)?)
        .layer(BreakerLayer::new(Breakers::new("", BreakerConfig::robust())?, HttpClassify))
        .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
        .service_fn(move |request: Request<Vec<u8>>| send(client.clone(), request));

    let answer = service.oneshot(Request::get(url).body(Vec::new())?).await?;
    println!("{}: {} bytes", answer.status(), answer.body().len());
    Ok(())
}

/// Reads the whole body within the attempt, so that one that breaks off is a failure of the attempt.
async fn send(client: reqwest::Client, request: Request<Vec<u8>>) -> Result<Response<Bytes>, BoxError> {
    let answer = client.execute(request.try_into()?).await.map_err(|error| -> BoxError {
        if error.is_connect() { Unsent::new(error).into() } else { error.into() }
    })?;
    let (head, body) = Response::<reqwest::Body>::from(answer).into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}
