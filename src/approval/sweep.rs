//! What happens without anybody's doing: terms begin and end, deadlines are reminded of, grants that were ended elsewhere end their
//! requests. Each request in a transaction of its own that passes by what another node has in hand.

use std::time::Duration;

use onemap_approval::{Action, Move, Party, State, Step, next};
use serde_json::json;
use tokio::sync::watch;
use tokio_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use super::history::{Happening, deciders_of, happened, tell};
use super::record::{COLUMNS, Caller, FROM, Request};
use super::{Approvals, days};
use crate::access::principal::Role;
use crate::error::Result;
use crate::notice::Audience;

/// How often it is looked. The gate holds terms to the second by itself: what is late here is only what is said of them.
const EVERY: Duration = Duration::from_secs(10);
/// Days before a term's end on which it is announced.
const ANNOUNCED: i32 = 30;
/// How long deliveries that are over, and read messages, are kept.
const KEPT_DAYS: i32 = 180;

/// As nobody in particular: what the platform reads of a request it reads whole.
const NOBODY: Caller<'static> = Caller { person: 0, department: "", role: Role::User };

impl Approvals {
    /// Looks after requests until told to stop. Any number of nodes may do so at once.
    pub async fn sweep(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(e) = self.sweep_once().await {
                tracing::warn!("requests cannot be looked after: {e}");
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// One round: everything that is due now.
    pub async fn sweep_once(&self) -> Result<()> {
        while self.one_ended().await? {}
        while self.one_moved().await? {}
        while self.one_late().await? {}
        while self.one_expiring().await? {}
        let client = self.database.app().await?;
        let old = "delete from onemap.webhook_delivery where state <> 'pending' and ended_at < now() - make_interval(days => $1)";
        client.execute(old, &[&KEPT_DAYS]).await?;
        let old = "delete from onemap.notification where read_at < now() - make_interval(days => $1)";
        client.execute(old, &[&KEPT_DAYS]).await?;
        Ok(())
    }

    /// A request whose grant was revoked or surrendered by itself.
    async fn one_ended(&self) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "select r.id, g.surrendered, g.revoked_by, g.revoke_reason from onemap.request r
                   join onemap.access_grant g on g.id = r.grant_id
                   where r.state in ('approved', 'active') and g.revoked_at is not null limit 1 for update of r skip locked";
        let Some(row) = transaction.query_opt(sql, &[]).await? else { return Ok(false) };
        let (id, surrendered): (Uuid, bool) = (row.get(0), row.get(1));
        let action = if surrendered { Action::Surrender } else { Action::Revoke };
        let request = read(&*transaction, id).await?;
        let note: Option<String> = row.get(3);
        let detail = json!({"grant": request.grant, "by": row.get::<_, Option<String>>(2)});
        moved(&transaction, &request, action, note.as_deref().unwrap_or_default(), detail).await?;
        let owner = request.owner.as_str();
        let department = request.department.as_str();
        if surrendered {
            let to = Audience { deciders_of: &[owner], hooks_of: &[owner], ..Audience::default() };
            tell(&*transaction, &request, "request.surrendered", ("授权已交回", "its grant was surrendered"), to)
                .await?;
        } else {
            let to = Audience {
                person: Some(request.person.id),
                deciders_of: &[department],
                hooks_of: &[department],
                ..Audience::default()
            };
            tell(&*transaction, &request, "request.revoked", ("授权已被收回", "its grant was revoked"), to).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// A request whose term begins or ends.
    async fn one_moved(&self) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "select id, valid_until <= now() from onemap.request
                   where (state in ('approved', 'active') and valid_until <= now()) or (state = 'approved' and valid_from <= now())
                   order by valid_until limit 1 for update skip locked";
        let Some(row) = transaction.query_opt(sql, &[]).await? else { return Ok(false) };
        let action = if row.get(1) { Action::Expire } else { Action::Begin };
        let request = read(&*transaction, row.get(0)).await?;
        moved(&transaction, &request, action, "", json!({})).await?;
        let (kind, text) = match action {
            Action::Expire => ("request.expired", ("已到期", "its term is over")),
            _ => ("request.active", ("现已生效", "it is in force")),
        };
        let department = request.department.as_str();
        let to = Audience { person: Some(request.person.id), hooks_of: &[department], ..Audience::default() };
        tell(&*transaction, &request, kind, text, to).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// A step that is due on the next working day or earlier: its approvers are reminded, once on each working day.
    async fn one_late(&self) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let (calendar, today) = (days::calendar(&*transaction).await?, days::today());
        if !calendar.is_working(today) {
            return Ok(false);
        }
        let horizon = calendar.due(today, 1);
        let sql = "select s.request_id, s.position, s.approver, s.due::text, s.due < $1::text::date from onemap.request_step s
                   join onemap.request r on r.id = s.request_id
                   where r.state = 'submitted' and s.state = 'pending' and s.due <= $2::text::date
                       and (s.reminded_on is null or s.reminded_on < $1::text::date)
                   order by s.due limit 1 for update of s skip locked";
        let Some(row) = transaction.query_opt(sql, &[&today.to_string(), &horizon.to_string()]).await? else {
            return Ok(false);
        };
        let (id, position, approver, due): (Uuid, i32, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let sql = "update onemap.request_step set reminded_on = $3::text::date where request_id = $1 and position = $2";
        transaction.execute(sql, &[&id, &position, &today.to_string()]).await?;
        let request = read(&*transaction, id).await?;
        let late: bool = row.get(4);
        let (zh, en) = match late {
            true => (format!("已超过办理时限 {due}"), format!("its decision was due on {due}")),
            false => (format!("请在 {due} 前办结"), format!("its decision is due on {due}")),
        };
        let deciders = deciders_of(&approver, &request);
        let to = Audience {
            deciders_of: &deciders,
            platform: approver == Step::Platform.name(),
            hooks_of: if late { &deciders } else { &[] },
            ..Audience::default()
        };
        tell(&*transaction, &request, "request.overdue", (&zh, &en), to).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// A term that ends within thirty days: announced once, so that it can be requested again in time.
    async fn one_expiring(&self) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "select id, (valid_until - interval '1 second')::date::text from onemap.request
                   where state = 'active' and not end_announced and valid_until < now() + make_interval(days => $1)
                       and valid_until - valid_from > make_interval(days => $1)
                   order by valid_until limit 1 for update skip locked";
        let Some(row) = transaction.query_opt(sql, &[&ANNOUNCED]).await? else { return Ok(false) };
        let (id, last): (Uuid, String) = (row.get(0), row.get(1));
        transaction.execute("update onemap.request set end_announced = true where id = $1", &[&id]).await?;
        let request = read(&*transaction, id).await?;
        let (zh, en) = (format!("将于 {last} 到期"), format!("its term ends on {last}"));
        let department = request.department.as_str();
        let to = Audience {
            person: Some(request.person.id),
            deciders_of: &[department],
            hooks_of: &[department],
            ..Audience::default()
        };
        tell(&*transaction, &request, "request.expiring", (&zh, &en), to).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn read(client: &impl GenericClient, id: Uuid) -> Result<Request> {
    let sql = format!("select {COLUMNS} {FROM} where r.id = $1");
    Request::of(&client.query_one(&sql, &[&id]).await?, NOBODY)
}

/// Moves a request as the platform itself does.
async fn moved(
    transaction: &Transaction<'_>,
    request: &Request,
    action: Action,
    note: &str,
    detail: serde_json::Value,
) -> Result<State> {
    let wanted = Move { action, steps_left: false };
    let to = next(request.at, wanted, &[Party::System])
        .map_err(|_| crate::error::Error::internal(format!("{action:?} from {}", request.state)))?;
    let version = request.version + 1;
    transaction
        .execute(
            "update onemap.request set state = $2, version = $3, updated_at = now() where id = $1",
            &[&request.id, &to.name(), &version],
        )
        .await?;
    let event = Happening { action: action.name(), from: Some(request.state), to: to.name(), version, note, detail };
    happened(transaction, None, request.id, event).await?;
    Ok(to)
}
