//! How far the building of an index is: counted by the thread that builds, read by whoever asks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;

/// Of the whole work, reading the rows is about so much; the rest is spent on what shows when, and on writing.
const READING: f64 = 0.6;

pub struct Progress {
    total: u64,
    rows: AtomicU64,
    /// Of the work after reading, in thousandths.
    written: AtomicU64,
    begun: Instant,
    stopped: AtomicBool,
    stop: tokio::sync::Notify,
}

/// As it is shown: in the layer's description, in the metrics, on the terminal.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    pub stage: &'static str,
    pub done: u64,
    pub total: u64,
    pub rows_per_second: u64,
    pub seconds_left: u64,
}

impl Progress {
    pub fn new(total: u64) -> Progress {
        Progress {
            total,
            rows: AtomicU64::new(0),
            written: AtomicU64::new(0),
            begun: Instant::now(),
            stopped: AtomicBool::new(false),
            stop: tokio::sync::Notify::new(),
        }
    }

    pub fn rows(&self, more: u64) {
        self.rows.fetch_add(more, Ordering::Relaxed);
    }

    /// Half of the rest is for what shows when, half for writing it.
    pub fn written(&self, writing: bool, done: u64, total: u64) {
        let half = if writing { 500 } else { 0 };
        self.written.store(half + done.min(total) * 500 / total.max(1), Ordering::Relaxed);
    }

    /// The revision is no longer the published one: what is built would not be used.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.stop.notify_one();
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub async fn until_stopped(&self) {
        self.stop.notified().await;
    }

    pub fn shown(&self) -> Shown {
        let (rows, written) = (self.rows.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed));
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        let part = rows as f64 / self.total.max(1) as f64 * READING + written as f64 / 1000.0 * (1.0 - READING);
        let left = if part > 0.0 { seconds * (1.0 - part.min(1.0)) / part } else { 0.0 };
        Shown {
            stage: if rows < self.total { "reading" } else { "writing" },
            done: rows,
            total: self.total,
            rows_per_second: (rows as f64 / seconds) as u64,
            seconds_left: left.ceil() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_comes_nearer() {
        let progress = Progress::new(100);
        assert_eq!(progress.shown().seconds_left, 0, "nothing is known yet");
        progress.rows(100);
        assert_eq!(progress.shown().stage, "writing");
        progress.written(true, 7, 7);
        assert_eq!((progress.shown().done, progress.shown().seconds_left), (100, 0));
    }
}
