//! Faults in their one-line syntax, as [`super::parse`] reads them.

use std::fmt::{Display, Formatter, Result};

use super::Fault;
use super::action::{Action, Effect, Ending, Substitute};
use super::edit::{Body, Casing, Edit, RetryAfter};
use crate::duration::write as time;

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}={}", self.pattern, self.action)?;
        if self.skip > 0 {
            write!(f, ",skip={}", self.skip)?;
        }
        if let Some(times) = self.times {
            write!(f, ",times={times}")?;
        }
        if let Some(lasts) = self.lasts {
            write!(f, ",for={}", time(lasts))?;
        }
        Ok(())
    }
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Instead { effect: Effect::Nothing, answer: Substitute::Reset } => {
                f.write_str("reset-before")
            }
            Self::Instead { effect: Effect::Whole, answer: Substitute::Reset } => f.write_str("reset-after"),
            Self::Instead { effect, answer } => write!(f, "{effect}{answer}"),
            Self::Operation { effect, ending } => write!(f, "{effect}{ending}"),
            Self::AsOperation => f.write_str("as-operation"),
            Self::AtOnce => f.write_str("at-once"),
            Self::Latency(latency) => write!(f, "latency:{}", time(*latency)),
            Self::Throttle(window) => write!(f, "throttle:{}", time(*window)),
            Self::TokenExpired => f.write_str("token-expired"),
            Self::Capacities { active: false } => f.write_str("capacity-paused"),
            Self::Capacities { active: true } => f.write_str("capacity-resumed"),
            Self::Lag(lag) => write!(f, "lag:{}", time(*lag)),
            Self::Twice => f.write_str("twice"),
            Self::ContinuationRejected => f.write_str("continuation-rejected"),
            Self::Edit(edit) => edit.write(f, ':'),
            Self::Bandwidth(rate) => write!(f, "bandwidth:{rate}"),
            Self::Cut { after, reset: false } => write!(f, "cut:{after}"),
            Self::Cut { after, reset: true } => write!(f, "cut:{after},end=reset"),
            Self::ContentLength(more) => write!(f, "content-length:+{more}"),
        }
    }
}

impl Display for Effect {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Whole => f.write_str("effect+"),
            Self::Partial => f.write_str("partial+"),
            Self::Late(by) => write!(f, "late:{}+", time(*by)),
        }
    }
}

impl Display for Substitute {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Error { status, edits } => {
                write!(f, "{status}")?;
                edits.iter().try_for_each(|edit| {
                    f.write_str(",")?;
                    edit.write(f, '=')
                })
            }
            Self::Redirect(to) => write!(f, "redirect:{to}"),
            Self::Reset => f.write_str("reset"),
            Self::Garbage => f.write_str("garbage"),
            Self::Silence => f.write_str("silence"),
        }
    }
}

impl Display for Ending {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Fails => f.write_str("operation-fails"),
            Self::Hangs => f.write_str("operation-hangs"),
            Self::Status(status) => write!(f, "operation-ends:{status}"),
            Self::NoResult => f.write_str("operation-no-result"),
            Self::EmptyResult => f.write_str("operation-empty-result"),
        }
    }
}

impl Edit {
    /// Name and value: `code=X` after a status, `code:X` on its own.
    fn write(&self, f: &mut Formatter<'_>, is: char) -> Result {
        match self {
            Self::Code(code) => write!(f, "code{is}{code}"),
            Self::Retriable(Some(retriable)) => write!(f, "retriable{is}{retriable}"),
            Self::Retriable(None) => write!(f, "retriable{is}absent"),
            Self::RetryAfter(value) => write!(f, "retry-after{is}{value}"),
            Self::RetryAfterMs(millis) => write!(f, "retry-after-ms{is}{millis}"),
            Self::XMsRetryAfterMs(millis) => write!(f, "x-ms-retry-after-ms{is}{millis}"),
            Self::Until(rest) => write!(f, "until{is}{}", time(*rest)),
            Self::Body(body) => write!(f, "body{is}{}", body.name()),
            Self::NoLocation => f.write_str("no-location"),
            Self::ForeignLocation => f.write_str("foreign-location"),
            Self::OwnLocation => f.write_str("own-location"),
            Self::NoOperationId => f.write_str("no-operation-id"),
            Self::EmptyAccepted => f.write_str("empty-202"),
            Self::Status(status) => write!(f, "status{is}{status}"),
            Self::Casing(Casing::Lower) => write!(f, "casing{is}lower"),
            Self::Casing(Casing::Upper) => write!(f, "casing{is}upper"),
            Self::UnknownFields => f.write_str("unknown-fields"),
            Self::Nulls => f.write_str("nulls"),
            Self::GzipEmpty => f.write_str("gzip-empty"),
            Self::HideServicePrincipals => f.write_str("hide-service-principals"),
            Self::ForeignContinuation => f.write_str("foreign-continuation"),
            Self::Challenge(resource) => write!(f, "challenge{is}{resource}"),
            Self::OverlappingPages => f.write_str("overlapping-pages"),
        }
    }
}

impl Display for RetryAfter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Seconds(seconds) => seconds.fmt(f),
            Self::Date(seconds) => write!(f, "date{seconds:+}s"),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Body {
    pub(super) const ALL: [Self; 7] =
        [Self::Empty, Self::Null, Self::Object, Self::Html, Self::Truncated, Self::NoCode, Self::Echo];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Null => "null",
            Self::Object => "object",
            Self::Html => "html",
            Self::Truncated => "truncated",
            Self::NoCode => "no-code",
            Self::Echo => "echo",
        }
    }
}
