//! People: made, changed and barred by administrators. A department's administrator manages its own people, the platform's all.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::Row;

use super::audit::{self, Entry};
use super::login::Login;
use super::passwords::{hash_password, secret};
use super::principal::{Principal, Role, Who};
use crate::error::{Error, Result};

/// People of one list at most.
const MOST: i64 = 1000;

#[derive(Debug, Serialize)]
pub struct Person {
    pub id: i64,
    pub login: String,
    pub name: String,
    pub department: String,
    pub role: String,
    pub active: bool,
    pub locked: bool,
    pub second_factor: bool,
    pub must_change_password: bool,
    pub created: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    pub login: String,
    pub name: String,
    /// By default the department of whoever makes it.
    pub department: Option<String>,
    pub role: Role,
}

/// What is to change of a person; what is none stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub name: Option<String>,
    pub department: Option<String>,
    pub role: Option<Role>,
    pub active: Option<bool>,
}

const PERSON: &str = "p.id, p.login, p.name, p.department_id, p.role, p.active, coalesce(p.locked_until > now(), false),
    f.confirmed_at is not null or exists (select from onemap.certificate c where c.person_id = p.id and c.revoked_at is null),
    p.must_change_password, to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
    from onemap.person p left join onemap.second_factor f on f.person_id = p.id";

impl Login {
    /// The people that `by` manages: of one department, or of all that may be seen; `q` is part of a login or a name.
    pub async fn people(&self, by: &Principal, department: Option<&str>, q: Option<&str>) -> Result<Vec<Person>> {
        let own = by.department.as_deref().filter(|_| !runs_platform(by));
        if own.is_some() && department.is_some_and(|wanted| Some(wanted) != own) {
            return Err(not_managed());
        }
        let client = self.database.app().await?;
        let sql = format!(
            "select {PERSON} where ($1::text is null or p.department_id = $1)
             and ($2::text is null or strpos(lower(p.login || chr(10) || p.name), lower($2)) > 0) order by p.login limit $3"
        );
        let rows = client.query(&sql, &[&department.or(own), &q, &MOST]).await?;
        Ok(rows.iter().map(person).collect())
    }

    pub async fn person(&self, by: &Principal, id: i64) -> Result<Person> {
        let client = self.database.app().await?;
        let row = client.query_opt(&format!("select {PERSON} where p.id = $1"), &[&id]).await?;
        row.map(|row| person(&row)).filter(|person| manages(by, &person.department)).ok_or_else(unknown)
    }

    /// Makes a person; the first password, which has to be changed.
    pub async fn create_person(&self, by: &Principal, new: &NewPerson) -> Result<(i64, String)> {
        let department = new.department.as_deref().or(by.department.as_deref()).ok_or_else(not_managed)?;
        let (login, name) = (new.login.trim(), new.name.trim());
        if !is_login(login) {
            return Err(Error::invalid(
                "login",
                "用户名为 2 到 100 个小写字母、数字或 . - _ @",
                "a user name has 2 to 100 lower-case letters, digits, or . - _ @",
            ));
        }
        check_name(name)?;
        if !manages(by, department) {
            return Err(not_managed());
        }
        may_give(by, new.role)?;
        let password = secret();
        let hash = hash_password(password.clone()).await?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        known_department(&transaction, department).await?;
        let row = transaction
            .query_opt(
                "insert into onemap.person (login, name, department_id, role, password_hash, must_change_password)
                 values ($1, $2, $3, $4, $5, true) on conflict (login) do nothing returning id",
                &[&login, &name, &department, &new.role.name(), &hash],
            )
            .await?
            .ok_or_else(|| Error::conflict("该用户名已被使用", "this user name is taken"))?;
        write_audit(&transaction, by, "create", login, json!({"department": department, "role": new.role})).await?;
        transaction.commit().await?;
        Ok((row.get(0), password))
    }

