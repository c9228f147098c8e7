//! The pace as data, and the layer in paused time.
