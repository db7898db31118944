//! Rows of one text: what somebody decides on one of them holds for the others too, as it will hold for the text from then on. A family
//! has one address, and nobody wants to say five times what it means.
//!
//! The row that was looked at holds the decision, the others follow it: they change with it and go with it. One that was decided by
//! itself does not follow.

use tokio_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Job;
use crate::address::aliases::TARGET;
use crate::error::Result;

/// Rows of which the numbers are told, for the page that shows some of them.
const MOST_TOLD: usize = 1000;

/// Other rows that went with one.
#[derive(Default)]
pub struct Followers {
    pub count: i64,
    /// The first of them.
    pub rows: Vec<i64>,
}

/// Counts what a statement returns by the database: "unknown" may be the address of half a million.
async fn told(client: &impl GenericClient, changes: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Followers> {
    let sql = format!(
        "with changed as ({changes} returning job_row)
         select count(*), array(select job_row from changed order by 1 limit {MOST_TOLD}) from changed"
    );
    let row = client.query_one(&sql, values).await?;
    Ok(Followers { count: row.get(0), rows: row.get(1) })
}

/// Lets the undecided rows of the same text follow the decision on a row; those that followed it before do so anew.
pub async fn follow(client: &impl GenericClient, job: &Job, row: i64) -> Result<Followers> {
    leave(client, job.id, row).await?;
    told(client, &followed(job, "d.job_row = $2"), &[&job.id, &row]).await
}

/// Ends the decisions that follow that on a row.
pub async fn leave(client: &impl GenericClient, job: Uuid, row: i64) -> Result<Followers> {
    told(client, "delete from onemap.address_decision where job_id = $1 and follows = $2", &[&job, &row]).await
}

/// Lets the rows follow that were matched after the decision on their text.
pub async fn after(client: &impl GenericClient, job: &Job) -> Result<()> {
    client.execute(&followed(job, "d.follows is null"), &[&job.id]).await?;
    Ok(())
}

/// Decides on the undecided rows of the same text as the decisions that are meant. Of several the last counts.
fn followed(job: &Job, meant: &str) -> String {
    let shared = format!("kind, decided_by, decided_at, note, audit_id, {TARGET}");
    format!(
        "insert into onemap.address_decision (job_id, job_row, follows, {shared})
         select distinct on (other.row) d.job_id, other.row, d.job_row, {columns}
         from onemap.address_decision d join {table} r on r.row = d.job_row
             join {table} other on other.text_number = r.text_number and other.row <> r.row
         where d.job_id = $1 and {meant} order by other.row, d.decided_at desc
         on conflict (job_id, job_row) do nothing",
        columns = shared.split(", ").map(|column| format!("d.{column}")).collect::<Vec<_>>().join(", "),
        table = job.table().name()
    )
}
