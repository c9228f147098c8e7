//! From the command line to an exit code.

use std::{
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use clap::Parser as _;
use secrecy::SecretString;
use selvedge_deployment::config::find_root;
use selvedge_observability::telemetry::TelemetryLayer;
use selvedge_rollback::TransactionId;
use selvedge_secrets::SecretStore;

#[cfg(feature = "emulator")]
use crate::commands::deploy::local::Local;
use crate::{
    args::{self, Cli, Command, GlobalArgs, OutputFormat, ReportFormat, Selection, TransactionsAction},
    ci::Job,
    commands::{self, deploy::planned::PlanFile},
    flags::{self, Flags},
    logging,
    output::{self, Format},
    place::quoted,
    redaction,
    report::{ExitWith, report},
    secrets::{self, Secrets, Sources},
    settings::{self, CommandLine, Environment, Settings},
    telemetry::{self, Telling},
};

/// What every command takes: everything that was configured, resolved.
pub(crate) struct App {
    /// The project's folder: paths in settings are relative to it.
    pub(crate) root: PathBuf,
    /// Variables for configuration files, and secrets.
    pub(crate) environment: Environment,
    pub(crate) settings: Settings,
    pub(crate) flags: Flags,
    /// Where secrets come from; asked by [`App::secret`].
    secrets: Secrets,
    /// Ends with the command: what is not told by then is told within seconds, or not at all.
    _telling: Telling,
    /// What this run is called, in logs, traces and its journal: a transaction that it begins has this id.
    pub(crate) run: TransactionId,
    /// The step of a job that it may be.
    pub(crate) job: Arc<Job>,
    /// How results are printed.
    pub(crate) output: Format,
    /// Do not ask.
    pub(crate) yes: bool,
    /// Neither progress nor notes on stderr.
    pub(crate) quiet: bool,
    /// The tenant is an emulated one, and ends with this process.
    pub(crate) local: bool,
    /// Whether to colour stderr.
    pub(crate) color_stderr: bool,
}

/// Runs one command line, the program's name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    redaction::watch_panics();
    #[cfg(feature = "failpoints")]
    settings::failpoint::heed();
    let mut cli = match Cli::try_parse_from(args::with_files(args.into_iter().collect())) {
        Ok(cli) => cli,
        Err(answer) => {
            // --help and --version arrive here too. Where nobody reads the text, the code still says it.
            if let Err(error) = answer.print()
                && error.kind() != io::ErrorKind::BrokenPipe
                && !answer.use_stderr()
            {
                return ExitCode::from(report(&anyhow::Error::from(error).context("write to stdout"), false));
            }
            return u8::try_from(answer.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let color_stderr = cli.global.color.enabled(settings::no_color().as_deref(), io::stderr().is_terminal());
    let job = Arc::new(Job::new(cli.global.ci, &cli.command));
    let (code, error) = match queried(&mut cli).and_then(|()| dispatch(cli, Arc::clone(&job))) {
        Ok(code) => (code, None),
        Err(error) => (report(&error, color_stderr), Some(error)),
    };
    job.finish(error.as_ref(), code);
    ExitCode::from(code)
}

/// Sees to `--query`: what it picks from is JSON.
///
/// # Errors
///
/// The command has no JSON for it.
fn queried(cli: &mut Cli) -> anyhow::Result<()> {
    let Some(query) = cli.global.query.take() else { return Ok(()) };
    let has_none = match &cli.command {
        Command::Completions(_) | Command::Man(_) | Command::ExitCodes | Command::Serve(_) => true,
        #[cfg(feature = "emulator")]
        Command::Emulator(_) => true,
        Command::Health(args) => args.output_file.is_some() || args.output_format == ReportFormat::Text,
        Command::Transactions(args) => matches!(args.action, TransactionsAction::Export(_)),
        _ => false,
    };
    if has_none {
        let with = ExitWith::usage("apply --query").help("leave --query out");
        return Err(anyhow::anyhow!("what is asked for here is not printed as a JSON document").context(with));
    }
    if cli.global.output == Format::Text {
        cli.global.output = Format::Json;
    }
    output::only(query);
    Ok(())
}

/// What was typed, as far as it concerns every command.
struct Typed {
    global: GlobalArgs,
    /// The transaction that it is about.
    about: Option<TransactionId>,
    /// Whether it runs for as long as it is let, so that what it does is not one piece of work.
    is_lasting: bool,
    job: Arc<Job>,
}

/// The transaction that was named, where its whole id was.
fn named(command: &Command) -> Option<TransactionId> {
    let Command::Transactions(args) = command else { return None };
    let id = match &args.action {
        TransactionsAction::Show(of) | TransactionsAction::Resume(of) => &of.id,
        TransactionsAction::Rollback(args) => &args.named.id,
        TransactionsAction::Abandon(args) => &args.named.id,
        TransactionsAction::Export(args) => &args.id,
        _ => return None,
    };
    id.parse().ok()
}

fn dispatch(cli: Cli, job: Arc<Job>) -> anyhow::Result<u8> {
    let Cli { global, command } = cli;
    let is_lasting = matches!(command, Command::Serve(_));
    let global = Typed { global, about: named(&command), is_lasting, job };
    let here = || find_root(Path::new("."));
    let project = |named: Option<&Path>| App::load(named.map_or_else(here, find_root), &global);
    match command {
        Command::Deploy(mut args) => {
            let planned = PlanFile::find(&args.selection)?;
            if let Some(planned) = &planned {
                planned.select(&mut args.selection, &here())?;
            }
            on_product(&global, &args.selection, async |app, config| {
                commands::deploy::run(app, &args, config, planned.as_ref()).await
            })
        }
        Command::Plan(args) => on_product(&global, &args.selection, async |app, config| {
            commands::plan::run(app, &args, config).await
        }),
        Command::Drift(args) => on_product(&global, &args.selection, async |app, config| {
            commands::drift::run(app, &args, config).await
        }),
        Command::Workspaces(args) => {
            let mut app = project(args.project.as_deref())?;
            if args.json {
                app.output = Format::Json;
            }
            runtime()?.block_on(commands::workspaces::run(&app, &args))
        }
        Command::Onboard(args) => {
            let mut app = project(args.project.as_deref())?;
            if args.json {
                app.output = Format::Json;
            }
            runtime()?.block_on(commands::onboard::run(&app, &args))
        }
        Command::Items(args) => {
            let mut app = project(args.project.as_deref())?;
            if args.json {
                app.output = Format::Json;
            }
            runtime()?.block_on(commands::items::run(&app, &args))
        }
        Command::Folders(args) => {
            let mut app = project(args.project.as_deref())?;
            if args.json {
                app.output = Format::Json;
            }
            runtime()?.block_on(commands::folders::run(&app, &args))
        }
        Command::Git(args) => {
            let mut app = project(args.project.as_deref())?;
            if args.json || args.output_format == Some(OutputFormat::Json) {
                app.output = Format::Json;
            }
            runtime()?.block_on(commands::git::run(&app, &args.action))
        }
        Command::Promote(args) => {
            let mut app = project(args.project.as_deref())?;
            if args.json {
                app.output = Format::Json;
            }
            runtime()?.block_on(commands::promote::run(&app, &args))
        }
        Command::Transactions(args) => {
            let app = project(args.project.as_deref())?;
            runtime()?.block_on(commands::transactions::run(&app, &args))
        }
        Command::Audit(args) => {
            let app = project(args.project.as_deref())?;
            commands::audit::run(&app, &args.action)
        }
        Command::Lock(args) => {
            let app = project(args.project.as_deref())?;
            runtime()?.block_on(commands::lock::run(&app, &args))
        }
        Command::Secrets(args) => {
            let app = project(args.project.as_deref())?;
            runtime()?.block_on(commands::secrets::run(&app, &args))
        }
        Command::Doctor(args) => {
            let app = project(args.project.as_deref())?;
            runtime()?.block_on(commands::doctor::run(&app, &args))
        }
        Command::Health(args) => {
            let app = project(args.project.as_deref())?;
            runtime()?.block_on(commands::health::run(&app, &args))
        }
        Command::Serve(args) => commands::serve::run(project(args.project.as_deref())?, &args),
        Command::Flags => commands::flags::run(&project(None)?),
        // What the program tells of itself: no setting has a say, and no file is read.
        Command::Explain(args) => commands::explain::run(&args, global.global.output),
        Command::Schema(args) => commands::schema::run(args.of),
        Command::Completions(args) => commands::completions::run(args.shell),
        Command::Man(args) => commands::man::run(&args),
        Command::ExitCodes => commands::explain::exit_codes(),
        #[cfg(feature = "emulator")]
        Command::Emulator(args) => commands::emulator::run(&project(None)?, &args),
    }
}

/// Runs a command about a product, against Fabric or the emulator in this process.
fn on_product(
    global: &Typed,
    selection: &Selection,
    command: impl AsyncFnOnce(&App, PathBuf) -> anyhow::Result<u8>,
) -> anyhow::Result<u8> {
    let (config, root) = commands::deploy::prepare::config_file(selection)?;
    #[cfg(feature = "emulator")]
    if selection.local {
        let local = Local::new(&selection.inject)?;
        let mut app =
            App::load_adjusted(root, global, |environment| local.adjust(environment), local.settings())?;
        app.local = true;
        return runtime()?.block_on(async {
            local.serve()?;
            command(&app, config).await
        });
    }
    let app = App::load(root, global)?;
    runtime()?.block_on(command(&app, config))
}

/// The runtime that requests run on, built by the commands that send some.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")
}

impl App {
    /// What to type, from here, to do `verb` with a transaction of this project.
    pub(crate) fn transactions(&self, verb: &str, id: TransactionId) -> String {
        self.command(&format!("transactions {verb} {id}"))
    }

    /// What to type, from here, to run a command on this project.
    pub(crate) fn command(&self, words: &str) -> String {
        let command = format!("selvedge {words}");
        if self.root == find_root(Path::new(".")) {
            return command;
        }
        format!("{command} --project {}", quoted(&self.root.display().to_string()))
    }

    /// Where secrets come from, as flags and settings say.
    ///
    /// # Errors
    ///
    /// When a setting is missing or does not make sense.
    pub(crate) async fn secrets(&self) -> anyhow::Result<&dyn SecretStore> {
        Ok(&**self.secrets.store(&self.sources()).await?)
    }

    /// What secrets are had from.
    pub(crate) fn sources(&self) -> Sources<'_> {
        let Self { root, settings, flags, environment, .. } = self;
        Sources { root, settings, flags, environment }
    }

    /// A secret, by the name of its variable. `None`: there is none.
    ///
    /// # Errors
    ///
    /// Whatever keeps the one that may be there from us.
    pub(crate) async fn secret(&self, variable: &str) -> anyhow::Result<Option<SecretString>> {
        secrets::find(self.secrets().await?, self.sources().falls_back(), variable).await
    }

    /// Reads the settings of the project at `root` and starts logging.
    fn load(root: PathBuf, global: &Typed) -> anyhow::Result<Self> {
        Self::load_adjusted(root, global, |environment| environment, Vec::new())
    }

    /// The same, with other variables and settings above those of the project.
    fn load_adjusted(
        root: PathBuf,
        Typed { global, about, is_lasting, job }: &Typed,
        adjust: impl FnOnce(Environment) -> Environment,
        mut command_line: Vec<CommandLine>,
    ) -> anyhow::Result<Self> {
        let tried = || ExitWith::usage("load the settings");
        let environment = adjust(Environment::read(&root).with_context(tried)?);
        let unprotected = redaction::register(&environment);
        let debug = environment.find("DEBUG").is_some_and(|(value, _)| flags::is_true(value));
        command_line.extend(log_level(global.verbose, debug));
        command_line.extend(global.ci.map(|choice| CommandLine {
            option: "--ci",
            key: "log.ci",
            value: choice.name().to_owned(),
        }));
        let flags = Flags::parse(&environment)?;
        let profile = flags.stage.profile();
        let settings = settings::load(&root, &environment, &command_line, profile).with_context(tried)?;

        job.choose(settings.log.ci);

        let run = TransactionId::generate();
        let (telling, layer, untold) =
            telemetry::start(&settings, &flags, &environment, (!is_lasting).then_some(run));
        // What names this run elsewhere: its trace, or the transaction that it is about.
        let trace = layer.as_ref().and_then(TelemetryLayer::trace_id);
        let correlation = trace.unwrap_or_else(|| about.unwrap_or(run).to_string());
        logging::init(
            &settings.log,
            logging::Run { correlation, environment: settings.environment.clone() },
            layer,
        )?;
        flags::warn_all(&unprotected);
        flags::warn_all(untold.as_slice());
        flags::warn_all(&flags.warnings(&environment));
        flags::warn_all(&settings::file_warnings(&root, &environment));
        if debug {
            flags.log();
        }
        tracing::debug!(root = %root.display(), ?settings, "settings resolved");

        Ok(Self {
            root,
            environment,
            settings,
            flags,
            secrets: Secrets::default(),
            _telling: telling,
            run,
            job: Arc::clone(job),
            output: global.output,
            yes: global.yes,
            quiet: global.quiet,
            local: false,
            color_stderr: global.color.enabled(settings::no_color().as_deref(), io::stderr().is_terminal()),
        })
    }
}

/// The log level by `-v`, or by the predecessor's `DEBUG=true`, which beats LOG_LEVEL: it asks to see more.
fn log_level(verbose: u8, debug: bool) -> Option<CommandLine> {
    let (option, value) = match verbose {
        0 if !debug => return None,
        0 => ("DEBUG=true", "debug"),
        1 => ("--verbose", "info"),
        2 => ("--verbose", "debug"),
        _ => ("--verbose", "trace"),
    };
    Some(CommandLine { option, key: "log.level", value: value.to_owned() })
}
