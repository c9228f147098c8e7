//! The one [`Redactor`] of this process, and what must know of it before anything is written.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fs::File,
    io::{self, Write},
    panic::PanicHookInfo,
    sync::{Arc, LazyLock, OnceLock},
};

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use secrecy::{ExposeSecret as _, SecretString};
use selvedge_observability::redact::{Ci, Redactor};

use crate::{
    output,
    settings::{Environment, Origin},
};

/// Shared by all, for a panic has nobody to ask for one.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// Who runs us, once that is known.
static CI: OnceLock<Option<Ci>> = OnceLock::new();

/// What knows the secrets of this process.
pub(crate) fn redactor() -> &'static Redactor {
    &REDACTOR
}

/// Keeps the secrets of `environment` out of everything that is written from now on, and makes them known to the CI system, where there is
/// one. Gives back what the user should know.
pub(crate) fn register(environment: &Environment) -> Vec<String> {
    CI.get_or_init(|| {
        Ci::detect(|name| match environment.find(name) {
            Some((value, Origin::Environment)) => Some(value),
            _ => None,
        })
    });
    let of_the_job = |name: &str, value: &SecretString| {
        let given = environment.only(Origin::Environment).find(|(given, _)| *given == name);
        given.is_some_and(|(_, given)| given == value.expose_secret())
    };
    let secrets = environment.secrets().into_iter();
    secrets
        .filter_map(|(name, value)| {
            // The system gave it to us, and knows whether it is secret. Told again, it may end in a file that catches stderr.
            if of_the_job(name, &value) { redact(name, &value) } else { learn(name, &value) }
        })
        .collect()
}

/// Keeps a secret that came from elsewhere than the environment out of everything that is written from now on, by us and by the CI system.
/// Gives back what the user should know.
pub(crate) fn learn(name: &str, value: &SecretString) -> Option<String> {
    if let Some(ci) = CI.get().copied().flatten() {
        tell_ci(&ci.masks(value));
    }
    redact(name, value)
}

/// The same, of what the CI system gave us itself, or has no business with.
pub(crate) fn redact(name: &str, value: &SecretString) -> Option<String> {
    redactor().register(name, value).err().map(|error| error.to_string())
}

/// Writes `masks` for the CI system: on stderr, for stdout is the result, which scripts catch in variables and files. Runners of both systems
/// heed commands on either. Not into a file: there the values would stay.
fn tell_ci(masks: &SecretString) {
    let mut stderr = io::stderr().lock();
    if is_file(&stderr).unwrap_or(true) {
        return;
    }
    drop(stderr.write_all(masks.expose_secret().as_bytes()));
}

#[cfg(unix)]
fn is_file(stream: &impl std::os::fd::AsFd) -> io::Result<bool> {
    Ok(File::from(stream.as_fd().try_clone_to_owned()?).metadata()?.is_file())
}

#[cfg(windows)]
fn is_file(stream: &impl std::os::windows::io::AsHandle) -> io::Result<bool> {
    Ok(File::from(stream.as_handle().try_clone_to_owned()?).metadata()?.is_file())
}

/// Lets a panic say what it says through the redactor.
pub(crate) fn watch_panics() {
    std::panic::set_hook(Box::new(|panic| tell_of_panic(panic, output::stderr())));
}

fn tell_of_panic(panic: &PanicHookInfo<'_>, mut to: impl Write) {
    // Where stderr is gone there is nobody to tell.
    drop(to.write_all(told(panic).as_bytes()));
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    // By RUST_BACKTRACE, as without a hook.
    let backtrace = Backtrace::capture();
    match backtrace.status() {
        BacktraceStatus::Captured => format!("thread '{name}' {panic}\n{backtrace}\n"),
        _ => format!("thread '{name}' {panic}\n"),
    }
}

/// A credential whose tokens are known to the redactor before anybody has them: they are opaque, and need not look like tokens.
#[derive(Debug)]
pub(crate) struct Watched(pub(crate) Arc<dyn TokenCredential>);

#[async_trait::async_trait]
impl TokenCredential for Watched {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let token = self.0.get_token(scopes, options).await?;
        if let Err(unprotected) = redactor().register("an access token", &token.token.secret().into()) {
            tracing::warn!("{unprotected}");
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{catch_unwind, set_hook, take_hook},
        sync::Mutex,
    };

    use selvedge_observability::redact::Redacting;
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn s4_a_panic_does_not_tell_a_secret() {
        redactor().register("x", &"canary-of-a-panic".into()).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&told);
        set_hook(Box::new(move |panic| {
            let mut to = to.lock().unwrap();
            tell_of_panic(panic, Redacting::new(&mut *to, redactor().clone()));
        }));
        let ended = catch_unwind(|| panic!("with canary-of-a-panic"));
        drop(take_hook());
        assert!(ended.is_err());
        let told = String::from_utf8(told.lock().unwrap().clone()).unwrap();
        assert!(told.contains("redaction.rs") && told.contains("with ***"), "{told}");
    }

    #[derive(Debug)]
    struct Opaque;

    #[async_trait::async_trait]
    impl TokenCredential for Opaque {
        async fn get_token(
            &self,
            _: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            Ok(AccessToken::new("opaque canary", OffsetDateTime::now_utc()))
        }
    }

    #[tokio::test]
    async fn s4_a_token_is_known_once_it_is_there() {
        assert_eq!(redactor().redact("an opaque canary"), "an opaque canary");
        Watched(Arc::new(Opaque)).get_token(&[], None).await.unwrap();
        assert_eq!(redactor().redact("an opaque canary"), "an ***");
    }
}
