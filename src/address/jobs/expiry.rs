//! Drafts that nobody started: a table of people's addresses must not lie about because somebody closed a page.

use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use super::AddressJobs;
use crate::access::principal::Principal;
use crate::error::{Kind, Result};

/// Days after which a draft is removed with its file.
const DAYS: i32 = 7;
const EVERY: Duration = Duration::from_secs(3600);

impl AddressJobs {
    /// Removes what has expired, again and again until told to stop. Any number of nodes may do so at once.
    pub async fn expire(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(e) = self.expire_once().await {
                tracing::warn!("drafts of address jobs cannot be looked after: {e}");
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    pub async fn expire_once(&self) -> Result<()> {
        let client = self.database.app().await?;
        let sql = "select id, department_id from onemap.address_job
                   where job_id is null and created_at < now() - make_interval(days => $1)";
        let drafts = client.query(sql, &[&DAYS]).await?;
        drop(client);
        for draft in &drafts {
            let (id, department): (Uuid, String) = (draft.get(0), draft.get(1));
            match self.remove(&Principal::operator(&department), &department, id).await {
                // Another node, or somebody, was faster.
                Err(e) if matches!(e.kind, Kind::NotFound | Kind::Conflict) => {}
                other => other?,
            }
        }
        Ok(())
    }
}
