//! Jobs as OGC API Processes asks for them: by process, state, time and duration; and their dismissal.

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::queue::{JobInfo, Queue, columns, columns_listed, info, no_job};
use crate::error::Result;

/// Which jobs of a department are meant.
#[derive(Debug, Clone, Default)]
pub struct Search {
    pub kinds: Vec<&'static str>,
    /// Of the kind `process`, those of these processes; all when none is named.
    pub processes: Vec<String>,
    pub states: Vec<&'static str>,
    /// Made within: RFC 3339, both ends included.
    pub from: Option<String>,
    pub to: Option<String>,
    /// Seconds between start and end, or now.
    pub shortest: Option<f64>,
    pub longest: Option<f64>,
    pub limit: i64,
    pub offset: i64,
}

impl Queue {
    /// The jobs that are meant, the newest first, and one more than `limit` when there are more.
    pub async fn search(&self, department: &str, search: &Search) -> Result<Vec<JobInfo>> {
        let client = self.database().app().await?;
        let columns = columns_listed();
        let sql = format!(
            "select {columns} from onemap.job where department_id = $1 and dismissed_at is null and kind = any($2)
                 and (kind <> 'process' or cardinality($3::text[]) = 0 or input ->> 'process' = any($3))
                 and state = any($4)
                 and created_at >= coalesce($5::text::timestamptz, '-infinity') and created_at <= coalesce($6::text::timestamptz, 'infinity')
                 and ($7::float8 is null or extract(epoch from coalesce(finished_at, now()) - started_at) >= $7)
                 and ($8::float8 is null or extract(epoch from coalesce(finished_at, now()) - started_at) <= $8)
             order by created_at desc, id limit $9 offset $10"
        );
        let limit = search.limit + 1;
        let values: [&(dyn ToSql + Sync); 10] = [
            &department,
            &search.kinds,
            &search.processes,
            &search.states,
            &search.from,
            &search.to,
            &search.shortest,
            &search.longest,
            &limit,
            &search.offset,
        ];
        Ok(client.query(&sql, &values).await?.iter().map(info).collect())
    }

    /// A job that nobody dismissed.
    pub async fn undismissed(&self, department: &str, id: Uuid) -> Result<JobInfo> {
        let client = self.database().app().await?;
        let columns = columns();
        let sql =
            format!("select {columns} from onemap.job where id = $1 and department_id = $2 and dismissed_at is null");
        let row = client.query_opt(&sql, &[&id, &department]).await?;
        row.as_ref().map(info).ok_or_else(no_job)
    }

    /// Ends a job under way, and takes one that is over off the list, of a process's run with what it came to. As it was before.
    pub async fn dismiss(&self, department: &str, id: Uuid) -> Result<JobInfo> {
        let before = self.undismissed(department, id).await?;
        match before.is_over() {
            false => _ = self.cancel(department, id).await?,
            true => {
                let client = self.database().app().await?;
                let sql = "update onemap.job set dismissed_at = now(),
                               result = case when kind <> 'process' then result end
                           where id = $1 and department_id = $2";
                client.execute(sql, &[&id, &department]).await?;
            }
        }
        Ok(before)
    }
}
