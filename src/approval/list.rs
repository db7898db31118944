//! Lists of requests, by what the caller is to them. Newest first; a page begins after the last id of the one before.

use serde::Serialize;
use uuid::Uuid;

use super::Approvals;
use super::record::{COLUMNS, Caller, FROM, Request, VISIBLE};
use crate::access::principal::Principal;
use crate::error::Result;

/// Requests of one page at most.
pub const MOST: i64 = 200;

/// What the caller is to the requests of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// All that one knows of.
    #[default]
    All,
    /// Written by oneself.
    Mine,
    /// Of one's department.
    Department,
    /// For layers of one's department.
    Incoming,
    /// Before oneself.
    ToDecide,
    /// On which one has decided.
    Decided,
}

impl View {
    pub const ALL: [View; 6] = [View::All, View::Mine, View::Department, View::Incoming, View::ToDecide, View::Decided];

    pub fn name(self) -> &'static str {
        match self {
            View::All => "all",
            View::Mine => "mine",
            View::Department => "department",
            View::Incoming => "incoming",
            View::ToDecide => "to_decide",
            View::Decided => "decided",
        }
    }

    pub fn parse(name: &str) -> Option<View> {
        View::ALL.into_iter().find(|v| v.name() == name)
    }

    fn condition(self) -> &'static str {
        match self {
            View::All => "true",
            View::Mine => "r.person_id = $4",
            View::Department => "r.department_id = $1",
            View::Incoming => "r.owner_id = $1",
            View::ToDecide => {
                "r.state = 'submitted' and r.person_id <> $4 and exists (select from onemap.request_step s
                     where s.request_id = r.id and s.state = 'pending' and s.due is not null
                         and (($2 and s.approver = 'owner' and r.owner_id = $1)
                             or ($2 and s.approver = 'requester' and r.department_id = $1)
                             or ($3 and s.approver = 'platform')))"
            }
            View::Decided => {
                "exists (select from onemap.request_event e where e.request_id = r.id and e.principal = $9
                     and e.action in ('approve', 'return', 'reject', 'revoke'))"
            }
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub view: View,
    pub state: Option<String>,
    pub layer: Option<String>,
    pub after: Option<Uuid>,
    pub limit: i64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Page {
    pub requests: Vec<Request>,
    /// The `after` of the next page.
    pub next: Option<Uuid>,
}

impl Approvals {
    pub async fn list(&self, by: &Principal, wanted: &Wanted) -> Result<Page> {
        let caller = Caller::of(by)?;
        // UUIDs of version 7 are in the order of their making.
        let sql = format!(
            "select {COLUMNS} {FROM} where {VISIBLE} and {} and ($5::text is null or r.state = $5)
                 and ($6::text is null or r.layer_id = $6) and ($7::uuid is null or r.id < $7) and $9::text is not null
             order by r.id desc limit $8",
            wanted.view.condition()
        );
        let client = self.database.app().await?;
        let (decides, platform) = (caller.role.decides(), caller.is_platform());
        let rows = client
            .query(
                &sql,
                &[
                    &caller.department,
                    &decides,
                    &platform,
                    &caller.person,
                    &wanted.state,
                    &wanted.layer,
                    &wanted.after,
                    &(wanted.limit + 1),
                    &by.name(),
                ],
            )
            .await?;
        let more = rows.len() as i64 > wanted.limit;
        let shown = rows.iter().take(wanted.limit as usize);
        let requests = shown.map(|row| Request::of(row, caller)).collect::<Result<Vec<_>>>()?;
        let next = requests.last().filter(|_| more).map(|r| r.id);
        Ok(Page { requests, next })
    }
}
