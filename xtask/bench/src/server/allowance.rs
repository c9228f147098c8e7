//! How many requests a server takes, and how long those who ask for more are told to wait.

use std::{str::FromStr, time::Duration};

use anyhow::Context;

/// What a server takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Allowance {
    /// A bucket of `burst` tokens at first and at most, into which `rate` tokens a second drip.
    Bucket {
        /// Tokens a second.
        rate: f64,
        /// Tokens at most.
        burst: f64,
    },
    /// So many requests in each window. A window begins with the first request after the end of the last one.
    Window {
        /// Requests in one window.
        calls: f64,
        /// How long a window is.
        length: Duration,
    },
}

/// What is left of an [`Allowance`]. Times are since any fixed moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meter {
    allowance: Allowance,
    left: f64,
    /// Bucket: as of when. Window: since when.
    at: Duration,
}

impl Allowance {
    /// The least time in which `calls` requests can be taken, those of the burst or of the first window at once.
    pub(crate) fn ideal(self, calls: f64) -> Duration {
        match self {
            Self::Bucket { rate, burst } => Duration::from_secs_f64(((calls - burst) / rate).max(0.0)),
            Self::Window { calls: each, length } => length.mul_f64(((calls / each).ceil() - 1.0).max(0.0)),
        }
    }

    /// As [`FromStr`] reads it.
    pub(crate) fn argument(self) -> String {
        match self {
            Self::Bucket { rate, burst } => format!("bucket:{rate}:{burst}"),
            Self::Window { calls, length } => format!("window:{calls}:{}", length.as_secs_f64()),
        }
    }
}

impl FromStr for Allowance {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.split(':');
        let kind = parts.next().unwrap_or_default();
        let mut number = || -> anyhow::Result<f64> { Ok(parts.next().context("too short")?.parse()?) };
        match kind {
            "bucket" => Ok(Self::Bucket { rate: number()?, burst: number()? }),
            "window" => {
                Ok(Self::Window { calls: number()?, length: Duration::try_from_secs_f64(number()?)? })
            }
            _ => anyhow::bail!("neither bucket:RATE:BURST nor window:CALLS:SECONDS"),
        }
    }
}

impl Meter {
    pub(super) fn new(allowance: Allowance) -> Self {
        let left = match allowance {
            Allowance::Bucket { burst, .. } => burst,
            Allowance::Window { .. } => 0.0,
        };
        Self { allowance, left, at: Duration::ZERO }
    }

    /// Takes one request.
    ///
    /// # Errors
    ///
    /// With the time until the next one can be taken.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        match self.allowance {
            Allowance::Bucket { rate, burst } => {
                let dripped = now.saturating_sub(self.at).as_secs_f64() * rate;
                self.left = (self.left + dripped).min(burst);
                self.at = now;
            }
            Allowance::Window { calls, length } => {
                // The window of no request at all is over from the beginning.
                if self.at.is_zero() || now >= self.at + length {
                    (self.left, self.at) = (calls, now);
                }
            }
        }
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        Err(match self.allowance {
            Allowance::Bucket { rate, .. } => Duration::from_secs_f64((1.0 - self.left) / rate),
            Allowance::Window { length, .. } => (self.at + length).saturating_sub(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const BUCKET: Allowance = Allowance::Bucket { rate: 2.0, burst: 3.0 };
    const WINDOW: Allowance = Allowance::Window { calls: 3.0, length: Duration::from_secs(6) };

    /// How many are taken at once, and what the next one is told.
    fn drain(meter: &mut Meter, now: Duration) -> (u32, Duration) {
        let mut taken = 0;
        loop {
            match meter.take(now) {
                Ok(()) => taken += 1,
                Err(wait) => return (taken, wait),
            }
        }
    }

    #[test]
    fn a_bucket_drips_up_to_its_burst() {
        let mut meter = Meter::new(BUCKET);
        assert_eq!(drain(&mut meter, SECOND), (3, SECOND / 2));
        assert_eq!(drain(&mut meter, SECOND * 2), (2, SECOND / 2));
        assert_eq!(drain(&mut meter, SECOND * 2 + SECOND / 4), (0, SECOND / 4));
        assert_eq!(drain(&mut meter, SECOND * 100), (3, SECOND / 2));
    }

    #[test]
    fn a_window_begins_with_its_first_request() {
        let mut meter = Meter::new(WINDOW);
        assert_eq!(drain(&mut meter, SECOND), (3, SECOND * 6));
        assert_eq!(drain(&mut meter, SECOND * 5), (0, SECOND * 2));
        assert_eq!(drain(&mut meter, SECOND * 10), (3, SECOND * 6));
    }

    #[test]
    fn the_ideal_time_is_that_of_a_client_which_is_always_there() {
        for (allowance, calls, seconds) in [
            (BUCKET, 3.0, 0),
            (BUCKET, 13.0, 5),
            (BUCKET, 1.0, 0),
            (WINDOW, 3.0, 0),
            (WINDOW, 4.0, 6),
            (WINDOW, 9.0, 12),
        ] {
            assert_eq!(allowance.ideal(calls), SECOND * seconds, "{allowance:?} {calls}");
        }
    }

    #[test]
    fn an_allowance_is_written_as_it_is_read() {
        for allowance in [BUCKET, WINDOW] {
            assert_eq!(allowance.argument().parse::<Allowance>().unwrap(), allowance);
        }
        for wrong in ["", "bucket", "bucket:1", "bucket:x:1", "window:1:-1", "other:1:1"] {
            assert!(wrong.parse::<Allowance>().is_err(), "{wrong}");
        }
    }
}
