//! `admin`: departments, people and keys, for whoever has a shell on the machine.

use std::process::ExitCode;

use clap::Subcommand;

use super::with_app;
use crate::access::audit::{self, Entry};
use crate::access::keys::Wanted;
use crate::access::passwords::{hash_password, secret};
use crate::access::principal::{Principal, Role};
use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result};

#[derive(Subcommand)]
pub enum Command {
    /// Make a department
    CreateDepartment {
        /// Lower-case letters, digits, - and _
        id: String,
        #[arg(long)]
        title_zh: String,
        #[arg(long)]
        title_en: String,
        /// The unified code of the unit
        #[arg(long, default_value = "")]
        code: String,
    },
    /// Make a person; the first password is printed
    CreateUser {
        login: String,
        #[arg(long)]
        department: String,
        /// platform_administrator, department_administrator, publisher, approver, user or auditor
        #[arg(long, default_value = "user")]
        role: String,
        #[arg(long)]
        name: Option<String>,
    },
    /// Give a person a new password, which is printed
    ResetPassword { login: String },
    /// Make an application key for a department, which is printed
    CreateKey {
        #[arg(long)]
        department: String,
        #[arg(long, default_value = "command line")]
        label: String,
        /// Days until it expires
        #[arg(long)]
        days: Option<i32>,
    },
}

pub fn run(config: Config, command: Command) -> Result<ExitCode> {
    let printed = with_app(config, async |app| match command {
        Command::CreateDepartment { id, title_zh, title_en, code } => {
            create_department(&app, &id, &title_zh, &title_en, &code).await
        }
        Command::CreateUser { login, department, role, name } => {
            create_user(&app, &login, &department, &role, name.as_deref().unwrap_or(&login)).await
        }
        Command::ResetPassword { login } => reset_password(&app, &login).await,
        Command::CreateKey { department, label, days } => {
            known(&app, &department)?;
            let by = Principal::operator(&department);
            let wanted = Wanted { label, days, ..Wanted::default() };
            Ok(app.login.create_key(&by, &department, &wanted).await?.key)
        }
    })?;
    println!("{printed}");
    Ok(ExitCode::SUCCESS)
}

fn known(app: &App, department: &str) -> Result<()> {
    match app.catalog.snapshot().departments.iter().any(|d| *d.id == *department) {
        true => Ok(()),
        false => {
            Err(Error::not_found(format!("没有单位 {department}"), format!("there is no department {department}")))
        }
    }
}

async fn create_department(app: &App, id: &str, zh: &str, en: &str, code: &str) -> Result<String> {
    let fits = id.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && id.len() <= 63
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    if !fits {
        return Err(Error::invalid(
            "id",
            "单位标识只能用小写字母、数字、- 和 _",
            "a department's id has lower-case letters, digits, - and _",
        ));
    }
    let mut client = app.database.app().await?;
    let transaction = client.transaction().await?;
    transaction
        .execute(
            "insert into onemap.department (id, code, title_zh, title_en) values ($1, $2, $3, $4)",
            &[&id, &code, &zh, &en],
        )
        .await?;
    let detail = serde_json::json!({"title": {"zh": zh, "en": en}});
    let entry = Entry { action: "create", object_kind: "department", object_id: id, detail };
    audit::write(&*transaction, &Principal::operator(id), entry).await?;
    transaction.commit().await?;
    Ok(id.to_owned())
}

async fn create_user(app: &App, login: &str, department: &str, role: &str, name: &str) -> Result<String> {
    known(app, department)?;
    let role = Role::parse(role).ok_or_else(|| Error::invalid("role", "没有这个角色", "there is no such role"))?;
    let password = secret();
    let hash = hash_password(password.clone()).await?;
    let mut client = app.database.app().await?;
    let transaction = client.transaction().await?;
    transaction
        .execute(
            "insert into onemap.person (login, name, department_id, role, password_hash) values ($1, $2, $3, $4, $5)",
            &[&login, &name, &department, &role.name(), &hash],
        )
        .await?;
    let detail = serde_json::json!({"department": department, "role": role.name()});
    let entry = Entry { action: "create", object_kind: "person", object_id: login, detail };
    audit::write(&*transaction, &Principal::operator(department), entry).await?;
    transaction.commit().await?;
    Ok(password)
}

async fn reset_password(app: &App, login: &str) -> Result<String> {
    let password = secret();
    let hash = hash_password(password.clone()).await?;
    let mut client = app.database.app().await?;
    let transaction = client.transaction().await?;
    let row = transaction
        .query_opt(
            "update onemap.person set password_hash = $2, failures = 0, locked_until = null where login = $1
             returning id, department_id",
            &[&login, &hash],
        )
        .await?
        .ok_or_else(|| Error::not_found(format!("没有用户 {login}"), format!("there is no user {login}")))?;
    transaction.execute("delete from onemap.session where person_id = $1", &[&row.get::<_, i64>(0)]).await?;
    let entry =
        Entry { action: "reset_password", object_kind: "person", object_id: login, detail: serde_json::json!({}) };
    audit::write(&*transaction, &Principal::operator(row.get(1)), entry).await?;
    transaction.commit().await?;
    Ok(password)
}
