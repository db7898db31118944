//! Moves: each is one transaction with the state, its history and audit rows, its notifications and what it grants or revokes. A process
//! that is killed leaves it done or not begun.

use jiff::civil::Date;
use onemap_approval::{Action, Move, Refusal, State, Step, next};
use serde_json::{Value, json};
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::history::{Happening, deciders_of, happened, tell};
use super::record::{Caller, Request, StepShown, load};
use super::terms::{Narrowing, Terms};
use super::{Approvals, Condition, days, steps};
use crate::access::grants::{self, NewGrant, area};
use crate::access::policy::ShareClass;
use crate::access::principal::Principal;
use crate::error::{Error, Result};
use crate::notice::Audience;

/// The longest note.
const LONGEST_NOTE: usize = 2000;

/// What somebody does to a request.
#[derive(Debug, Clone)]
pub struct Deed {
    pub action: Action,
    pub note: String,
    /// With an approval: less than was asked for.
    pub narrowing: Option<Narrowing>,
    /// With an approval: a GeoJSON polygon that the granted area must lie in.
    pub within: Option<Value>,
}

impl Deed {
    pub fn plain(action: Action, note: impl Into<String>) -> Deed {
        Deed { action, note: note.into(), narrowing: None, within: None }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether what somebody may see has changed, so that this node reads the rules anew before it answers.
    pub rules: bool,
}

pub(super) fn refused(refusal: Refusal, request: &Request) -> Error {
    let state = request.at;
    match refusal {
        Refusal::State => Error::conflict(
            format!("该申请处于“{}”状态，不能这样处理", state.zh()),
            format!("the request is {}: this cannot be done to it", state.name()),
        )
        .hint("可以进行的操作见 actions", "what can be done is named in `actions`"),
        Refusal::Party => Error::forbidden(
            "您不是该申请当前环节的处理人",
            "this is for somebody else to do: the current step is not yours",
        )
        .hint("当前环节见 steps；不能审批自己提出的申请", "see `steps`; nobody decides on a request of one's own"),
    }
}

impl Approvals {
    /// Does something to a request, if its state and the caller allow it.
    pub async fn act(&self, by: &Principal, id: Uuid, condition: Condition, deed: &Deed) -> Result<Outcome> {
        let caller = Caller::of(by)?;
        check_note(deed)?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let request = load(&*transaction, caller, id, true).await?;
        condition.check(request.version)?;
        let current = request.current().cloned();
        let last = request.steps.last().map(|s| s.position);
        let steps_left = current.as_ref().is_some_and(|s| Some(s.position) != last);
        let wanted = Move { action: deed.action, steps_left };
        let to = next(request.at, wanted, &request.parties(caller)).map_err(|r| refused(r, &request))?;
        let acting = Acting { approvals: self, transaction: &transaction, by, request: &request, deed };
        let rules = match deed.action {
            Action::Submit => acting.submit().await?,
            Action::Approve => acting.approve(current.as_ref(), to).await?,
            Action::Return | Action::Reject => acting.turn_down(current.as_ref(), to).await?,
            Action::Withdraw => acting.withdraw(to).await?,
            Action::Revoke | Action::Surrender => acting.end(to).await?,
            Action::Edit | Action::Record | Action::Begin | Action::Expire => {
                return Err(Error::internal(format!("{:?} is not asked for in this way", deed.action)));
            }
        };
        transaction.commit().await?;
        Ok(Outcome { rules })
    }
}

fn check_note(deed: &Deed) -> Result<()> {
    let reasoned = matches!(deed.action, Action::Return | Action::Reject | Action::Revoke | Action::Surrender);
    if reasoned && deed.note.trim().is_empty() {
        return Err(Error::invalid("note", "请说明理由", "the reason is missing"));
    }
    match deed.note.chars().count() > LONGEST_NOTE {
        true => Err(Error::invalid("note", "最多 2000 个字", "it has at most 2000 characters")),
        false => Ok(()),
    }
}

/// A deed under way, in its transaction.
struct Acting<'a> {
    approvals: &'a Approvals,
    transaction: &'a Transaction<'a>,
    by: &'a Principal,
    request: &'a Request,
    deed: &'a Deed,
}

