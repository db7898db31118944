//! A request as it is kept and shown, and who is what to it.

use onemap_approval::{Action, Move, Party, State, Step, next};
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::terms::Terms;
use super::{Approvals, no_request};
use crate::access::principal::{Principal, Role, Who};
use crate::error::{Error, Result};
use crate::layer::model::Title;

/// A request as its parties see it.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    pub id: Uuid,
    pub version: i32,
    pub state: &'static str,
    pub layer: String,
    pub layer_title: Title,
    pub owner: String,
    pub department: String,
    pub person: Person,
    pub purpose: String,
    pub legal_basis: String,
    pub case_number: String,
    pub asked: Terms,
    pub granted: Option<Terms>,
    /// GeoJSON in EPSG:4490; where one request is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_area: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_area: Option<Value>,
    pub asked_area_km2: Option<f64>,
    pub granted_area_km2: Option<f64>,
    pub valid_from: Option<String>,
    pub valid_until: Option<String>,
    /// The grant that stands behind it; none for what is shared unconditionally.
    pub grant: Option<i64>,
    pub steps: Vec<StepShown>,
    pub attachment: Option<Value>,
    pub created: String,
    pub updated: String,
    pub submitted: Option<String>,
    pub decided: Option<String>,
    /// What the caller may do with it now.
    pub actions: Vec<&'static str>,
    #[serde(skip)]
    pub(super) at: State,
    /// A draft that was never submitted: nobody but its writer has had to do with it.
    #[serde(skip)]
    pub(super) unseen: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Person {
    #[serde(skip)]
    pub id: i64,
    pub login: String,
    pub name: String,
}

/// A step of the current submission.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub struct StepShown {
    pub position: i32,
    pub approver: String,
    /// Whose people decide; none for the platform's administrators.
    pub department: Option<String>,
    pub working_days: i32,
    pub state: String,
    pub due: Option<String>,
    pub overdue: bool,
    pub decided_by: Option<String>,
    pub decided: Option<String>,
    pub note: String,
}

/// A line of a request's history.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    pub at: String,
    pub by: String,
    pub name: String,
    pub department: Option<String>,
    pub action: String,
    pub from: Option<String>,
    pub to: String,
    pub version: i32,
    pub note: String,
    pub detail: Value,
}

/// The person who asks, as requests know people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub person: i64,
    pub department: &'a str,
    pub role: Role,
}

impl<'a> Caller<'a> {
    pub fn of(principal: &'a Principal) -> Result<Caller<'a>> {
        match (&principal.who, &principal.department) {
            (Who::Person { id, role, .. }, Some(department)) => Ok(Caller { person: *id, department, role: *role }),
            _ => Err(Error::forbidden("此操作需要以个人身份登录", "this needs a person's session")),
        }
    }

    pub fn is_platform(self) -> bool {
        self.role == Role::PlatformAdministrator
    }
}

/// Which requests a person knows of: those of the own department (a draft is its writer's and the deciders'), those that lie before the own
/// department as the owner, those that the platform decides on. $1 to $4 are `Caller::bound`.
pub(super) const VISIBLE: &str = "((r.department_id = $1 and (r.state <> 'draft' or r.person_id = $4 or $2))
    or (r.owner_id = $1 and $2 and r.state <> 'draft')
    or ($3 and r.state <> 'draft' and exists (select from onemap.request_step p where p.request_id = r.id and p.approver = 'platform')))";

pub(super) const COLUMNS: &str = "r.id, r.version, r.state, r.layer_id, r.layer_title_zh, r.layer_title_en, r.owner_id, r.department_id,
    r.person_id, p.login, p.name, r.purpose, r.legal_basis, r.case_number, r.asked, r.granted,
    round((st_area(r.asked_area::geography) / 1e6)::numeric, 6)::float8 as asked_km2,
    round((st_area(r.granted_area::geography) / 1e6)::numeric, 6)::float8 as granted_km2,
    to_char(r.valid_from at time zone 'UTC', t.iso) as valid_from, to_char(r.valid_until at time zone 'UTC', t.iso) as valid_until,
    r.grant_id, to_char(r.created_at at time zone 'UTC', t.iso) as created, to_char(r.updated_at at time zone 'UTC', t.iso) as updated,
    to_char(r.submitted_at at time zone 'UTC', t.iso) as submitted, to_char(r.decided_at at time zone 'UTC', t.iso) as decided,
    (select jsonb_agg(jsonb_build_object('position', s.position, 'approver', s.approver,
         'department', case s.approver when 'owner' then r.owner_id when 'requester' then r.department_id end,
         'working_days', s.working_days, 'state', s.state, 'due', s.due, 'overdue', s.state = 'pending' and coalesce(s.due < current_date, false),
         'decided_by', s.decided_by, 'decided', to_char(s.decided_at at time zone 'UTC', t.iso), 'note', s.note) order by s.position)
     from onemap.request_step s where s.request_id = r.id) as steps,
    (select jsonb_build_object('filename', a.filename, 'media', a.media, 'size', a.size, 'sha256', a.sha256)
     from onemap.request_attachment a where a.request_id = r.id) as attachment,
    r.state = 'draft' and not exists (select from onemap.request_event e where e.request_id = r.id and e.action = 'submit') as unseen";

