//! Passwords: Argon2id, rules, and the ones before.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onemap_credentials::password::{Fault, SHORTEST, check};

use super::audit::{self, Entry};
use super::login::Login;
use super::principal::Principal;
use crate::error::{Error, Result};

/// Passwords that are not taken again, the present one among them.
const REMEMBERED: i64 = 5;

impl Login {
    /// Changes a person's own password. Other sessions of the person end.
    pub async fn change_password(
        &self,
        by: &Principal,
        (person, login): (i64, &str),
        old: &str,
        new: &str,
        token: &str,
    ) -> Result<()> {
        let mut client = self.database.app().await?;
        let row = client
            .query_one(
                "select p.password_hash, p.name, d.id, d.title_zh, d.title_en from onemap.person p
                 join onemap.department d on d.id = p.department_id where p.id = $1",
                &[&person],
            )
            .await?;
        let present: String = row.get(0);
        if !verify(old.to_owned(), Some(present.clone())).await? {
            return Err(Error::invalid("old", "原密码不正确", "the present password is another"));
        }
        let known = (1..5).map(|i| row.get(i)).chain([login.to_owned()]).collect();
        refuse_weak(new.to_owned(), known).await?;
        let before = "select password_hash from onemap.password_history where person_id = $1 order by id desc limit $2";
        let rows = client.query(before, &[&person, &(REMEMBERED - 1)]).await?;
        let known = rows.iter().map(|r| r.get(0)).chain([present.clone()]);
        for hash in known.collect::<Vec<String>>() {
            if verify(new.to_owned(), Some(hash)).await? {
                return Err(Error::invalid(
                    "new",
                    "不能使用最近 5 次用过的密码",
                    "it is one of the last five passwords",
                ));
            }
        }
        let hash = hash_password(new.to_owned()).await?;
        let transaction = client.transaction().await?;
        // Two changes at once: the later one began from a password that is gone.
        let changed = transaction
            .execute(
                "update onemap.person set password_hash = $2, password_changed_at = now(), must_change_password = false
                 where id = $1 and password_hash = $3",
                &[&person, &hash, &present],
            )
            .await?;
        if changed == 0 {
            return Err(Error::conflict("密码刚刚已被修改", "the password was changed just now"));
        }
        transaction
            .execute(
                "insert into onemap.password_history (person_id, password_hash) values ($1, $2)",
                &[&person, &present],
            )
            .await?;
        transaction
            .execute(
                "delete from onemap.password_history where person_id = $1 and id not in
                 (select id from onemap.password_history where person_id = $1 order by id desc limit $2)",
                &[&person, &REMEMBERED],
            )
            .await?;
        let kept = super::login::digest(b"session", token);
        transaction
            .execute(
                "delete from onemap.session where person_id = $1 and token_hash <> $2",
                &[&person, &kept.as_slice()],
            )
            .await?;
        let entry =
            Entry { action: "change_password", object_kind: "person", object_id: login, detail: serde_json::json!({}) };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        self.settle(person).await
    }

    /// Whether this is the person's password now.
    pub async fn password_is(&self, login: &str, password: &str) -> Result<bool> {
        let client = self.database.app().await?;
        let row = client.query_opt("select password_hash from onemap.person where login = $1", &[&login]).await?;
        verify(password.to_owned(), row.map(|r| r.get(0))).await
    }
}

/// Looks a new password over. To reckon how many guesses it stands takes a moment.
async fn refuse_weak(password: String, known: Vec<String>) -> Result<()> {
    let checked = tokio::task::spawn_blocking(move || {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        check(&password, &known)
    });
    let (zh, en) = match checked.await.map_err(Error::internal)? {
        Ok(()) => return Ok(()),
        Err(Fault::TooShort) => {
            (format!("密码至少 {SHORTEST} 个字符"), format!("a password has at least {SHORTEST} characters"))
        }
        Err(Fault::TooLong) => ("密码过长".into(), "the password is too long".into()),
        Err(Fault::TooPlain) => {
            ("密码只是重复或连续的字符".into(), "the password repeats a few characters or runs on".into())
        }
        Err(Fault::Known) => (
            "密码不能主要由用户名、姓名、单位名称或 onemap 组成".into(),
            "the password is little more than the user name, the name, the department or onemap".into(),
        ),
        Err(Fault::Common) => (
            "密码由常见密码、单词、日期或键盘顺序组成，容易被猜到".into(),
            "the password is made of common passwords, words, dates or rows of keys: it is among what is tried first"
                .into(),
        ),
    };
    Err(Error::invalid("new", zh, en).hint(
        "可用几个不相关的词组成的短语，不要求大小写或符号",
        "a phrase of some unrelated words will do; capitals and signs are not asked for",
    ))
}

/// 192 random bits, in URL-safe letters.
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>())
}

/// Argon2id with the crate's defaults (19 MiB, 2 passes: OWASP's first recommendation).
pub async fn hash_password(password: String) -> Result<String> {
    tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|h| h.to_string())
            .map_err(|e| Error::internal(e.to_string()))
    })
    .await
    .map_err(Error::internal)?
}

pub(super) async fn verify(password: String, stored: Option<String>) -> Result<bool> {
    tokio::task::spawn_blocking(move || {
        let Some(stored) = stored else {
            // Nobody has this name: spend the time all the same.
            let _ = Argon2::default().hash_password(password.as_bytes());
            return Ok(false);
        };
        let hash = argon2::PasswordHash::new(&stored).map_err(|e| Error::internal(e.to_string()))?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await
    .map_err(Error::internal)?
}
