//! A theme's computation as a durable job: read, count, publish a new revision and its style. It starts again from its beginning when its
//! worker dies: what it publishes appears in one step or not at all.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream;
use serde_json::{Value, json};

use super::result::{self, Made};
use super::{Themes, style_id};
use crate::access::grant::{Edit, Grant};
use crate::error::{Error, Result};
use crate::job::{Job, Task};
use crate::layer::registry;
use crate::style::document;
use crate::style::store::Writing;

pub const KIND: &str = "theme";

/// Computes themes.
pub struct ThemeJob {
    pub themes: Themes,
}

impl ThemeJob {
    async fn work(&self, task: &Task) -> Result<Value> {
        let themes = &self.themes;
        let layer = task.input["theme"].as_str().unwrap_or_default();
        themes.gate.reload(&themes.database).await?;
        themes.catalog.reload(&themes.database).await?;
        let grant: Grant<Edit> = themes.gate.open(&task.principal, layer)?;
        // Rights and fields as they are now.
        let definition = Arc::new(themes.definition(layer).await?);
        themes.check(&task.principal, &definition).await?;
        let tell = |done, total| task.progress().set("read", done, total);
        let counter = themes.count(&task.principal, &definition, &tell).await?;
        if counter.matched() == 0 {
            let en = "not a single row found its zone";
            return Err(Error::invalid("join", "没有一行数据找到所属分区", en).hint(
                "请检查关联字段和分区的代码、名称",
                "look at the field that joins and at the zones' codes and names",
            ));
        }
        let rows = counter.rows();
        task.progress().set("classify", rows, Some(rows));
        let title = themes.catalog.of(&grant)?.title.zh.clone();
        let id = layer.to_owned();
        let made = tokio::task::spawn_blocking(move || -> Result<Made> {
            let zones = counter.zones.clone();
            result::make(&id, &title, &definition, &zones, &counter.finish()?)
        });
        let made = made.await.map_err(Error::internal)??;
        // Somebody asked for another computation meanwhile: its outcome is the one that counts. Ids of jobs rise with time.
        if themes.get(layer).await?.job.is_some_and(|newest| newest > task.id) {
            return Ok(json!({"theme": layer, "layer": layer, "revision": null, "superseded": true}));
        }
        task.progress().set("publish", rows, Some(rows));
        let number = self.publish(task, &grant, made).await?;
        Ok(json!({"theme": layer, "layer": layer, "revision": number, "rows": rows}))
    }

    async fn publish(&self, task: &Task, grant: &Grant<Edit>, made: Made) -> Result<i32> {
        let themes = &self.themes;
        let pieces = stream::iter(made.pieces.into_iter().map(Ok));
        let staged = registry::stage(&themes.store, grant, &made.shape, pieces).await?;
        registry::publish(&themes.store, grant, staged.number, "publish").await?;
        let style = document::check(made.style, "")?;
        let department = task.principal.department.as_deref().unwrap_or_default();
        let writing = Writing { by: &task.principal, department, expected: None };
        let id = style_id(grant.layer());
        themes.styles.put(&writing, &id, &style, false).await?;
        registry::set_default_style(&themes.database, grant, Some(&id)).await?;
        Ok(staged.number)
    }
}

impl Job for ThemeJob {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn run<'a>(&'a self, task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
        Box::pin(self.work(task))
    }

    fn gave_up<'a>(&'a self, _: &'a Task, _: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        // What was published before stays.
        Box::pin(std::future::ready(()))
    }
}
