//! `selvedge`, the program: see `selvedge --help`.

fn main() -> std::process::ExitCode {
    selvedge::run(std::env::args_os())
}
