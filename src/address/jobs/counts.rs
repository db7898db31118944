//! How many of a job's rows lie in which community, town or district: what was taken by itself or decided by somebody, and beside it
//! what is still to be looked at.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::AddressJobs;
use super::results::Band;
use crate::access::grant::Read;
use crate::access::principal::Principal;
use crate::error::Result;

/// What is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    District,
    Town,
    Community,
}

impl By {
    pub fn parse(name: &str) -> Option<By> {
        Some(match name {
            "district" => By::District,
            "town" => By::Town,
            "community" => By::Community,
            _ => return None,
        })
    }
}

#[derive(Default)]
struct Count {
    placed: i64,
    review: i64,
}

impl AddressJobs {
    pub async fn counts(&self, by: &Principal, department: &str, id: Uuid, what: By) -> Result<Value> {
        let job = self.job(department, id).await?;
        let seen = self.seen(by, &job);
        let readable: Vec<i16> = (0..job.sources.len() as i16).filter(|s| seen.shows(Some(*s))).collect();
        let client = self.database.app().await?;
        // Few divisions, many rows: counted by number first, named then.
        let sql = format!(
            "select r.band, v.district, v.town, v.community, r.rows from (
                 select band, division, count(*) as rows from {} r
                 where (source is null or source = any($2))
                     and not exists (select 1 from onemap.address_decision d where d.job_id = $1 and d.job_row = r.row)
                 group by 1, 2) r
             left join onemap.address_job_division v on v.job_id = $1 and v.id = r.division",
            job.table().name()
        );
        let rows = client.query(&sql, &[&job.id, &readable]).await?;
        let sql = "select layer_id, district, town, community, count(*) from onemap.address_decision
                   where job_id = $1 and kind <> 'reject' group by 1, 2, 3, 4";
        let decided = client.query(sql, &[&job.id]).await?;
        drop(client);
        let mut counts: BTreeMap<Vec<String>, Count> = BTreeMap::new();
        let division = |row: &tokio_postgres::Row| -> Vec<String> {
            let names: Vec<String> = (1..=3).map(|i| row.get::<_, Option<String>>(i).unwrap_or_default()).collect();
            let depth = what as usize + 1;
            if names[depth - 1].is_empty() { vec![] } else { names[..depth].to_vec() }
        };
        for row in &rows {
            let count = |c: &mut i64| *c += row.get::<_, i64>(4);
            match Band::of_number(row.get(0)) {
                Band::Auto => count(&mut counts.entry(division(row)).or_default().placed),
                Band::Review => count(&mut counts.entry(division(row)).or_default().review),
                Band::Reject => {}
            }
        }
        for row in &decided {
            let layer: Option<&str> = row.get(0);
            if layer.is_none_or(|layer| self.gate.open::<Read>(by, layer).is_ok()) {
                counts.entry(division(row)).or_default().placed += row.get::<_, i64>(4);
            }
        }
        let unknown = counts.remove(&vec![]).unwrap_or_default();
        let mut listed: Vec<(Vec<String>, Count)> = counts.into_iter().collect();
        listed.sort_by_key(|(_, c)| std::cmp::Reverse(c.placed));
        let listed: Vec<Value> = listed
            .into_iter()
            .map(|(names, c)| {
                json!({"name": names.last(), "district": names.first(), "town": names.get(1), "community": names.get(2),
                       "count": c.placed, "review": c.review})
            })
            .collect();
        Ok(json!({"counts": listed, "unknown": {"count": unknown.placed, "review": unknown.review}}))
    }
}
