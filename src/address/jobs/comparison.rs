//! Two runs over the same rows, held against each other.

use serde_json::{Value, json};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::file::{RowsFile, join};
use super::results::{Band, Table, level_name};
use super::{AddressJobs, Job};
use crate::access::principal::Principal;
use crate::error::{Error, Result};

/// What became of a row: `a` is the new run's, `b` the one's before. What somebody decided since counts as no loss: a rejection is an
/// answer. Between two rejections nothing is compared.
const CHANGE: &str = "case
    when a.band < b.band then 'better'
    when a.alias or a.band = b.band and a.band = 2 then 'same'
    when a.band > b.band then 'worse'
    when ($1::text[])[a.source + 1] is distinct from ($2::text[])[b.source + 1]
        or a.feature is distinct from b.feature or a.label is distinct from b.label then 'changed'
    else 'same' end";

/// The kinds of change that are listed.
pub const KINDS: [&str; 3] = ["better", "worse", "changed"];

async fn sources(client: &impl GenericClient, job: Uuid) -> Result<Vec<String>> {
    let sql = "select sources from onemap.address_job where id = $1";
    Ok(client.query_opt(sql, &[&job]).await?.map(|r| r.get(0)).unwrap_or_default())
}

/// Counts once, when the new run is done, and keeps the counts with it.
pub(super) async fn keep(client: &impl GenericClient, job: &Job, before: Uuid) -> Result<()> {
    let (new, old) = (sources(client, job.id).await?, sources(client, before).await?);
    let sql = format!(
        "select {CHANGE}, count(*) from {} a join {} b using (row) group by 1",
        Table::of(job.id).name(),
        Table::of(before).name()
    );
    let mut counts = json!({"same": 0, "better": 0, "worse": 0, "changed": 0});
    for row in client.query(&sql, &[&new, &old]).await? {
        counts[row.get::<_, &str>(0)] = row.get::<_, i64>(1).into();
    }
    client.execute("update onemap.address_job set comparison = $2 where id = $1", &[&job.id, &counts]).await?;
    Ok(())
}

impl AddressJobs {
    /// The counts, and a page of the rows that are not the same.
    pub async fn comparison(
        &self,
        by: &Principal,
        department: &str,
        id: Uuid,
        (kind, after, limit): (Option<&str>, i64, i64),
    ) -> Result<Value> {
        let job = self.job(department, id).await?;
        let none =
            || Error::not_found("该任务没有可比较的前一次结果", "there is no earlier run to hold this job against");
        let before = self.job(department, job.compare_to.ok_or_else(none)?).await?;
        let Some(mut document) = job.comparison.clone() else {
            return Err(Error::conflict("任务尚未完成", "the job is not done yet"));
        };
        let sql = format!(
            "select row, at, change, band_before, source_before, label_before, level_before, band_after, source_after, label_after,
                    level_after from (
                 select a.row, a.at, {CHANGE} as change, b.band as band_before, b.source as source_before,
                        b.label as label_before, b.level as level_before, a.band as band_after, a.source as source_after,
                        a.label as label_after, a.level as level_after
                 from {} a join {} b using (row) where a.row > $3) both_runs
             where change <> 'same' and ($4::text is null or change = $4) order by row limit $5",
            job.table().name(),
            before.table().name()
        );
        let client = self.database.app().await?;
        let rows = client.query(&sql, &[&job.sources, &before.sources, &after, &kind, &limit]).await?;
        drop(client);
        let places: Vec<i64> = rows.iter().map(|r| r.get(1)).collect();
        let texts = self.texts(&job, places).await?;
        let (old, new) = (self.seen(by, &before), self.seen(by, &job));
        let listed: Vec<Value> = rows
            .iter()
            .zip(texts)
            .map(|(r, text)| {
                json!({"row": r.get::<_, i64>(0), "text": text, "change": r.get::<_, &str>(2),
                       "before": outcome(r, 3, &old), "after": outcome(r, 7, &new)})
            })
            .collect();
        document["next"] = match rows.last().filter(|_| rows.len() as i64 == limit) {
            Some(row) => row.get::<_, i64>(0).to_string().into(),
            None => Value::Null,
        };
        document["rows"] = listed.into();
        document["compare_to"] = json!(before.id);
        Ok(document)
    }

    async fn texts(&self, job: &Job, places: Vec<i64>) -> Result<Vec<String>> {
        let (path, columns) = (self.files.path(job.file), job.chosen()?);
        let work = move || {
            let mut file = RowsFile::open(&path)?;
            let mut texts = Vec::with_capacity(places.len());
            for place in places {
                file.go_to(place as u64)?;
                let mut text = String::new();
                if let Some(record) = file.next()? {
                    join(record, &columns, &mut text)?;
                }
                texts.push(text);
            }
            Ok(texts)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

fn outcome(row: &tokio_postgres::Row, from: usize, seen: &super::reading::Seen) -> Value {
    let shown = seen.shows(row.get(from + 1));
    json!({
        "band": Band::of_number(row.get(from)).name(),
        "label": row.get::<_, Option<&str>>(from + 2).filter(|_| shown),
        "match_level": if shown { level_name(row.get(from + 3)) } else { "none" },
    })
}
