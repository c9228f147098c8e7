//! Where the files came from that are deployed, as Git says.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use selvedge_observability::audit::GitContext;

use crate::run::App;

/// So long Git is waited for. A deployment does not hang because a repository is on a disk that does.
const AT_MOST: Duration = Duration::from_secs(3);

/// What is to be asked, once there is a first record.
#[derive(Clone, Default)]
pub(super) struct Question {
    root: PathBuf,
    /// Who runs this, where Git does not say.
    user: Option<String>,
}

impl Question {
    pub(super) fn of(app: &App) -> Self {
        let user = app.environment.set("USER").or_else(|| app.environment.set("USERNAME"));
        Self { root: app.root.clone(), user: user.map(str::to_owned) }
    }

    /// Asks. What Git does not say is `unknown`.
    pub(super) fn ask(&self) -> GitContext {
        let (told, answer) = mpsc::channel();
        let question = self.clone();
        // Left alone where it takes too long.
        std::thread::spawn(move || drop(told.send(question.answer())));
        let unanswered = || GitContext { user: self.user(), ..GitContext::default() };
        answer.recv_timeout(AT_MOST).unwrap_or_else(|_| unanswered())
    }

    fn answer(&self) -> GitContext {
        let unknown = GitContext::default();
        // Two answers for one process.
        let head = self.git(&["rev-parse", "HEAD", "--abbrev-ref", "HEAD"]).unwrap_or_default();
        let mut head = head.lines().map(str::to_owned);
        GitContext {
            commit: head.next().unwrap_or(unknown.commit),
            branch: head.next().unwrap_or(unknown.branch),
            user: self.git(&["config", "user.name"]).unwrap_or_else(|| self.user()),
        }
    }

    fn user(&self) -> String {
        self.user.clone().unwrap_or(GitContext::default().user)
    }

    /// What Git prints. Nothing that the repository configures is run.
    fn git(&self, args: &[&str]) -> Option<String> {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.root).args(["-c", "core.fsmonitor=false"]).args(args);
        let output = git.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_asked_about_the_project_whatever_is_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let question = Question { root: folder.path().into(), user: Some("whoever".into()) };
        let git = |args: &[&str]| {
            let mut git = Command::new("git");
            git.arg("-C").arg(folder.path()).args(args).stdout(Stdio::null()).stderr(Stdio::null());
            assert!(git.status().unwrap().success(), "{args:?}");
        };
        git(&["init", "--initial-branch", "feature/x"]);
        git(&["config", "user.name", "Jo Doe"]);
        let before = question.ask();
        assert_eq!((&*before.commit, &*before.branch, &*before.user), ("unknown", "unknown", "Jo Doe"));
        git(&["-c", "user.email=jo@contoso.example", "commit", "--allow-empty", "--no-gpg-sign", "-m", "x"]);
        let told = question.ask();
        assert!(told.commit.len() >= 40 && told.commit.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!((&*told.branch, &*told.user), ("feature/x", "Jo Doe"));
        git(&["checkout", "--detach"]);
        assert_eq!(question.ask().branch, "HEAD");
    }
}
