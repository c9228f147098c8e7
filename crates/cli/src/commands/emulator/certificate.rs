//! The certificate for https: of an authority that is made, made and kept, or somebody else's.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use selvedge_fabric_emulator::tls;

use crate::{args::CertificateArgs, report::ExitWith};

/// What the https servers show, and whom clients have to trust for it.
pub(super) struct Certificate {
    pub(super) identity: tls::ServerIdentity,
    pub(super) authority: Authority,
}

/// Who signed the certificate.
pub(super) enum Authority {
    /// The emulator's own; its certificate is in this file.
    Kept(PathBuf),
    /// The emulator's own, which nobody can know.
    Fleeting,
    /// Somebody else.
    Foreign,
}

/// Names in the folder of `--ca-dir`.
const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";

impl Certificate {
    /// What was asked for; files are read and written.
    pub(super) fn of(args: &CertificateArgs) -> anyhow::Result<Self> {
        if let (Some(certificate), Some(key)) = (&args.cert, &args.key) {
            let tried = || ExitWith::usage(format!("use the certificate {}", certificate.display()));
            let read = || anyhow::Ok((read(certificate)?, read(key)?));
            let (certificate, key) = read().with_context(tried)?;
            let identity = tls::ServerIdentity::from_pem(&certificate, &key).with_context(tried)?;
            return Ok(Self { identity, authority: Authority::Foreign });
        }
        let (own, identity) = match &args.ca_dir {
            Some(folder) => keep(folder).with_context(|| {
                let help = format!(
                    "remove {CERTIFICATE} and {KEY} there to have a new authority made, which clients have to be told anew"
                );
                ExitWith::usage(format!("keep the certificate authority in {}", folder.display())).help(help)
            })?,
            None => {
                let own = tls::Authority::generate()?;
                let identity = own.identity()?;
                (own, identity)
            }
        };
        if let Some(path) = &args.ca_out {
            fs::write(path, own.certificate_pem()).with_context(|| {
                ExitWith::usage(format!("write the authority's certificate to {}", path.display()))
            })?;
        }
        let file = args.ca_out.clone().or_else(|| Some(args.ca_dir.as_ref()?.join(CERTIFICATE)));
        let authority = match file {
            Some(path) => Authority::Kept(std::path::absolute(&path).unwrap_or(path)),
            None => Authority::Fleeting,
        };
        Ok(Self { identity, authority })
    }
}

/// The authority that the folder holds, or a new one that it holds from now on.
fn keep(folder: &Path) -> anyhow::Result<(tls::Authority, tls::ServerIdentity)> {
    let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
    let own = match (certificate.try_exists()?, key.try_exists()?) {
        (true, true) => tls::Authority::from_pem(&read(&certificate)?, &read(&key)?)?,
        (false, false) => {
            let own = tls::Authority::generate()?;
            fs::create_dir_all(folder)?;
            write_secret(&key, &own.key_pem()).with_context(|| format!("write {}", key.display()))?;
            fs::write(&certificate, own.certificate_pem())
                .with_context(|| format!("write {}", certificate.display()))?;
            own
        }
        (true, false) => return Err(anyhow!("there is a {CERTIFICATE} without its {KEY}")),
        (false, true) => return Err(anyhow!("there is a {KEY} without its {CERTIFICATE}")),
    };
    let identity = own.identity()?;
    Ok((own, identity))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

/// Writes a new file that only its owner may read, where the system knows such a thing.
fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}
