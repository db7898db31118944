//! From an inspected file to a staged revision.

use std::pin::Pin;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use super::receive::Uploads;
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::job::{Job, Task};
use crate::layer::model::{ShareClass, Title};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadRequest {
    pub layer: String,
    pub source_layer: Option<String>,
    pub title: Option<Title>,
    pub theme: Option<String>,
    pub share_class: Option<ShareClass>,
    pub crs: Option<i32>,
    pub datum: Option<String>,
    pub swap_axes: Option<bool>,
    pub encoding: Option<String>,
    pub key: Option<String>,
}
pub struct LoadJob { pub uploads: Uploads, pub database: Database, pub store: Datastore, pub gate: Gate }
impl Job for LoadJob {
    fn kind(&self) -> &'static str { "upload.load" }
    fn run<'a>(&'a self, _task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> { Box::pin(async { Err(Error::busy("", "")) }) }
    fn gave_up<'a>(&'a self, _task: &'a Task, _e: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> { Box::pin(async {}) }
}