    /// Changes a person. Whoever is barred, moved or given another role is signed out (a trigger sees to it, also past this function).
    pub async fn change_person(&self, by: &Principal, id: i64, change: &Change) -> Result<()> {
        if let Some(name) = &change.name {
            check_name(name.trim())?;
        }
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        // Two administrators who take the role from each other: one after the other.
        transaction.execute("select pg_advisory_xact_lock(hashtext('onemap.person'))", &[]).await?;
        let (login, department, role) = managed(&*transaction, by, id).await?;
        let itself = matches!(by.who, Who::Person { id: own, .. } if own == id);
        if itself && (change.role.is_some() || change.active.is_some() || change.department.is_some()) {
            return Err(Error::conflict(
                "不能改变自己的角色、单位或状态",
                "nobody changes the own role, department or state",
            )
            .hint("请由另一位管理员操作", "ask another administrator"));
        }
        if let Some(wanted) = change.department.as_deref().filter(|wanted| *wanted != department) {
            if !runs_platform(by) {
                return Err(not_managed());
            }
            known_department(&transaction, wanted).await?;
        }
        if let Some(wanted) = change.role.filter(|wanted| *wanted != role) {
            may_give(by, wanted)?;
            let crosses = |a: Role, b: Role| a.is_administrator() && b == Role::Auditor;
            if crosses(role, wanted) || crosses(wanted, role) {
                return Err(Error::conflict(
                    "管理员与审计员不能是同一人，不能互相转换",
                    "an administrator is never the auditor: the one does not become the other",
                )
                .hint("请为另一人建立账号", "make an account for another person"));
            }
        }
        let steps_down = change.active == Some(false) || change.role.is_some_and(|r| r != Role::PlatformAdministrator);
        if role == Role::PlatformAdministrator && steps_down {
            another_administrator(&transaction, id).await?;
        }
        let name = change.name.as_deref().map(str::trim);
        transaction
            .execute(
                "update onemap.person set name = coalesce($2, name), department_id = coalesce($3, department_id),
                     role = coalesce($4, role), active = coalesce($5, active) where id = $1",
                &[&id, &name, &change.department, &change.role.map(Role::name), &change.active],
            )
            .await?;
        let detail =
            json!({"name": name, "department": change.department, "role": change.role, "active": change.active});
        write_audit(&transaction, by, "change", &login, detail).await?;
        transaction.commit().await?;
        self.forget();
        Ok(())
    }

    /// Gives a person another first password and ends what there is of sessions and locks.
    pub async fn reset_password(&self, by: &Principal, id: i64) -> Result<String> {
        let password = secret();
        let hash = hash_password(password.clone()).await?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let (login, ..) = managed(&*transaction, by, id).await?;
        transaction
            .execute(
                "with before as (insert into onemap.password_history (person_id, password_hash)
                     select id, password_hash from onemap.person where id = $1)
                 update onemap.person set password_hash = $2, password_changed_at = now(), must_change_password = true,
                     failures = 0, locked_until = null where id = $1",
                &[&id, &hash],
            )
            .await?;
        transaction.execute("delete from onemap.session where person_id = $1", &[&id]).await?;
        write_audit(&transaction, by, "reset_password", &login, json!({})).await?;
        transaction.commit().await?;
        self.forget();
        Ok(password)
    }

    /// Signs a person out everywhere.
    pub async fn end_sessions(&self, by: &Principal, id: i64) -> Result<u64> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let (login, ..) = managed(&*transaction, by, id).await?;
        let ended = transaction.execute("delete from onemap.session where person_id = $1", &[&id]).await?;
        write_audit(&transaction, by, "end_sessions", &login, json!({ "sessions": ended })).await?;
        transaction.commit().await?;
        self.forget();
        Ok(ended)
    }

    /// Removes the second factor of a person whose device is lost.
    pub async fn reset_factor(&self, by: &Principal, id: i64) -> Result<()> {
        let client = self.database.app().await?;
        let (login, ..) = managed(&**client, by, id).await?;
        self.remove_factor(by, (id, &login), true).await
    }

    /// Makes a department.
    pub async fn create_department(&self, by: &Principal, new: &NewDepartment) -> Result<()> {
        new.check()?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let made = transaction
            .execute(
                "insert into onemap.department (id, code, title_zh, title_en, quota_bytes) values ($1, $2, $3, $4, $5)
                 on conflict (id) do nothing",
                &[&new.id, &new.code, &new.title.zh.trim(), &new.title.en.trim(), &new.quota_bytes],
            )
            .await?;
        if made == 0 {
            return Err(Error::conflict("该单位标识已被使用", "this department's id is taken"));
        }
        let detail = json!({"code": new.code, "title": {"zh": new.title.zh, "en": new.title.en}});
        let entry = Entry { action: "create", object_kind: "department", object_id: &new.id, detail };
        audit::write(&*transaction, by, entry).await?;
        Ok(transaction.commit().await?)
    }
}

/// A department that is to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDepartment {
    pub id: String,
    /// The unified code of the unit.
    #[serde(default)]
    pub code: String,
    pub title: Titles,
    pub quota_bytes: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Titles {
    pub zh: String,
    pub en: String,
}

