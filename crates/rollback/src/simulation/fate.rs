//! What becomes of one call: whether it is carried out, when, and what its sender hears of it.

use std::time::Duration;

use super::request::Ask;
use super::scenario::limits;
use super::world::World;
use crate::Reach;

/// What becomes of a call.
pub(super) struct Fate {
    /// When it is carried out, from now; `None`: never.
    pub(super) lands: Option<Duration>,
    /// When its sender hears of it, from now.
    pub(super) answered: Duration,
    /// What its sender hears instead of the truth.
    pub(super) trouble: Option<Heard>,
}

/// What becomes of a put to the object store.
pub(super) struct PutFate {
    /// When it is carried out, from now, each time.
    pub(super) lands: Vec<Duration>,
    /// When its sender hears of it, from now. Without trouble, what came of it the last time.
    pub(super) answered: Duration,
    /// What its sender hears instead of the truth.
    pub(super) trouble: Option<&'static str>,
}

impl PutFate {
    /// Carried out and answered without any time passing.
    pub(super) fn at_once() -> Self {
        Self { lands: vec![Duration::ZERO], answered: Duration::ZERO, trouble: None }
    }
}

/// What the sender of a failed call hears.
#[derive(Clone, Copy)]
pub(super) struct Heard {
    pub(super) text: &'static str,
    pub(super) reach: Reach,
    pub(super) resend_after: Option<Duration>,
}

impl World {
    /// The fate of a call that writes.
    pub(super) fn fate_of_write(&mut self, ask: &Ask) -> Fate {
        let trip = Duration::from_millis(5) + self.dice.time(Duration::from_millis(400));
        let early = trip / 2;
        let rate = self.scenario.rate;
        if self.calm || !self.dice.chance(rate) {
            return Fate { lands: Some(early), answered: trip, trouble: None };
        }
        if self.dice.chance(0.1) {
            self.count("a write takes long");
            let answered = self.dice.time(limits::TIMEOUT);
            return Fate { lands: Some(self.dice.time(answered)), answered, trouble: None };
        }
        let happened = self.dice.chance(0.5).then_some(early);
        let again = self.dice.chance(0.5).then_some(Duration::ZERO);
        let wait = Some(Duration::from_secs(self.dice.pick(0..120).into()));
        // Where two of a name can stand side by side, what may still land must not be sent again.
        let stands_alone = self.scenario.unique && !matches!(ask, Ask::Publish);
        let unanswered = again.filter(|_| stands_alone);
        // What is made as an operation has its own fate: see `Sim::start`.
        let kinds = if ask.puts_back() { 10 } else { 9 };
        let (text, lands, reach, resend_after) = match self.dice.pick(0..kinds) {
            0 => ("no connection", None, Reach::Unsent, again),
            1 => ("timeout", happened, Reach::Unanswered, unanswered),
            2 => {
                let late = limits::TIMEOUT + self.dice.time(limits::UNANSWERED);
                ("timeout, and it lands late", Some(late), Reach::Unanswered, unanswered)
            }
            3 => ("connection reset", happened, Reach::Unanswered, unanswered),
            4 => ("429 with a wait", None, Reach::PutOff, wait),
            // The one look before the next sending must be able to see it: the engine says so of `PutOff`.
            5 => (
                "429 after it was done",
                Some(early),
                Reach::PutOff,
                wait.max(Some(limits::LATE + limits::LAG)),
            ),
            6 => ("500", happened, Reach::Sent, again),
            7 => ("garbage", happened, Reach::Sent, None),
            8 => ("403", None, Reach::Sent, None),
            _ => {
                let late = trip + self.dice.time(limits::UNANSWERED);
                ("accepted, and its end is not seen", Some(late), Reach::Pending, again)
            }
        };
        self.count(text);
        let answered = if text.starts_with("timeout") { limits::TIMEOUT } else { trip };
        Fate { lands, answered, trouble: Some(Heard { text, reach, resend_after }) }
    }

    /// The fate of a put to the object store.
    pub(super) fn fate_of_put(&mut self) -> PutFate {
        let answered = Duration::from_millis(2) + self.dice.time(Duration::from_millis(60));
        let (early, rate) = (answered / 2, self.scenario.store_rate);
        if self.calm || !self.dice.chance(rate) {
            return PutFate { lands: vec![early], answered, trouble: None };
        }
        let times_out = self.dice.chance(0.3);
        let fails = if times_out { limits::TIMEOUT } else { answered };
        let (text, lands, answered, fails) = match self.dice.pick(0..4) {
            0 => ("a put did not arrive", vec![], fails, true),
            1 => ("the answer to a put is lost", vec![early], fails, true),
            2 => {
                let late = fails + self.dice.time(limits::UNDER_WAY);
                ("a put comes late", vec![late], fails, true)
            }
            _ => ("a put comes twice", vec![early / 2, early], answered, false),
        };
        self.count(text);
        PutFate { lands, answered, trouble: fails.then_some(text) }
    }

    /// How long a look into the object store takes, and why it fails.
    pub(super) fn fate_of_look(&mut self) -> (Duration, Option<&'static str>) {
        let takes = Duration::from_millis(2) + self.dice.time(Duration::from_millis(40));
        let rate = self.scenario.store_rate;
        if self.calm || !self.dice.chance(rate) {
            return (takes, None);
        }
        let text = "the store cannot be read";
        self.count(text);
        (if self.dice.chance(0.3) { limits::TIMEOUT } else { takes }, Some(text))
    }

    /// The fate of a call that reads: it lands when it looks.
    pub(super) fn fate_of_read(&mut self) -> Fate {
        let trip = Duration::from_millis(5) + self.dice.time(Duration::from_millis(200));
        let rate = self.scenario.rate;
        if !self.calm && self.dice.chance(rate / 4.0) {
            self.count("a read takes long");
            let answered = self.dice.time(limits::TIMEOUT);
            return Fate { lands: Some(self.dice.time(answered)), answered, trouble: None };
        }
        let trouble = (!self.calm && self.dice.chance(rate)).then(|| {
            let wait = Some(Duration::from_secs(self.dice.pick(0..60).into()));
            let (text, resend_after) = match self.dice.pick(0..4) {
                0 => ("a read timed out", Some(Duration::ZERO)),
                1 => ("a read was put off", wait),
                2 => ("a read found garbage", None),
                _ => ("a read failed in passing", Some(Duration::ZERO)),
            };
            self.count(text);
            Heard { text, reach: Reach::Unsent, resend_after }
        });
        Fate { lands: Some(trip / 2), answered: trip, trouble }
    }
}
