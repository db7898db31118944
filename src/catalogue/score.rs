//! How well a catalogue is kept, by record and department, and 三数一率: the platform's figures with what they are figures of.

use serde::Serialize;
use serde_json::{Value, json};

use super::model::{COMPLETENESS, FIELDS_CHANGED, FROM, OVERDUE, Score, TIMELINESS, UNUSED, USAGE};
use super::{Catalogue, VISIBLE};
use crate::access::principal::Principal;
use crate::error::Result;

#[derive(Debug, Clone, Serialize)]
pub struct Scores {
    pub departments: Vec<OfDepartment>,
    /// 三数一率.
    pub figures: Value,
    pub definitions: Value,
}

/// A department's mean over the records of it that the caller knows of.
#[derive(Debug, Clone, Serialize)]
pub struct OfDepartment {
    pub department: String,
    pub records: i64,
    pub score: Score,
    pub fields_changed: i64,
    pub update_overdue: i64,
    pub unused: i64,
}

impl Catalogue {
    pub async fn scores(&self, by: &Principal) -> Result<Scores> {
        let sql = format!(
            "select r.department_id, count(*), avg({COMPLETENESS})::float8, avg({TIMELINESS})::float8, avg({USAGE})::float8,
                 count(*) filter (where {FIELDS_CHANGED}), count(*) filter (where {OVERDUE}), count(*) filter (where {UNUSED})
             {FROM} where {VISIBLE} group by r.department_id order by r.department_id"
        );
        let client = self.database.app().await?;
        let departments = client
            .query(&sql, &[&by.department.as_deref()])
            .await?
            .iter()
            .map(|row| OfDepartment {
                department: row.get(0),
                records: row.get(1),
                score: Score::new(row.get(2), row.get(3), row.get(4)),
                fields_changed: row.get(5),
                update_overdue: row.get(6),
                unused: row.get(7),
            })
            .collect();
        drop(client);
        Ok(Scores { departments, figures: self.figures().await?, definitions: definitions() })
    }

    /// Counts of what is shared alone: a layer that is not shared does not show in them.
    async fn figures(&self) -> Result<Value> {
        let row = self
            .database
            .app()
            .await?
            .query_one(
                "select
                     (select count(*) from onemap.app_key where revoked_at is null and (expires_at is null or expires_at > now())),
                     (select count(*) from onemap.catalogue_record where share_class <> 'not_shared' and kind <> 'planned'),
                     (select count(*) from (select g.department_id, g.layer_id from onemap.access_grant g
                          where g.revoked_at is null and (g.valid_until is null or g.valid_until > now())
                          union select q.department_id, q.layer_id from onemap.request q
                          join onemap.layer l on l.id = q.layer_id and l.share_class <> 'not_shared' where q.state = 'active') used),
                     (select count(distinct department_id) from onemap.catalogue_record where share_class <> 'not_shared' and kind <> 'planned'),
                     (select count(*) from onemap.department)",
                &[],
            )
            .await?;
        let (connected, all): (i64, i64) = (row.get(3), row.get(4));
        Ok(json!({
            "integrated_systems": row.get::<_, i64>(0),
            "shared_items": row.get::<_, i64>(1),
            "cooperating_applications": row.get::<_, i64>(2),
            "connection_rate": {
                "numerator": connected, "denominator": all,
                "value": if all > 0 { (1000.0 * connected as f64 / all as f64).round() / 1000.0 } else { 0.0 },
            },
        }))
    }
}

fn definitions() -> Value {
    let said = |zh: &str, en: &str| json!({"zh": zh, "en": en});
    json!({
        "integrated_systems": said("接入系统数：未吊销、未到期的应用密钥数，一个密钥对应一个接入的业务系统",
            "application keys that are neither revoked nor expired: one for each system that is connected"),
        "shared_items": said("共享事项数：目录中无条件或有条件共享的资源数，不含计划中的",
            "resources in the catalogue that are shared, with conditions or without; planned ones do not count"),
        "cooperating_applications": said("协同应用数：单位与他单位图层的使用关系数，按有效授权和生效申请计，同一单位同一图层计一次",
            "pairs of a department and another's layer, by grants and requests in force, each pair once"),
        "connection_rate": said("接入率：至少共享一项资源的单位数 ÷ 全部单位数",
            "departments that share at least one resource, of all departments"),
        "completeness": said("完整度：十二个要素中已填写的比例（名称、摘要、提供方代码、格式、信息项、信息项的标题与类型、主题、共享条件、共享方式、开放条件、更新周期、发布日期）",
            "the filled part of twelve elements: name, abstract, provider's code, format, items, items' titles and types, theme, share condition, share mode, open condition, update cycle, date of publication"),
        "timeliness": said("及时性：数据更新在周期及宽限（周期的三分之一）内为 1，此后一个周期内降为 0；不定期更新的不计",
            "1 while the data are within their cycle and a third of it, then falling to 0 over one more; irregular ones do not count"),
        "usage": said("使用：90 天内被其他单位使用为 1，仅本单位使用为 0.5，无人使用为 0；不是图层的资源不计",
            "1 when another department used it within 90 days, 0.5 when only its own did, 0 otherwise; what is no layer does not count"),
        "total": said("总分：完整度、及时性、使用按 0.4、0.4、0.2 加权，乘以 100；不适用的部分不计权重",
            "100 times the mean weighted by 0.4, 0.4 and 0.2; what does not apply has no weight"),
    })
}
