//! The one [`Redactor`] of this process, and what must know of it before anything is written.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fs::File,
    io::{self, Write},
    panic::PanicHookInfo,
    sync::LazyLock,
};

use secrecy::{ExposeSecret as _, SecretString};
use selvedge_observability::redact::{Ci, Redactor};

use crate::{
    output,
    settings::{Environment, Origin},
};

/// Shared by all, for a panic has nobody to ask for one.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// What knows the secrets of this process.
pub(crate) fn redactor() -> &'static Redactor {
    &REDACTOR
}

/// Keeps the secrets of `environment` out of everything that is written from now on, and makes them known to the CI system, where there is
/// one. Gives back what the user should know.
pub(crate) fn register(environment: &Environment) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut masks = String::new();
    let ci = Ci::detect(|name| match environment.find(name) {
        Some((value, Origin::Environment)) => Some(value),
        _ => None,
    });
    for (name, value) in environment.secrets() {
        warnings.extend(redactor().register(name, &value).err().map(|error| error.to_string()));
        masks.extend(ci.map(|ci| ci.masks(&value).expose_secret().to_owned()));
    }
    if !masks.is_empty() {
        tell_ci(&masks.into());
    }
    warnings
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
    std::panic::set_hook(Box::new(|panic| {
        // Where stderr is gone there is nobody to tell.
        drop(output::stderr().write_all(told(panic).as_bytes()));
    }));
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
