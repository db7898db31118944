//! What people decide on rows: one of the candidates, a place on the map, nothing. Kept with the row and as the answer to its text,
//! with who, when, why, and the row of the audit trail.

use onemap_address::element::Element;
use onemap_address::find::{Candidate, Level};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::following::{self, Followers};
use super::reading::{Wanted, no_row};
use super::{AddressJobs, Job};
use crate::access::audit::{self, Entry};
use crate::access::grant::Read;
use crate::access::principal::Principal;
use crate::address::Readable;
use crate::address::aliases::{self, Decided, TARGET, Target};
use crate::address::answer::{Name, element};
use crate::error::{Error, Result};

/// How far from an address a place may be to be counted with it, in metres.
const NEAR: f64 = 500.0;

/// What somebody decides.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    Pick {
        candidate: Which,
        #[serde(default)]
        note: String,
    },
    Place {
        lon: f64,
        lat: f64,
        #[serde(default)]
        label: String,
        #[serde(default)]
        note: String,
    },
    Reject {
        #[serde(default)]
        note: String,
    },
    Undo {
        #[serde(default)]
        note: String,
    },
}

/// A candidate by its place in the row's list, or by what it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Which {
    Index(usize),
    Feature { source: String, feature: i64 },
}

impl Wish {
    fn kind(&self) -> &'static str {
        match self {
            Wish::Pick { .. } => "pick",
            Wish::Place { .. } => "place",
            Wish::Reject { .. } => "reject",
            Wish::Undo { .. } => "undo",
        }
    }
    fn note(&self) -> &str {
        match self {
            Wish::Pick { note, .. } | Wish::Place { note, .. } | Wish::Reject { note } | Wish::Undo { note } => note,
        }
    }
    fn check(&self) -> Result<()> {
        if self.note().chars().count() > 1000 {
            return Err(Error::invalid("note", "备注不超过 1000 字", "a note has at most 1000 characters"));
        }
        if let Wish::Place { lon, lat, label, .. } = self {
            if !(lon.is_finite() && lat.is_finite() && lon.abs() <= 180.0 && lat.abs() <= 90.0) {
                return Err(Error::invalid("lon", "经纬度不正确", "this is no longitude and latitude"));
            }
            if label.chars().count() > 300 {
                return Err(Error::invalid("label", "名称不超过 300 字", "a label has at most 300 characters"));
            }
        }
        Ok(())
    }
}

impl AddressJobs {
    /// Decides on a row and those of its text, or takes a decision back. Returns the row as it is then, and which others went with it.
    pub async fn decide(&self, by: &Principal, department: &str, id: Uuid, row: i64, wish: &Wish) -> Result<Value> {
        wish.check()?;
        let job = self.job(department, id).await?;
        let wanted = Wanted { row: Some(row), limit: 1, ..Wanted::default() };
        let found = self.found(by, &job, &wanted).await?.pop().ok_or_else(no_row)?;
        let text = self.text_of(&job, found.at).await?;
        let target = match wish {
            Wish::Pick { candidate, .. } => Some(self.picked(by, &job, &text, candidate).await?),
            Wish::Place { lon, lat, label, .. } => Some(self.placed(by, &job, (*lon, *lat), label, &text).await?),
            Wish::Reject { .. } | Wish::Undo { .. } => None,
        };
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let mut detail = json!({"kind": wish.kind(), "row": row, "text": text, "note": wish.note()});
        if let Some(t) = &target {
            detail["target"] =
                json!({"source": t.layer, "feature": t.feature, "label": t.label, "lon": t.lon, "lat": t.lat});
        }
        let entry = Entry { action: "decide", object_kind: "address_job", object_id: &id.to_string(), detail };
        let audit = audit::write_numbered(&*transaction, by, entry).await?;
        let also = if let Wish::Undo { .. } = wish {
            let sql = "delete from onemap.address_decision where job_id = $1 and job_row = $2";
            transaction.execute(sql, &[&id, &row]).await?;
            aliases::take_back(&*transaction, department, id, row).await?;
            following::leave(&*transaction, id, row).await?
        } else {
            let name = by.name();
            let decided = Decided {
                department,
                text: &text,
                kind: wish.kind(),
                target: target.as_ref(),
                by: &name,
                note: wish.note(),
                job: id,
                row,
                audit,
            };
            record(&*transaction, &decided).await?;
            aliases::keep(&*transaction, &decided).await?;
            match found.follows() {
                // A row of its own opinion does not speak for the others.
                true => Followers::default(),
                false => following::follow(&*transaction, &job, row).await?,
            }
        };
        transaction.commit().await?;
        drop(client);
        self.aliases.forget(department).await;
        let mut document = self.row(by, department, id, row).await?;
        document["also"] = json!({"count": also.count, "rows": also.rows});
        Ok(document)
    }

