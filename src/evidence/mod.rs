//! Evidence of accesses: written in chained blocks, sealed, searched, exported, verified.
//!
//! What is recorded comes from `access::trace` and waits in `access::recorder`; here it becomes durable.

pub mod chains;
mod clues;
pub mod export;
pub mod node;
pub mod partitions;
pub mod row;
pub mod seal;
pub mod search;
pub mod stretches;
pub mod summary;
pub mod verify;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use self::node::Node;
use self::search::View;
use crate::access::principal::{Principal, Role};
use crate::access::recorder::Recorder;
use crate::config::Config;
use crate::db::pool::Database;
use crate::error::Result;

/// The evidence that this installation writes. Cheap to clone.
#[derive(Clone)]
pub struct Evidence {
    database: Database,
    recorder: Recorder,
    node: Arc<Node>,
    settings: Arc<Settings>,
}

struct Settings {
    seals: PathBuf,
    exports: PathBuf,
    seal_minutes: u64,
    months: u32,
}

/// Where seals are put.
pub fn seal_folder(config: &Config) -> PathBuf {
    config.seal_folder.clone().unwrap_or_else(|| config.data.join("seals"))
}

impl Evidence {
    /// Reads the installation's key, or makes it, and the partitions that will be needed.
    pub async fn open(database: Database, recorder: Recorder, config: &Config) -> Result<Evidence> {
        let node = Node::open(&config.data.join("evidence"))?;
        partitions::make(&database).await?;
        let settings = Settings {
            seals: seal_folder(config),
            exports: config.data.join("evidence").join("exports"),
            seal_minutes: config.seal_minutes,
            months: config.evidence_months,
        };
        Ok(Evidence { database, recorder, node: Arc::new(node), settings: Arc::new(settings) })
    }

    /// Writes what is recorded, and notes what it can be found by, until the server has stopped.
    pub async fn write(self, stop: watch::Receiver<bool>) {
        let stretches = stretches::run(self.database.clone(), stop.clone());
        tokio::join!(writer::Writer::new(self).run(stop), stretches);
    }

    /// Seals the chain as it is in the database. None when it has not grown since the last seal.
    pub async fn seal(&self) -> Result<Option<PathBuf>> {
        seal::seal(&self.database, &self.node, &self.settings.seals).await
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    fn exports(&self) -> &Path {
        &self.settings.exports
    }
}

/// What of the records somebody may see: auditors all, administrators of a department what concerns it, others nothing.
pub fn view_of(principal: &Principal) -> Option<View> {
    match principal.role()? {
        Role::Auditor => Some(View::All),
        Role::DepartmentAdministrator => Some(View::Department(principal.department.as_deref()?.to_owned())),
        _ => None,
    }
}
