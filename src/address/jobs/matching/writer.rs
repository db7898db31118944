//! Writes pieces into a job's results, each with the checkpoint behind it in one transaction.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::SinkExt;
use uuid::Uuid;

use super::super::following;
use super::super::results::Table;
use super::super::{AddressJobs, Checkpoint, Job};
use super::pieces::{Lists, Piece, Searched, Shared};
use crate::error::Result;
use crate::job::{Task, queue};

/// What the rate is reckoned over.
const LATELY: Duration = Duration::from_secs(10);

pub struct Writer<'a> {
    task: &'a Task,
    client: deadpool_postgres::Object,
    job: Uuid,
    table: Table,
    checkpoint: Checkpoint,
    /// What the tables hold of the lists.
    sources: Vec<Searched>,
    names: Vec<[String; 3]>,
    written: usize,
    lately: VecDeque<(Instant, i64)>,
}

impl<'a> Writer<'a> {
    pub async fn open(jobs: &AddressJobs, task: &'a Task, job: &Job, checkpoint: Checkpoint) -> Result<Writer<'a>> {
        let client = jobs.database.importer().await?;
        let sql = "select district, town, community from onemap.address_job_division where job_id = $1 order by id";
        let rows = client.query(sql, &[&job.id]).await?;
        let names: Vec<[String; 3]> = rows.iter().map(|r| [r.get(0), r.get(1), r.get(2)]).collect();
        let lately = VecDeque::from([(Instant::now(), checkpoint.row)]);
        let (sources, written) = (job.searched().collect(), names.len());
        Ok(Writer { task, client, job: job.id, table: job.table(), checkpoint, sources, names, written, lately })
    }

    /// The lists as the tables have them.
    pub fn lists(&mut self) -> Lists {
        Lists::new(self.sources.clone(), std::mem::take(&mut self.names))
    }

    /// Rows written so far, of the whole file.
    pub fn row(&self) -> i64 {
        self.checkpoint.row
    }

    pub async fn write(&mut self, piece: Piece, shared: &Shared) -> Result<()> {
        // All that any result up to here refers to, and perhaps more.
        let (sources, names) = {
            let lists = shared.lists();
            let grown = (lists.sources.len() > self.sources.len()).then(|| lists.sources.clone());
            (grown, lists.names[self.written..].to_vec())
        };
        let mut next = self.checkpoint.clone();
        next.place = piece.place;
        next.row += piece.rows;
        next.tally.merge(&piece.tally);
        next.rate = self.rate(next.row);
        let transaction = self.client.transaction().await?;
        // First, because it holds the job's row: of two workers that both think it theirs, one is refused here.
        queue::move_checkpoint(&*transaction, self.task, &serde_json::to_value(&next)?, next.row).await?;
        if let Some(sources) = &sources {
            let (layers, scopes): (Vec<&str>, Vec<i64>) = sources.iter().map(|(l, s)| (l.as_str(), *s)).unzip();
            let sql = "update onemap.address_job set sources = $2, scopes = $3 where id = $1";
            transaction.execute(sql, &[&self.job, &layers, &scopes]).await?;
        }
        if !names.is_empty() {
            let ids: Vec<i32> = (self.written..self.written + names.len()).map(|i| i as i32).collect();
            let column = |i: usize| names.iter().map(|n| n[i].as_str()).collect::<Vec<_>>();
            let sql = "insert into onemap.address_job_division (job_id, id, district, town, community)
                       select $1, * from unnest($2::int4[], $3::text[], $4::text[], $5::text[])";
            transaction.execute(sql, &[&self.job, &ids, &column(0), &column(1), &column(2)]).await?;
        }
        let mut sink = Box::pin(transaction.copy_in::<_, Bytes>(&self.table.copy()).await?);
        sink.send(Bytes::from(piece.bytes)).await?;
        sink.close().await?;
        drop(sink);
        transaction.commit().await?;
        self.checkpoint = next;
        self.written += names.len();
        if let Some(sources) = sources {
            self.sources = sources;
        }
        Ok(())
    }

    fn rate(&mut self, row: i64) -> f64 {
        let now = Instant::now();
        self.lately.push_back((now, row));
        // What is left begins before the span: two pieces that end together say nothing of the minute before.
        while self.lately.get(1).is_some_and(|(at, _)| now - *at > LATELY) {
            self.lately.pop_front();
        }
        let Some((at, before)) = self.lately.front() else { return 0.0 };
        (row - before) as f64 / (now - *at).as_secs_f64().max(0.001)
    }

    /// Makes the finished results quick to look through, and holds them against those of the run before.
    pub async fn finish(self, job: &Job) -> Result<()> {
        self.client.batch_execute(&self.table.finish()).await?;
        following::after(&**self.client, job).await?;
        if let Some(before) = job.compare_to {
            super::super::comparison::keep(&**self.client, job, before).await?;
        }
        Ok(())
    }
}
