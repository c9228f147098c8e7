//! The clients that are compared. They send the same requests, but for what their names say.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, anyhow, ensure};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use bytes::Bytes;
use http::{HeaderValue, header};
use selvedge::stack::{StackConfig, stacks};
use selvedge_fabric_client::{
    BoxService, Operation, Quota, Request,
    layer::{Auth, BaseUri},
    transport::{HttpTransport, TransportConfig},
};
use selvedge_resilience::{Effect, breaker::BreakerConfig, gate::GateConfig, retry::RetryConfig};
use serde::Serialize;
use tower::ServiceExt;

/// What each request asks for.
const PATH: &str = "/v1/workspaces";

/// A way to send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Variant {
    /// reqwest alone, its client built as the transport builds it.
    Bare,
    /// Our transport, which turns `http` requests into reqwest's, and reads the body up to a limit.
    Transport,
    /// The stack with all flags off: deadline, gate, attempt timeout.
    Off,
    /// That, and the retry.
    Retry,
    /// That, and the circuit breaker.
    Breaker,
    /// That, and authentication with the base address.
    Auth,
    /// The stack with everything that is measured here.
    All,
    /// That, and a span round each call and attempt.
    Told,
}

/// One client, with connections of its own.
#[derive(Clone)]
pub(crate) struct Client {
    kind: Kind,
    /// Relative where the client knows the base.
    target: String,
    /// What a client that does not authenticate sends all the same, so that all send as much.
    authorization: Option<HeaderValue>,
}

#[derive(Clone)]
enum Kind {
    Bare(reqwest::Client),
    Transport(HttpTransport),
    Stack(BoxService),
}

/// A credential that always knows its token.
#[derive(Debug)]
struct Static;

impl Variant {
    /// In the order of the table.
    pub(super) const ALL: [Self; 7] =
        [Self::Bare, Self::Transport, Self::Off, Self::Retry, Self::Breaker, Self::Auth, Self::All];

    /// The row's name.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Bare => "bare reqwest",
            Self::Transport => "transport",
            Self::Off => "stack, flags off",
            Self::Retry => "+ retry",
            Self::Breaker => "+ breaker",
            Self::Auth => "+ auth, base URL",
            Self::All => "stack, all on",
            Self::Told => "+ spans",
        }
    }

    /// As the command line names it.
    pub(super) fn argument(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn config(self) -> StackConfig {
        StackConfig {
            call_deadline: Duration::from_secs(600),
            retry: matches!(self, Self::Retry | Self::All | Self::Told).then(RetryConfig::robust),
            breaker: matches!(self, Self::Breaker | Self::All | Self::Told).then(BreakerConfig::robust),
            gate: GateConfig::default(),
            attempt_timeout: Duration::from_secs(30),
            spans: self == Self::Told,
        }
    }
}

impl Client {
    /// A client of the server at `address`.
    pub(crate) fn new(variant: Variant, address: &str) -> anyhow::Result<Self> {
        // By itself a client bounds a request; beneath the stack, as in the program, that does.
        let alone = matches!(variant, Variant::Bare | Variant::Transport);
        let defaults = TransportConfig::default();
        let request_timeout = defaults.request_timeout.filter(|_| alone);
        let config = TransportConfig { request_timeout, ..defaults };
        // It installs the TLS provider, so it comes before any client of our own.
        let transport = HttpTransport::new(&config).context("build the transport")?;
        let authenticates = matches!(variant, Variant::Auth | Variant::All | Variant::Told);
        let kind = match variant {
            Variant::Bare => Kind::Bare(bare(&config)?),
            Variant::Transport => Kind::Transport(transport),
            _ => {
                let base = BaseUri::new(address).context("read the server's address")?;
                let auth = Auth::new(Arc::new(Static), "scope/.default", base.clone());
                let api = authenticates.then_some((auth, base));
                let stacks = stacks("bench", &variant.config(), api, transport);
                Kind::Stack(stacks.context("build the stack")?.forward)
            }
        };
        let bearer = format!("Bearer {}", token()).parse().context("write the token")?;
        Ok(Self {
            kind,
            target: if authenticates { PATH.to_owned() } else { format!("{address}{PATH}") },
            authorization: (!authenticates).then_some(bearer),
        })
    }

    /// Sends so many requests, one after the other.
    pub(crate) async fn calls(&self, count: u32) -> anyhow::Result<()> {
        match &self.kind {
            Kind::Bare(client) => {
                for _ in 0..count {
                    let response = client.execute(self.bare_request(client)?).await?;
                    let status = response.status();
                    check(status, &response.bytes().await?)?;
                }
            }
            Kind::Transport(transport) => {
                for _ in 0..count {
                    let response =
                        transport.clone().oneshot(self.request()?).await.map_err(|e| anyhow!(e))?;
                    check(response.status(), response.body())?;
                }
            }
            Kind::Stack(stack) => {
                for _ in 0..count {
                    let response = stack.clone().oneshot(self.request()?).await.map_err(|e| anyhow!(e))?;
                    check(response.status(), response.body())?;
                }
            }
        }
        Ok(())
    }

    /// A request of reqwest's own, as its users write it.
    fn bare_request(&self, client: &reqwest::Client) -> anyhow::Result<reqwest::Request> {
        let mut request = client.get(&self.target).header(header::ACCEPT, JSON);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        Ok(request.build()?)
    }

    /// A request as the client of Fabric makes one.
    fn request(&self) -> anyhow::Result<Request> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.target.parse()?;
        request.headers_mut().insert(header::ACCEPT, JSON);
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        let (effect, quota) = (Effect::Read, Quota::default());
        request.extensions_mut().insert(Operation { name: "workspaces.list", effect, quota });
        Ok(request)
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn check(status: http::StatusCode, body: &[u8]) -> anyhow::Result<()> {
    ensure!(status.is_success() && !body.is_empty(), "the server answered {status}");
    Ok(())
}

/// reqwest's client with the same settings as [`HttpTransport`]'s.
fn bare(config: &TransportConfig) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(config.connect_timeout)
        .user_agent(&config.user_agent);
    let builder = match config.request_timeout {
        Some(timeout) => builder.timeout(timeout),
        None => builder,
    };
    builder.build().context("build a client of reqwest")
}

/// As long as tokens of Entra ID are.
fn token() -> String {
    "t".repeat(1500)
}

#[async_trait::async_trait]
impl TokenCredential for Static {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let ends = time::OffsetDateTime::now_utc() + Duration::from_secs(24 * 60 * 60);
        Ok(AccessToken::new(token(), ends))
    }
}
