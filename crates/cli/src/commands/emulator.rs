//! `selvedge emulator`: serves the emulator on this machine until it is told to stop.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context as _, anyhow};
use selvedge_fabric_emulator::{Config, Emulator};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::{
    args::EmulatorArgs,
    exit,
    output::{self, Format},
    report::ExitWith,
    run::App,
    signal,
};

/// Serves until SIGINT or SIGTERM; requests under way are answered.
///
/// # Errors
/// The address is not this machine's own or is taken, the seed is unusable, or the server breaks.
pub(crate) fn run(app: &App, args: &EmulatorArgs) -> anyhow::Result<u8> {
    let mut address = args.listen;
    address.set_port(args.port.unwrap_or(address.port()));
    if !address.ip().is_loopback() {
        let problem = anyhow!(
            "{address} can be reached from other machines, and the emulator's credentials are public"
        );
        let help = "use an address of 127.0.0.0/8 or [::1]";
        return Err(problem.context(ExitWith::usage("listen on a loopback address").help(help)));
    }
    let config = Config {
        page_size: args.page_size.map(Into::into),
        operation_duration: args.operation_duration,
        chaos: args.chaos.clone(),
        ..Config::default()
    };
    let credentials = [
        ("AZURE_TENANT_ID", config.tenant.clone()),
        ("AZURE_CLIENT_ID", config.client_id.clone()),
        ("AZURE_CLIENT_SECRET", config.client_secret.clone()),
    ];
    let mut emulator = Emulator::new(config);
    if !args.empty {
        emulator = emulator.with_demo_tenant();
    }
    if let Some(path) = &args.seed {
        seed(&emulator, path)
            .with_context(|| ExitWith::usage(format!("seed the emulator from {}", path.display())))?;
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(serve(emulator, address, credentials, app.output))
}

fn seed(emulator: &Emulator, path: &Path) -> anyhow::Result<()> {
    let world: Value = serde_json::from_slice(&fs::read(path)?)?;
    Ok(emulator.seed(&world)?)
}

async fn serve(
    emulator: Emulator,
    address: SocketAddr,
    credentials: [(&str, String); 3],
    format: Format,
) -> anyhow::Result<u8> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        ExitWith::usage(format!("listen on {address}"))
            .help("choose another port with --port; 0 takes any that is free")
    })?;
    let url = format!("http://{}", listener.local_addr().context("read the address listened on")?);
    // Before the ready line: whoever waits for it may send a signal at once.
    let stop = signal::stop().context("listen to signals")?;
    output::line(&ready(&url, credentials, format))?;
    emulator.serve(listener, stop).await.context("serve the emulator")?;
    Ok(exit::DONE)
}

/// What a client needs to know.
fn ready(url: &str, credentials: [(&str, String); 3], format: Format) -> String {
    let variables = [
        ("FABRIC_API_BASE_URL", format!("{url}/v1")),
        ("GRAPH_API_BASE_URL", format!("{url}/v1.0")),
        ("AZURE_LOGIN_BASE_URL", url.to_owned()),
    ]
    .into_iter()
    .chain(credentials);
    match format {
        Format::Text => {
            let exports: Vec<String> =
                variables.map(|(name, value)| format!("export {name}={value}")).collect();
            format!(
                "Microsoft Fabric, Entra ID and Microsoft Graph are emulated at {url} until Ctrl-C.\n\
                 In the shell that is to use them:\n\n{}",
                exports.join("\n")
            )
        }
        Format::Json | Format::Jsonl => {
            let environment: Map<String, Value> =
                variables.map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
            json!({ "ready": true, "url": url, "environment": environment }).to_string()
        }
    }
}
