//! Deadlines in paused time.
