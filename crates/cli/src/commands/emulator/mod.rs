//! `selvedge emulator`: serves the emulator on this machine until it is told to stop.

mod certificate;
mod data;
mod ready;
mod seed;

use std::{fs::File, io, net::SocketAddr};

use anyhow::{Context as _, anyhow, ensure};
use selvedge_fabric_emulator::{Config, Emulator, tls::ServerIdentity};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    args::EmulatorArgs,
    exit,
    output::{self, Format},
    report::ExitWith,
    run::App,
    signal,
};
use certificate::Certificate;
use ready::Ready;

/// Serves until SIGINT or SIGTERM, or as long as standard input lasts where that was asked for; requests under way are answered.
///
/// # Errors
/// An address is not this machine's own or is taken, the seed, the data or the certificate is unusable, or a server
/// breaks.
pub(crate) fn run(app: &App, args: &EmulatorArgs) -> anyhow::Result<u8> {
    let http = args.http();
    for address in http.iter().chain(&args.https) {
        loopback(*address)?;
    }
    let config = args.rules.config();
    let credentials = [
        ("AZURE_TENANT_ID", config.tenant.clone()),
        ("AZURE_CLIENT_ID", config.client_id.clone()),
        ("AZURE_CLIENT_SECRET", config.client_secret.clone()),
    ];
    let emulator = populated(args, config)?;
    if let Some(path) = &args.request_log {
        let file = File::create(path)
            .with_context(|| ExitWith::usage(format!("write the request log to {}", path.display())))?;
        emulator.write_requests_to(file);
    }
    let certificate = if args.https.is_empty() { None } else { Some(Certificate::of(&args.certificate)?) };
    let servers = Servers {
        emulator: emulator.clone(),
        http,
        https: args.https.clone(),
        certificate,
        stops_with_stdin: args.exit_on_stdin_eof,
    };
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(servers.run(credentials, app.output));
    // However it ended: what clients have made is theirs.
    let kept = args.data.as_ref().map_or(Ok(()), |path| data::keep(&emulator, path));
    let code = ended?;
    kept?;
    Ok(code)
}

/// An emulator with the tenant that is asked for.
fn populated(args: &EmulatorArgs, config: Config) -> anyhow::Result<Emulator> {
    let mut emulator = Emulator::new(config);
    if let Some(path) = &args.data
        && let Some(kept) = data::read(path)?
    {
        emulator.restore(&kept);
        emulator.start_here();
        return Ok(emulator);
    }
    if !args.empty {
        emulator = emulator.with_demo_tenant();
    }
    if let Some(path) = &args.seed {
        let tried = || ExitWith::usage(format!("seed the emulator from {}", path.display()));
        emulator.plant(seed::read(path).with_context(tried)?).with_context(tried)?;
        emulator.start_here();
    }
    if let Some(path) = &args.data {
        // Now, and not when there is something to lose: can it be written there?
        data::keep(&emulator, path).with_context(|| ExitWith::usage("begin to keep a tenant"))?;
    }
    Ok(emulator)
}

fn loopback(address: SocketAddr) -> anyhow::Result<()> {
    let problem =
        || anyhow!("{address} can be reached from other machines, and the emulator's credentials are public");
    ensure!(
        address.ip().is_loopback(),
        problem().context(
            ExitWith::usage("listen on a loopback address").help("use an address of 127.0.0.0/8 or [::1]")
        )
    );
    Ok(())
}

/// One emulator and where it is to be reached.
struct Servers {
    emulator: Emulator,
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    /// There is one if anything is to be reached by https.
    certificate: Option<Certificate>,
    /// Whether the end of standard input is a reason to stop.
    stops_with_stdin: bool,
}

impl Servers {
    async fn run(self, credentials: [(&'static str, String); 3], format: Format) -> anyhow::Result<u8> {
        let stop = watch::Sender::new(());
        let stopped = || {
            let mut stopped = stop.subscribe();
            // That there is nobody left to say so means the same.
            async move { drop(stopped.changed().await) }
        };
        let mut ready = Ready::new(credentials);
        let mut servers = JoinSet::new();
        for address in self.http {
            let (listener, at) = bind(address).await?;
            ready.http.push(format!("http://{at}"));
            servers.spawn(self.emulator.clone().serve(listener, stopped()));
        }
        if let Some(Certificate { identity, authority }) = self.certificate {
            ready.authority = authority;
            for address in self.https {
                let (listener, at) = bind(address).await?;
                ready.https.push(format!("https://{at}"));
                let identity = ServerIdentity::clone(&identity);
                servers.spawn(self.emulator.clone().serve_tls(listener, identity, stopped()));
            }
        }
        // Before the ready line: whoever waits for it may send a signal at once.
        let signal = signal::stop().context("listen to signals")?;
        if self.stops_with_stdin {
            stop_with_stdin(stop.clone()).context("watch standard input")?;
        }
        output::exactly(&ready.render(format))?;
        tokio::spawn(async move {
            signal.await;
            stop.send_replace(());
        });
        while let Some(ended) = servers.join_next().await {
            ended.map_err(anyhow::Error::from).and_then(|ended| Ok(ended?)).context("serve the emulator")?;
        }
        Ok(exit::DONE)
    }
}

/// Stops the servers when standard input ends. What comes on it is thrown away; an input that cannot be read has ended.
///
/// # Errors
/// No thread can be started.
fn stop_with_stdin(stop: watch::Sender<()>) -> io::Result<()> {
    // Not one of the runtime's threads: it would wait for this one, which may read until the process ends.
    let thread = std::thread::Builder::new().name("stdin".to_owned());
    thread
        .spawn(move || {
            let read = io::copy(&mut io::stdin().lock(), &mut io::sink());
            tracing::debug!(?read, "standard input has ended");
            stop.send_replace(());
        })
        .map(drop)
}

async fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        ExitWith::usage(format!("listen on {address}")).help("choose another port; 0 takes any that is free")
    })?;
    let at = listener.local_addr().context("read the address listened on")?;
    Ok((listener, at))
}
