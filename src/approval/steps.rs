//! Who decides, in which order and within how many working days: by configuration of the owner's department, for all its layers or for
//! one.

use onemap_approval::Step;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::GenericClient;

use super::Approvals;
use crate::access::audit::{self, Entry};
use crate::access::principal::Principal;
use crate::error::{Error, Result};

/// Steps of one approval at most.
const MOST: usize = 5;
/// The working days of a decision where nothing is configured (国发〔2016〕51号: the provider answers within 10 working days).
const WORKING_DAYS: i32 = 10;

/// A step as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configured {
    /// requester, owner or platform.
    pub approver: String,
    pub working_days: i32,
}

/// The steps that a request for a layer goes through: the layer's own, else its department's, else the owner alone.
pub(super) async fn of(client: &impl GenericClient, department: &str, layer: &str) -> Result<Vec<Configured>> {
    for layer in [Some(layer), None] {
        let steps = configured(client, department, layer).await?;
        if !steps.is_empty() {
            return Ok(steps);
        }
    }
    Ok(vec![Configured { approver: Step::Owner.name().into(), working_days: WORKING_DAYS }])
}

async fn configured(client: &impl GenericClient, department: &str, layer: Option<&str>) -> Result<Vec<Configured>> {
    let sql = "select approver, working_days from onemap.approval_step
               where department_id = $1 and layer_id is not distinct from $2 order by position";
    let rows = client.query(sql, &[&department, &layer]).await?;
    Ok(rows.iter().map(|r| Configured { approver: r.get(0), working_days: r.get(1) }).collect())
}

fn check(steps: &[Configured]) -> Result<()> {
    let wrong = |zh: &str, en: &str| Err(Error::invalid("steps", zh, en));
    if steps.len() > MOST {
        return wrong("审批最多五步", "an approval has five steps at most");
    }
    if steps.iter().any(|s| Step::parse(&s.approver).is_none()) {
        return wrong("审批方为 requester、owner 或 platform", "an approver is requester, owner or platform");
    }
    if steps.iter().any(|s| !(1..=60).contains(&s.working_days)) {
        return wrong("时限为 1 到 60 个工作日", "a decision has 1 to 60 working days");
    }
    // Nobody else may give an owner's data away.
    match steps.is_empty() || steps.iter().any(|s| s.approver == Step::Owner.name()) {
        true => Ok(()),
        false => wrong("审批步骤必须包含提供单位", "the owner is one of the steps"),
    }
}

impl Approvals {
    /// The department's steps, or those of one of its layers, as they apply.
    pub async fn steps(&self, department: &str, layer: Option<&str>) -> Result<Vec<Configured>> {
        if let Some(layer) = layer {
            self.own(department, layer)?;
        }
        let client = self.database.app().await?;
        of(&**client, department, layer.unwrap_or_default()).await
    }

    /// Sets them; none gives back what applies without. Requests under way keep the steps that they began with.
    pub async fn set_steps(
        &self,
        by: &Principal,
        department: &str,
        layer: Option<&str>,
        steps: &[Configured],
    ) -> Result<()> {
        check(steps)?;
        if let Some(layer) = layer {
            self.own(department, layer)?;
        }
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        // One at a time for a department, so that two sets of steps do not mix.
        transaction.execute("select 1 from onemap.department where id = $1 for update", &[&department]).await?;
        let sql = "delete from onemap.approval_step where department_id = $1 and layer_id is not distinct from $2";
        transaction.execute(sql, &[&department, &layer]).await?;
        for (i, step) in steps.iter().enumerate() {
            let sql = "insert into onemap.approval_step (department_id, layer_id, position, approver, working_days)
                       values ($1, $2, $3, $4, $5)";
            let position = i as i32 + 1;
            transaction.execute(sql, &[&department, &layer, &position, &step.approver, &step.working_days]).await?;
        }
        let detail = json!({"department": department, "layer": layer, "steps": steps});
        let entry =
            Entry { action: "set", object_kind: "approval_steps", object_id: layer.unwrap_or(department), detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A layer of the department; of another's it is not told whether there is one.
    fn own(&self, department: &str, layer: &str) -> Result<()> {
        match self.layer(layer)?.department.as_ref() == department {
            true => Ok(()),
            false => Err(super::no_layer()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_never_passed_over() {
        let step = |approver: &str, working_days| Configured { approver: approver.into(), working_days };
        assert!(check(&[step("owner", 5), step("platform", 3)]).is_ok());
        assert!(check(&[]).is_ok());
        assert!(check(&[step("platform", 3)]).is_err());
        assert!(check(&[step("owner", 0)]).is_err());
        assert!(check(&[step("boss", 3), step("owner", 3)]).is_err());
        assert!(check(&vec![step("owner", 3); 6]).is_err());
    }
}
