//! The span that a process is part of: <https://www.w3.org/TR/trace-context/#traceparent-header>.

use opentelemetry::trace::{SpanId, TraceId};

/// The ids of the span outside; `None` for what is none.
pub(super) fn parse(text: &str) -> Option<(TraceId, SpanId)> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    // Later versions may say more after it.
    let is_known = version != "00" || parts.next().is_none();
    if !(is_known && version != "ff" && is_hex(version, 2) && is_hex(flags, 2)) {
        return None;
    }
    if !(is_hex(trace, 32) && is_hex(span, 16)) {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    (trace != TraceId::INVALID && span != SpanId::INVALID).then_some((trace, span))
}

/// A trace's id; `None` for what is none.
pub(super) fn trace(text: &str) -> Option<TraceId> {
    TraceId::from_hex(text).ok().filter(|trace| text.len() == 32 && *trace != TraceId::INVALID)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_trace_and_what_is_none() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace(TRACE).unwrap().to_string(), TRACE);
        for text in ["", "0af7", "00000000000000000000000000000000", "not-a-trace-not-a-trace-not-a-tr"] {
            assert_eq!(trace(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_a_parent_and_what_is_none() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        const SPAN: &str = "b7ad6b7169203331";
        for (text, fine) in [
            (format!("00-{TRACE}-{SPAN}-01"), true),
            (format!(" 00-{TRACE}-{SPAN}-00\n"), true),
            (format!("cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"), true),
            (format!("00-{TRACE}-{SPAN}-01-more"), false),
            (format!("ff-{TRACE}-{SPAN}-01"), false),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), false),
            (format!("00-{}-{SPAN}-01", "0".repeat(32)), false),
            (format!("00-{TRACE}-{}-01", "0".repeat(16)), false),
            (format!("00-{TRACE}-{SPAN}"), false),
            (format!("00-{TRACE}-+{}-01", &SPAN[1..]), false),
            (String::new(), false),
        ] {
            assert_eq!(parse(&text).is_some(), fine, "{text:?}");
        }
    }
}