    /// The candidate that is meant, as the one who picks may see it now.
    async fn picked(&self, by: &Principal, job: &Job, text: &str, which: &Which) -> Result<Target> {
        let (answer, readable) = self.candidates_of(by, job, text).await?;
        let is = |c: &&Candidate| match which {
            Which::Index(_) => false,
            Which::Feature { source, feature } => {
                readable.layer(c.source) == source && c.id.is_some_and(|id| id as i64 == *feature)
            }
        };
        let found = match which {
            Which::Index(index) => answer.candidates.get(*index),
            Which::Feature { .. } => answer.candidates.iter().find(is),
        };
        let gone = || {
            Error::invalid("candidate", "没有这个候选地址", "there is no such candidate")
                .hint("请刷新该行后重新选择", "load the row again and choose anew")
        };
        let mut target = target_of(found.ok_or_else(gone)?, &readable);
        if let Some(layer) = &target.layer {
            let grant = self.gate.open::<Read>(by, layer)?;
            target.revision = Some(self.catalog.published(&grant)?.state().revision);
        }
        Ok(target)
    }

    /// A place that somebody set. It is counted with the divisions of the nearest address.
    async fn placed(
        &self,
        by: &Principal,
        job: &Job,
        (lon, lat): (f64, f64),
        label: &str,
        text: &str,
    ) -> Result<Target> {
        let readable = super::reading::still_readable(&self.addresses, by, job.only.as_deref()).await?;
        let nearest = self
            .addresses
            .finders()
            .with(&readable, move |finder, readable| finder.reverse(&readable.sources(), lon, lat, NEAR, 1))
            .await?;
        let division = |of: Element| nearest.first().and_then(|(c, _)| element(c, of)).unwrap_or_default().to_owned();
        let label = if label.trim().is_empty() { text.trim() } else { label.trim() };
        let level = Level::Poi.name().to_owned();
        Ok(Target {
            layer: None,
            feature: None,
            revision: None,
            label: label.to_owned(),
            lon,
            lat,
            match_level: level.clone(),
            coordinate_level: level,
            district: division(Element::District),
            town: division(Element::Town),
            community: division(Element::Community),
        })
    }
}

fn target_of(candidate: &Candidate, readable: &Readable) -> Target {
    let division = |of: Element| element(candidate, of).unwrap_or_default().to_owned();
    Target {
        layer: Some(readable.layer(candidate.source).to_owned()),
        feature: candidate.id.map(|id| id as i64),
        revision: None,
        label: candidate.label.clone(),
        lon: candidate.lon,
        lat: candidate.lat,
        match_level: candidate.match_level.name().into(),
        coordinate_level: candidate.coordinate_level.name().into(),
        district: division(Element::District),
        town: division(Element::Town),
        community: division(Element::Community),
    }
}

async fn record(client: &impl tokio_postgres::GenericClient, d: &Decided<'_>) -> Result<()> {
    let t = d.target;
    let sql = format!(
        "insert into onemap.address_decision (job_id, job_row, kind, decided_by, note, audit_id, {TARGET})
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         on conflict (job_id, job_row) do update set kind = excluded.kind, decided_by = excluded.decided_by,
             decided_at = now(), follows = null, note = excluded.note, audit_id = excluded.audit_id,
             layer_id = excluded.layer_id,
             feature = excluded.feature, label = excluded.label, lon = excluded.lon, lat = excluded.lat,
             match_level = excluded.match_level, coordinate_level = excluded.coordinate_level,
             district = excluded.district, town = excluded.town, community = excluded.community,
             revision = excluded.revision"
    );
    let text = |of: fn(&Target) -> &String| t.map_or("", |t| of(t).as_str());
    client
        .execute(
            &sql,
            &[
                &d.job,
                &d.row,
                &d.kind,
                &d.by,
                &d.note,
                &d.audit,
                &t.and_then(|t| t.layer.as_deref()),
                &t.and_then(|t| t.feature),
                &t.map(|t| t.label.as_str()),
                &t.map(|t| t.lon),
                &t.map(|t| t.lat),
                &t.map(|t| t.match_level.as_str()),
                &t.map(|t| t.coordinate_level.as_str()),
                &text(|t| &t.district),
                &text(|t| &t.town),
                &text(|t| &t.community),
                &t.and_then(|t| t.revision),
            ],
        )
        .await?;
    Ok(())
}