pub(super) const FROM: &str = "from onemap.request r join onemap.person p on p.id = r.person_id
    cross join (select 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'::text as iso) t";

impl Request {
    pub(super) fn of(row: &Row, caller: Caller<'_>) -> Result<Request> {
        let at = State::parse(row.get("state")).ok_or_else(|| Error::internal("a request in an unknown state"))?;
        let granted: Option<Value> = row.get("granted");
        let steps: Option<Value> = row.get("steps");
        let mut request = Request {
            id: row.get("id"),
            version: row.get("version"),
            state: at.name(),
            layer: row.get("layer_id"),
            layer_title: Title { zh: row.get("layer_title_zh"), en: row.get("layer_title_en") },
            owner: row.get("owner_id"),
            department: row.get("department_id"),
            person: Person { id: row.get("person_id"), login: row.get("login"), name: row.get("name") },
            purpose: row.get("purpose"),
            legal_basis: row.get("legal_basis"),
            case_number: row.get("case_number"),
            asked: serde_json::from_value(row.get("asked"))?,
            granted: granted.map(serde_json::from_value).transpose()?,
            asked_area: None,
            granted_area: None,
            asked_area_km2: row.get("asked_km2"),
            granted_area_km2: row.get("granted_km2"),
            valid_from: row.get("valid_from"),
            valid_until: row.get("valid_until"),
            grant: row.get("grant_id"),
            steps: steps.map(serde_json::from_value).transpose()?.unwrap_or_default(),
            attachment: row.get("attachment"),
            created: row.get("created"),
            updated: row.get("updated"),
            submitted: row.get("submitted"),
            decided: row.get("decided"),
            actions: vec![],
            at,
            unseen: row.get("unseen"),
        };
        let parties = request.parties(caller);
        let wanted = |action| Move { action, steps_left: false };
        request.actions = Action::ALL
            .into_iter()
            .filter(|action| next(at, wanted(*action), &parties).is_ok())
            .map(Action::name)
            .collect();
        if request.unseen && next(at, wanted(Action::Edit), &parties).is_ok() {
            request.actions.push("discard");
        }
        Ok(request)
    }

    /// The step that a decision is about.
    pub(super) fn current(&self) -> Option<&StepShown> {
        self.steps.iter().find(|s| s.state == "pending").filter(|_| self.at == State::Submitted)
    }

    /// As what somebody may act on it. Nobody decides on a request of one's own.
    pub(super) fn parties(&self, caller: Caller<'_>) -> Vec<Party> {
        let mut parties = vec![];
        let (own, decides) = (caller.person == self.person.id, caller.role.decides());
        // A term is given back by whoever may decide for the department; the rest its writer does too.
        if caller.department == self.department && (decides || (own && !self.at.is_granted())) {
            parties.push(Party::Requester);
        }
        let step = self.current().and_then(|s| Step::parse(&s.approver));
        let before = match step {
            Some(Step::Requester) => decides && caller.department == self.department,
            Some(Step::Owner) => decides && caller.department == self.owner,
            Some(Step::Platform) => caller.is_platform(),
            None => false,
        };
        if before && !own {
            parties.push(Party::Approver);
        }
        // What was used without a grant cannot be taken away by one.
        if self.grant.is_some() && ((decides && caller.department == self.owner) || caller.is_platform()) {
            parties.push(Party::Owner);
        }
        parties
    }
}

/// Reads a request that the caller knows of; `locked` keeps it from everybody else until the transaction ends.
pub(super) async fn load(client: &impl GenericClient, caller: Caller<'_>, id: Uuid, locked: bool) -> Result<Request> {
    if locked {
        // By itself: a statement that waits for a row sees the others' rows as they were before it waited.
        client.query_opt("select 1 from onemap.request where id = $1 for update", &[&id]).await?;
    }
    let sql = format!("select {COLUMNS} {FROM} where {VISIBLE} and r.id = $5");
    let bound = (caller.department, caller.role.decides(), caller.is_platform(), caller.person);
    let row = client.query_opt(&sql, &[&bound.0, &bound.1, &bound.2, &bound.3, &id]).await?;
    Request::of(&row.ok_or_else(no_request)?, caller)
}

impl Approvals {
    /// A request with its areas.
    pub async fn get(&self, by: &Principal, id: Uuid) -> Result<Request> {
        let client = self.database.app().await?;
        let mut request = load(&**client, Caller::of(by)?, id, false).await?;
        let sql = "select st_asgeojson(asked_area, 8)::jsonb, st_asgeojson(granted_area, 8)::jsonb from onemap.request where id = $1";
        let row = client.query_one(sql, &[&id]).await?;
        (request.asked_area, request.granted_area) = (row.get(0), row.get(1));
        Ok(request)
    }

    /// Everything that happened to a request, oldest first.
    pub async fn history(&self, by: &Principal, id: Uuid) -> Result<Vec<Event>> {
        let client = self.database.app().await?;
        load(&**client, Caller::of(by)?, id, false).await?;
        let sql = "select to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), principal, name, department_id, action,
                       from_state, to_state, version, note, detail
                   from onemap.request_event where request_id = $1 order by id";
        let rows = client.query(sql, &[&id]).await?;
        Ok(rows
            .iter()
            .map(|r| Event {
                at: r.get(0),
                by: r.get(1),
                name: r.get(2),
                department: r.get(3),
                action: r.get(4),
                from: r.get(5),
                to: r.get(6),
                version: r.get(7),
                note: r.get(8),
                detail: r.get(9),
            })
            .collect())
    }
}
