//! Following the log: a connection of its own that listens, and the counting beside it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio_postgres::AsyncMessage;

use super::Edits;
use crate::error::{Error, Result};

/// Between readings at most, also without a notice: a connection can die without a word.
const PULSE: Duration = Duration::from_secs(1);
/// Under a stream of edits, readings take half of the time and never come closer than this allows.
const REST: Duration = Duration::from_millis(20);
const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(2);

const SETTINGS: &str = "set role onemap_app; set statement_timeout = '5s'; set lock_timeout = '100ms'; set jit = off;
    listen onemap_edit";

impl Edits {
    /// Follows the log until told to stop.
    pub async fn follow(self, mut stop: watch::Receiver<bool>) {
        let counting = async {
            loop {
                tokio::time::sleep(PULSE).await;
                if let Err(e) = self.count().await {
                    tracing::warn!("edits could not be counted: {e}");
                }
            }
        };
        tokio::select! {
            _ = stop.wait_for(|s| *s) => {}
            () = self.listen_on() => {}
            () = counting => {}
        }
    }

    /// Listens, and again after each lost connection: at once, then ever later while the database stays away.
    async fn listen_on(&self) {
        let mut wait = SOON;
        loop {
            let begun = Instant::now();
            if let Err(e) = self.listen().await {
                tracing::warn!("the connection that follows edits is away: {e}");
            }
            self.0.reader.lock().await.own = None;
            wait = if begun.elapsed() > LATE { SOON } else { (wait * 2).min(LATE) };
            tokio::time::sleep(wait).await;
        }
    }

    async fn listen(&self) -> Result<()> {
        let (client, mut connection) = self.0.database.owner().await?;
        // A full channel means that a reading is due anyway.
        let (send, mut notices) = mpsc::channel::<()>(1);
        tokio::spawn(async move {
            let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(_) = message {
                    let _ = send.try_send(());
                }
            }
        });
        client.batch_execute(SETTINGS).await?;
        let mut reader = self.0.reader.lock().await;
        reader.own = Some(client);
        self.read_all(&mut reader).await?;
        drop(reader);
        loop {
            if let Ok(None) = tokio::time::timeout(PULSE, notices.recv()).await {
                return Err(Error::internal("closed by the server"));
            }
            let begun = Instant::now();
            self.catch_up().await?;
            tokio::time::sleep(begun.elapsed().min(REST)).await;
        }
    }

    /// Counts what is new into the catalogue. One node does it; the others learn by the catalogue's notice.
    async fn count(&self) -> Result<()> {
        if !self.0.uncounted.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let done = async {
            let client = self.0.database.app().await?;
            let counted: bool = client.query_one("select onemap.count_edits()", &[]).await?.get(0);
            if counted {
                client.execute("select onemap.forget_edits()", &[]).await?;
            }
            Ok(counted)
        };
        let done: Result<bool> = done.await;
        if !matches!(done, Ok(false)) {
            // Something may have come meanwhile; a round that finds nothing ends it.
            self.0.uncounted.store(true, Ordering::Relaxed);
        }
        done.map(drop)
    }
}