impl Acting<'_> {
    fn version(&self) -> i32 {
        self.request.version + 1
    }

    async fn note(&self, to: State, detail: Value) -> Result<()> {
        let event = Happening {
            action: self.deed.action.name(),
            from: Some(self.request.state),
            to: to.name(),
            version: self.version(),
            note: self.deed.note.trim(),
            detail,
        };
        happened(self.transaction, Some(self.by), self.request.id, event).await
    }

    /// A further line, of what the platform does by itself.
    async fn noted_by_itself(&self, action: Action, from: State, to: State) -> Result<()> {
        let event = Happening {
            action: action.name(),
            from: Some(from.name()),
            to: to.name(),
            version: self.version(),
            note: "",
            detail: json!({}),
        };
        happened(self.transaction, None, self.request.id, event).await
    }

    async fn tell(&self, kind: &'static str, (zh, en): (&str, &str), to: Audience<'_>) -> Result<()> {
        tell(self.transaction, self.request, kind, (zh, en), to).await
    }

    /// What was unconditional is granted by itself; the rest goes its steps.
    async fn submit(&self) -> Result<bool> {
        let layer = self.approvals.requestable(self.by, &self.request.layer)?;
        let today = days::today();
        self.request.asked.check(&layer, today)?;
        if self.request.purpose.trim().is_empty() {
            return Err(Error::invalid("purpose", "请填写用途", "the purpose is missing"));
        }
        self.transaction.execute("delete from onemap.request_step where request_id = $1", &[&self.request.id]).await?;
        self.transaction
            .execute(
                "update onemap.request set state = 'submitted', version = $2, submitted_at = now(), decided_at = null, updated_at = now(),
                     granted = null, granted_area = null, layer_title_zh = $3, layer_title_en = $4 where id = $1",
                &[&self.request.id, &self.version(), &layer.title.zh, &layer.title.en],
            )
            .await?;
        self.note(State::Submitted, json!({})).await?;
        if layer.class == ShareClass::Unconditional {
            return self.record(today).await;
        }
        let configured = steps::of(self.transaction, &self.request.owner, &self.request.layer).await?;
        for (i, step) in configured.iter().enumerate() {
            self.transaction
                .execute(
                    "insert into onemap.request_step (request_id, position, approver, working_days) values ($1, $2, $3, $4)",
                    &[&self.request.id, &(i as i32 + 1), &step.approver, &step.working_days],
                )
                .await?;
        }
        if let Some(first) = configured.first() {
            self.put_before(1, &first.approver, first.working_days).await?;
        }
        Ok(false)
    }

    /// Sets a step's deadline and tells its approvers.
    async fn put_before(&self, position: i32, approver: &str, working_days: i32) -> Result<()> {
        let calendar = days::calendar(self.transaction).await?;
        let due = calendar.due(days::today(), working_days.unsigned_abs());
        self.transaction
            .execute(
                "update onemap.request_step set due = $3::text::date where request_id = $1 and position = $2",
                &[&self.request.id, &position, &due.to_string()],
            )
            .await?;
        let text = (format!("待审批，{due} 前办结"), format!("to be decided on by {due}"));
        let deciders = deciders_of(approver, self.request);
        self.tell(
            "request.submitted",
            (&text.0, &text.1),
            Audience {
                deciders_of: &deciders,
                platform: approver == Step::Platform.name(),
                hooks_of: &[&self.request.owner],
                ..Audience::default()
            },
        )
        .await
    }

    /// 无条件共享: the request is kept as a record of the use; the rules let everybody read already.
    async fn record(&self, today: Date) -> Result<bool> {
        let begins = self.begin(&self.request.asked, today).await?;
        self.transaction
            .execute("update onemap.request set granted_area = asked_area where id = $1", &[&self.request.id])
            .await?;
        self.noted_by_itself(Action::Record, State::Submitted, State::Approved).await?;
        self.tell_approved(begins, true).await?;
        Ok(false)
    }

    /// Writes what is granted and its term; true when it has begun.
    async fn begin(&self, granted: &Terms, today: Date) -> Result<bool> {
        let from = granted.from.map_or(today, |from| from.max(today));
        let begins = from == today;
        let state = if begins { State::Active } else { State::Approved };
        // A term begins now or at midnight, and ends with its last day.
        self.transaction
            .execute(
                "update onemap.request set state = $2, version = $3, granted = $4, decided_at = now(), updated_at = now(),
                     end_announced = false, valid_from = case when $5 then now() else $6::text::date::timestamptz end,
                     valid_until = ($7::text::date + 1)::timestamptz where id = $1",
                &[
                    &self.request.id,
                    &state.name(),
                    &self.version(),
                    &serde_json::to_value(granted)?,
                    &begins,
                    &from.to_string(),
                    &granted.until.unwrap_or(today).to_string(),
                ],
            )
            .await?;
        Ok(begins)
    }

    async fn approve(&self, current: Option<&StepShown>, to: State) -> Result<bool> {
        let Some(current) = current else { return Err(refused(Refusal::State, self.request)) };
        let layer = self.approvals.layer(&self.request.layer)?;
        if layer.class != ShareClass::Conditional {
            return Err(Error::conflict(
                "该图层已不是有条件共享，无需或不能审批",
                "the layer is no longer shared conditionally: there is nothing to approve",
            )
            .hint("可退回该申请并说明情况", "return the request and say so"));
        }
        let today = days::today();
        let none = Narrowing::default();
        let base = self.request.granted.as_ref().unwrap_or(&self.request.asked);
        let granted = base.narrowed(self.deed.narrowing.as_ref().unwrap_or(&none), today)?;
        // Fields may have gone since it was asked for.
        granted.check(&layer, today)?;
        self.narrow_area().await?;
        self.close_step(current, "approved").await?;
        let detail = json!({"step": current.position, "approver": current.approver, "granted": granted,
            "area": self.deed.within.is_some()});
        if to == State::Submitted {
            self.transaction
                .execute(
                    "update onemap.request set version = $2, granted = $3, updated_at = now() where id = $1",
                    &[&self.request.id, &self.version(), &serde_json::to_value(&granted)?],
                )
                .await?;
            self.note(to, detail).await?;
            if let Some(following) = self.request.steps.iter().find(|s| s.position == current.position + 1) {
                self.put_before(following.position, &following.approver, following.working_days).await?;
            }
            return Ok(false);
        }
        let begins = self.begin(&granted, today).await?;
        self.note(State::Approved, detail).await?;
        self.give(&granted).await?;
        self.tell_approved(begins, false).await?;
        Ok(true)
    }

    /// What of the asked area is left: by earlier steps, and by what this one draws.
    async fn narrow_area(&self) -> Result<()> {
        let drawn = self.deed.within.as_ref().map(|v| area::checked(&v.to_string())).transpose()?;
        let empty: bool = self
            .transaction
            .query_one(
                "with drawn as (select st_makevalid(st_setsrid(st_force2d(st_geomfromgeojson($2)), 4490)) as g)
                 update onemap.request r set granted_area = st_multi(st_collectionextract(case
                     when $2::text is null then coalesce(r.granted_area, r.asked_area)
                     when coalesce(r.granted_area, r.asked_area) is null then (select g from drawn)
                     else st_intersection(coalesce(r.granted_area, r.asked_area), (select g from drawn)) end, 3))
                 where r.id = $1 returning coalesce(st_isempty(granted_area), false)",
                &[&self.request.id, &drawn],
            )
            .await?
            .get(0);
        match empty {
            true => {
                Err(Error::invalid("area", "所画范围在申请范围之外", "the area lies outside of what was asked for"))
            }
            false => Ok(()),
        }
    }

    /// The grant that the approved request becomes.
    async fn give(&self, granted: &Terms) -> Result<()> {
        let request = self.request;
        let row = self
            .transaction
            .query_one(
                "select st_asgeojson(granted_area, 12), extract(epoch from valid_from)::int8, extract(epoch from valid_until)::int8,
                     valid_from > now() from onemap.request where id = $1",
                &[&request.id],
            )
            .await?;
        let area: Option<String> = row.get(0);
        let moment = |seconds: Option<i64>| {
            let seconds = u64::try_from(seconds?).ok()?;
            Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
        };
        let new = NewGrant {
            layer: request.layer.clone(),
            department: request.department.clone(),
            rights: granted.rights,
            fields: granted.fields.clone(),
            filter: granted.filter.clone(),
            divisions: if area.is_some() { granted.divisions.clone() } else { vec![] },
            area,
            purpose: request.purpose.chars().take(1000).collect(),
            legal_basis: request.legal_basis.chars().take(1000).collect(),
            case_number: request.case_number.chars().take(1000).collect(),
            // One that has begun is in force without the clocks of two machines being compared.
            valid_from: moment(row.get(1)).filter(|_| row.get(3)),
            valid_until: moment(row.get(2)),
            request_id: Some(request.id),
        };
        let grant = grants::create(self.transaction, self.by, &new).await?;
        self.transaction
            .execute("update onemap.request set grant_id = $2 where id = $1", &[&request.id, &grant])
            .await?;
        Ok(())
    }

    async fn tell_approved(&self, begins: bool, by_itself: bool) -> Result<()> {
        if begins {
            self.noted_by_itself(Action::Begin, State::Approved, State::Active).await?;
        }
        let (zh, en) = match (by_itself, begins) {
            (true, _) => ("无条件共享，已自动登记", "recorded: the layer is shared unconditionally"),
            (false, true) => ("已批准，现已生效", "approved and in force"),
            (false, false) => ("已批准，到起始日期生效", "approved; it begins on its first day"),
        };
        let hooks = [self.request.department.as_str(), self.request.owner.as_str()];
        let to = Audience {
            person: Some(self.request.person.id),
            hooks_of: if by_itself { &hooks } else { &hooks[..1] },
            ..Audience::default()
        };
        self.tell("request.approved", (zh, en), to).await
    }

    async fn close_step(&self, step: &StepShown, state: &str) -> Result<()> {
        self.transaction
            .execute(
                "update onemap.request_step set state = $3, decided_by = $4, decided_at = now(), note = $5
                 where request_id = $1 and position = $2",
                &[&self.request.id, &step.position, &state, &self.by.name(), &self.deed.note.trim()],
            )
            .await?;
        Ok(())
    }

    async fn turn_down(&self, current: Option<&StepShown>, to: State) -> Result<bool> {
        let Some(current) = current else { return Err(refused(Refusal::State, self.request)) };
        self.close_step(current, to.name()).await?;
        self.transaction
            .execute(
                "update onemap.request set state = $2, version = $3, granted = null, granted_area = null, updated_at = now(),
                     decided_at = case when $2 = 'rejected' then now() end where id = $1",
                &[&self.request.id, &to.name(), &self.version()],
            )
            .await?;
        self.note(to, json!({"step": current.position, "approver": current.approver})).await?;
        let (kind, text) = match to {
            State::Rejected => ("request.rejected", ("已驳回", "rejected")),
            _ => ("request.returned", ("已退回，请修改后重新提交", "returned: mend it and submit it again")),
        };
        let to = Audience {
            person: Some(self.request.person.id),
            hooks_of: &[&self.request.department],
            ..Audience::default()
        };
        self.tell(kind, text, to).await?;
        Ok(false)
    }

    async fn withdraw(&self, to: State) -> Result<bool> {
        self.transaction
            .execute(
                "update onemap.request set state = $2, version = $3, granted = null, granted_area = null, submitted_at = null,
                     updated_at = now() where id = $1",
                &[&self.request.id, &to.name(), &self.version()],
            )
            .await?;
        self.note(to, json!({})).await?;
        if let Some(current) = self.request.current() {
            let deciders = deciders_of(&current.approver, self.request);
            let to = Audience {
                deciders_of: &deciders,
                platform: current.approver == Step::Platform.name(),
                hooks_of: &[&self.request.owner],
                ..Audience::default()
            };
            self.tell("request.withdrawn", ("申请单位已撤回", "withdrawn by its department"), to).await?;
        }
        self.transaction.execute("delete from onemap.request_step where request_id = $1", &[&self.request.id]).await?;
        Ok(false)
    }

    /// Revoked by the owner or surrendered by the grantee: the grant ends in the same transaction.
    async fn end(&self, to: State) -> Result<bool> {
        if let Some(grant) = self.request.grant {
            let gone = "select revoked_at is not null from onemap.access_grant where id = $1 for update";
            if !self.transaction.query_one(gone, &[&grant]).await?.get::<_, bool>(0) {
                let reason: String = self.deed.note.trim().chars().take(1000).collect();
                grants::revoke(self.transaction, self.by, grant, &reason).await?;
            }
        }
        self.transaction
            .execute(
                "update onemap.request set state = $2, version = $3, updated_at = now() where id = $1",
                &[&self.request.id, &to.name(), &self.version()],
            )
            .await?;
        self.note(to, json!({"grant": self.request.grant})).await?;
        if to == State::Revoked {
            let to = Audience {
                person: Some(self.request.person.id),
                deciders_of: &[&self.request.department],
                hooks_of: &[&self.request.department],
                ..Audience::default()
            };
            self.tell("request.revoked", ("授权已被提供单位收回", "revoked by its owner"), to).await?;
        } else {
            let owner = self.request.owner.as_str();
            let to = Audience { deciders_of: &[owner], hooks_of: &[owner], ..Audience::default() };
            self.tell("request.surrendered", ("申请单位已交回授权", "surrendered by its department"), to).await?;
        }
        Ok(self.request.grant.is_some())
    }
}
