//! What tells this installation's chain from others: a name drawn by lot, and a key for signatures, made at the first start.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use onemap_evidence::SigningKey;
use tokio_postgres::GenericClient;

use crate::error::{Error, Result};

pub struct Node {
    pub name: String,
    pub key: SigningKey,
}

impl Node {
    /// Of a folder: `node` holds the name, `key.pem` the SM2 key (PKCS#8), which only its owner may read.
    pub fn open(folder: &Path) -> Result<Node> {
        fs::create_dir_all(folder)?;
        let name = kept(&folder.join("node"), || Ok(uuid::Uuid::new_v4().simple().to_string()))?;
        let path = folder.join("key.pem");
        let pem = kept(&path, || SigningKey::generate().and_then(|key| key.to_pem()).map_err(Error::internal))?;
        let key = SigningKey::from_pem(&pem).map_err(|e| {
            Error::conflict(
                format!("存证签名密钥 {} 无法读取", path.display()),
                format!("the evidence's key {} cannot be read", path.display()),
            )
            .hint(
                "请从备份恢复该文件；勿自行删除，否则旧的封存将无法核对",
                "restore it from a backup; do not delete it: older seals name it",
            )
            .because(e)
        })?;
        Ok(Node { name, key })
    }

    /// The node's number in the database.
    pub async fn number(&self, client: &impl GenericClient) -> Result<i32> {
        let known = "select id from onemap.evidence_node where name = $1";
        if let Some(row) = client.query_opt(known, &[&self.name]).await? {
            return Ok(row.get(0));
        }
        let sql = "insert into onemap.evidence_node (name, public_key) values ($1, $2) on conflict (name) do nothing";
        client.execute(sql, &[&self.name, &self.key.public().0]).await?;
        Ok(client.query_one(known, &[&self.name]).await?.get(0))
    }
}

/// A file's text; made when there is none, by one of those who start at once.
fn kept(path: &Path, make: impl FnOnce() -> Result<String>) -> Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => return Ok(text.trim().to_owned()),
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(e.into()),
    }
    let text = make()?;
    // Complete before it has its name: nobody reads half of it.
    let part = path.with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&part, path);
    fs::remove_file(&part)?;
    match linked {
        Ok(()) => Ok(text.trim().to_owned()),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(fs::read_to_string(path)?.trim().to_owned()),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn name_and_key_are_made_once_and_are_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = Node::open(folder.path()).unwrap();
        let again = Node::open(folder.path()).unwrap();
        assert_eq!((first.name, first.key.public()), (again.name, again.key.public()));
        let mode = fs::metadata(folder.path().join("key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        fs::write(folder.path().join("key.pem"), "spoilt").unwrap();
        assert!(Node::open(folder.path()).is_err());
    }
}