impl NewDepartment {
    fn check(&self) -> Result<()> {
        let fits = self.id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && self.id.len() <= 63
            && self.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
        if !fits {
            return Err(Error::invalid(
                "id",
                "单位标识只能用小写字母、数字、- 和 _",
                "a department's id has lower-case letters, digits, - and _",
            ));
        }
        for title in [&self.title.zh, &self.title.en] {
            if title.trim().is_empty() || title.chars().count() > 200 {
                return Err(Error::invalid("title", "名称为 1 到 200 个字", "a title has 1 to 200 characters"));
            }
        }
        if self.code.len() > 100 || !self.code.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Error::invalid("code", "单位代码为字母和数字", "a unit's code has letters and digits"));
        }
        match self.quota_bytes.is_some_and(|n| n < 0) {
            true => Err(Error::invalid("quota_bytes", "不能为负数", "it is not negative")),
            false => Ok(()),
        }
    }
}

/// Whether a text may be a user name.
pub(super) fn is_login(text: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_' | b'@');
    (2..=100).contains(&text.len()) && text.bytes().all(letters)
}

fn runs_platform(by: &Principal) -> bool {
    by.role() == Some(Role::PlatformAdministrator)
}

fn manages(by: &Principal, department: &str) -> bool {
    let own = by.department.as_deref() == Some(department);
    runs_platform(by) || own && (by.who == Who::Operator || by.role() == Some(Role::DepartmentAdministrator))
}

/// The roles of the whole platform are given by its administrators.
fn may_give(by: &Principal, role: Role) -> Result<()> {
    let platforms = matches!(role, Role::PlatformAdministrator | Role::Auditor);
    match platforms && !runs_platform(by) && by.who != Who::Operator {
        true => Err(Error::forbidden(
            "平台管理员和审计员由平台管理员任命",
            "platform administrators and auditors are appointed by platform administrators",
        )),
        false => Ok(()),
    }
}

/// Login, department and role of a person whom `by` manages; held until the end of the transaction.
pub(super) async fn managed(
    client: &impl tokio_postgres::GenericClient,
    by: &Principal,
    id: i64,
) -> Result<(String, String, Role)> {
    let sql = "select login, department_id, role from onemap.person where id = $1 for update";
    let row = client.query_opt(sql, &[&id]).await?.ok_or_else(unknown)?;
    let (login, department): (String, String) = (row.get(0), row.get(1));
    if !manages(by, &department) {
        return Err(unknown());
    }
    let role = Role::parse(row.get(2)).ok_or_else(|| Error::internal("an unknown role"))?;
    may_give(by, role)?;
    Ok((login, department, role))
}

async fn another_administrator(transaction: &deadpool_postgres::Transaction<'_>, id: i64) -> Result<()> {
    let sql = "select exists (select from onemap.person where role = 'platform_administrator' and active and id <> $1)";
    match transaction.query_one(sql, &[&id]).await?.get(0) {
        true => Ok(()),
        false => Err(Error::conflict("这是最后一位平台管理员", "this is the last administrator of the platform")
            .hint("请先任命另一位", "appoint another one first")),
    }
}

async fn known_department(transaction: &deadpool_postgres::Transaction<'_>, id: &str) -> Result<()> {
    match transaction.query_opt("select from onemap.department where id = $1", &[&id]).await? {
        Some(_) => Ok(()),
        None => Err(Error::invalid("department", "没有这个单位", "there is no such department")
            .hint("单位清单见 /api/v1/departments", "they are listed at /api/v1/departments")),
    }
}

fn check_name(name: &str) -> Result<()> {
    match name.is_empty() || name.chars().count() > 100 {
        true => Err(Error::invalid("name", "姓名为 1 到 100 个字", "a name has 1 to 100 characters")),
        false => Ok(()),
    }
}

async fn write_audit(
    transaction: &deadpool_postgres::Transaction<'_>,
    by: &Principal,
    action: &str,
    login: &str,
    detail: Value,
) -> Result<()> {
    audit::write(&**transaction, by, Entry { action, object_kind: "person", object_id: login, detail }).await
}

fn person(row: &Row) -> Person {
    Person {
        id: row.get(0),
        login: row.get(1),
        name: row.get(2),
        department: row.get(3),
        role: row.get(4),
        active: row.get(5),
        locked: row.get(6),
        second_factor: row.get(7),
        must_change_password: row.get(8),
        created: row.get(9),
    }
}

fn unknown() -> Error {
    Error::not_found("没有这个用户", "there is no such person")
}

fn not_managed() -> Error {
    Error::forbidden("只能管理本单位的人员", "you manage the people of your own department")
}
