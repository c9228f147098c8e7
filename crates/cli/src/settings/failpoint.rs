//! Stops this process before or after a record of its journal, for whoever wants to kill it there: `cargo xtask
//! crash-matrix`. Only in builds with the feature `failpoints`, which is not in the program that users get.

use selvedge_rollback::journal::failpoint::{Point, install};

/// Heeds `FAILPOINT=before:N` and `FAILPOINT=after:N`, N being the number of a record. Where it stops, the process says
/// so in its log and waits for its end.
#[expect(clippy::disallowed_methods, reason = "the settings read the environment for everybody")]
pub(crate) fn heed() {
    let Ok(wanted) = std::env::var("FAILPOINT") else { return };
    install(move |seq, point| {
        let point = match point {
            Point::Before => "before",
            Point::After => "after",
        };
        if wanted == format!("{point}:{seq}") {
            tracing::error!("stopped at failpoint {wanted}");
            loop {
                std::thread::park();
            }
        }
    });
}
