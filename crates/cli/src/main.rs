//! `selvedge`, the program: see `selvedge --help`.

mod args;
mod commands;
mod exit;
mod flags;
mod logging;
mod output;
mod render;
mod report;
mod run;
mod settings;
mod signal;
mod stack;
mod text;

fn main() -> std::process::ExitCode {
    run::run(std::env::args_os())
}
