//! What is written and told of a move: the request's history with its audit row, and the notices to those whom it concerns.

use onemap_approval::Step;
use serde_json::{Value, json};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::draft::trail;
use super::link;
use super::record::Request;
use crate::access::principal::{Principal, Who};
use crate::error::{Result, Said};
use crate::notice::{self, Audience, Notice};

/// A line of history to be written.
pub(super) struct Happening<'a> {
    pub action: &'a str,
    pub from: Option<&'a str>,
    pub to: &'a str,
    pub version: i32,
    pub note: &'a str,
    pub detail: Value,
}

/// Writes the line, and the audit row beside it. Nobody is the platform itself.
pub(super) async fn happened(
    client: &impl GenericClient,
    by: Option<&Principal>,
    id: Uuid,
    event: Happening<'_>,
) -> Result<()> {
    let principal = by.map_or_else(|| "system".to_owned(), Principal::name);
    let name = match by.map(|p| &p.who) {
        Some(Who::Person { name, .. }) => name.to_string(),
        _ => String::new(),
    };
    let department = by.and_then(|p| p.department.as_deref());
    client
        .execute(
            "insert into onemap.request_event (request_id, principal, name, department_id, action, from_state, to_state, version, note,
                 detail)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &[
                &id,
                &principal,
                &name,
                &department,
                &event.action,
                &event.from,
                &event.to,
                &event.version,
                &event.note,
                &event.detail,
            ],
        )
        .await?;
    let system = Principal { who: Who::Operator, department: None };
    let detail = json!({"from": event.from, "to": event.to, "version": event.version, "note": event.note,
        "detail": event.detail, "system": by.is_none()});
    trail(client, by.unwrap_or(&system), event.action, id, detail).await
}

/// Whose approvers decide on a step.
pub(super) fn deciders_of<'a>(approver: &str, request: &'a Request) -> Vec<&'a str> {
    match Step::parse(approver) {
        Some(Step::Owner) => vec![&request.owner],
        Some(Step::Requester) => vec![&request.department],
        Some(Step::Platform) | None => vec![],
    }
}

/// Tells of a request, whose layer and number stand in the text.
pub(super) async fn tell(
    client: &impl GenericClient,
    request: &Request,
    kind: &'static str,
    (zh, en): (&str, &str),
    to: Audience<'_>,
) -> Result<()> {
    let notice = Notice {
        kind,
        title: Said::new(
            format!("《{}》使用申请：{zh}", request.layer_title.zh),
            format!("Request for “{}”: {en}", request.layer_title.en),
        ),
        link: &link(request.id),
        request: Some(request.id),
        detail: json!({"layer": request.layer, "owner": request.owner, "department": request.department}),
    };
    notice::post(client, to, &notice).await
}
