//! Finders, kept between searches, and the threads they work on: as many searches at a time as there are cores.

use std::sync::{Arc, Mutex, PoisonError};

use onemap_address::find::Finder;
use tokio::sync::Semaphore;

use super::{Readable, days};
use crate::error::{Error, Result};

/// Cheap to clone.
#[derive(Clone)]
pub struct Finders(Arc<Inner>);

struct Inner {
    idle: Mutex<Vec<Finder>>,
    turns: Arc<Semaphore>,
}

impl Default for Finders {
    fn default() -> Finders {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Finders(Arc::new(Inner { idle: Mutex::default(), turns: Arc::new(Semaphore::new(cores)) }))
    }
}

impl Finders {
    /// Lets a finder work over what somebody may search, on a thread for that.
    pub async fn with<T: Send + 'static>(
        &self,
        readable: &Readable,
        work: impl FnOnce(&mut Finder, &Readable) -> T + Send + 'static,
    ) -> Result<T> {
        let (finders, readable) = (self.clone(), readable.clone());
        let turn = self.0.turns.clone().acquire_owned().await.map_err(Error::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            // The thread's until it is done, also when the one who asked has gone.
            let _turn = turn;
            let mut finder = finders.take();
            finder.day = Some(days::today());
            let done = work(&mut finder, &readable);
            // One that was panicked out of does not come back.
            finders.give(finder);
            done
        });
        done.await.map_err(Error::internal)
    }

    fn take(&self) -> Finder {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give(&self, finder: Finder) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(finder);
    }
}
