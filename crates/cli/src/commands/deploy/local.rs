//! `--local`: the emulator inside this process, with a demo tenant. Everything else runs as it does against Fabric.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context as _;
use selvedge_fabric_emulator::{Config, Emulator, Fault};

use crate::report::ExitWith;
use crate::settings::{CommandLine, Environment};

/// An emulator that listens, and is served once there is a runtime.
pub(crate) struct Local {
    emulator: Emulator,
    listener: TcpListener,
    url: String,
    credentials: [(&'static str, String); 3],
    /// Journals of a tenant that ends with the process are of no use to a later one.
    journals: tempfile::TempDir,
}

impl Local {
    /// Prepares the emulator, with the faults that were asked for.
    ///
    /// # Errors
    ///
    /// When a fault cannot be understood, or there is no port to be had.
    pub(crate) fn new(inject: &[String]) -> anyhow::Result<Self> {
        let config = Config::default();
        let credentials = [
            ("AZURE_TENANT_ID", config.tenant.clone()),
            ("AZURE_CLIENT_ID", config.client_id.clone()),
            ("AZURE_CLIENT_SECRET", config.client_secret.clone()),
        ];
        let emulator = Emulator::new(config).with_demo_tenant();
        for text in inject {
            let fault: Fault =
                text.parse().with_context(|| ExitWith::usage(format!("understand --inject '{text}'")))?;
            emulator.inject(fault);
        }
        let tried = "listen on this machine for the emulator";
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(tried)?;
        listener.set_nonblocking(true).context(tried)?;
        let url = format!("http://{}", listener.local_addr().context(tried)?);
        let journals = tempfile::tempdir().context("make a folder for the journal")?;
        Ok(Self { emulator, listener, url, credentials, journals })
    }

    /// Hides the real tenant's variables behind the emulator's, and turns the hardening on where nothing says otherwise.
    pub(crate) fn adjust(&self, environment: Environment) -> Environment {
        let mut over: Vec<_> =
            self.credentials.iter().map(|(name, value)| (*name, Some(value.clone()))).collect();
        over.extend([
            ("FABRIC_API_BASE_URL", Some(format!("{}/v1", self.url))),
            ("GRAPH_API_BASE_URL", Some(format!("{}/v1.0", self.url))),
            ("AZURE_LOGIN_BASE_URL", Some(self.url.clone())),
            ("GITHUB_TOKEN", Some("emulated".to_owned())),
            // The secrets are those of this tenant; nothing outside of the machine is asked for any.
            ("FEATURE_USE_KEY_VAULT", Some("false".to_owned())),
            ("KEY_VAULT_URL", None),
            // It names a connection of the real tenant.
            ("FABRIC_GIT_CONNECTION_ID", None),
        ]);
        let on = ["FEATURE_USE_RETRY_LOGIC", "FEATURE_USE_CIRCUIT_BREAKER", "FEATURE_USE_ROLLBACK"];
        environment.local(over, on.map(|name| (name, "true")))
    }

    /// Settings that suit a tenant in memory: its lists do not lag, and nobody wants to wait for a demo.
    pub(crate) fn settings(&self) -> Vec<CommandLine> {
        let journals = self.journals.path().display().to_string();
        let trail = self.journals.path().join("audit_trail.jsonl").display().to_string();
        [
            // A project's own choice may have nothing to show here.
            ("entra.credential", "client-secret"),
            ("retry.base_delay", "250ms"),
            ("breaker.open_for", "500ms"),
            // Nor is it open longer when its trials fail.
            ("breaker.max_open_for", "500ms"),
            ("polling.first_poll", "50ms"),
            ("rollback.consistency_delay", "100ms"),
            ("rollback.journal_dir", &journals),
            // A project's own may be elsewhere.
            ("rollback.journal", &journals),
            // What is changed is gone with the process.
            ("audit.file", &trail),
        ]
        .into_iter()
        .map(|(key, value)| CommandLine { option: "--local", key, value: value.to_owned() })
        .collect()
    }

    /// Serves until the runtime ends.
    ///
    /// # Errors
    ///
    /// When the runtime does not take the listener.
    pub(crate) fn serve(&self) -> anyhow::Result<()> {
        let listener = self.listener.try_clone().context("serve the emulator")?;
        let listener = tokio::net::TcpListener::from_std(listener).context("serve the emulator")?;
        let emulator = self.emulator.clone();
        tokio::spawn(async move {
            if let Err(error) = emulator.serve(listener, std::future::pending()).await {
                tracing::error!(%error, "the emulator stopped");
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::settings::{Profile, load};

    #[test]
    fn nobody_waits_for_a_trial_whatever_the_profile() {
        let local = Local::new(&[]).unwrap();
        let root = tempfile::tempdir().unwrap();
        for profile in [Profile::Guide, Profile::Robust] {
            let environment = local.adjust(Environment::default());
            let settings = load(root.path(), &environment, &local.settings(), profile).unwrap();
            let breaker = settings.breaker;
            assert_eq!(breaker.open_for, Duration::from_millis(500));
            assert_eq!(breaker.max_open_for, Some(breaker.open_for));
        }
    }
}
