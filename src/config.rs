//! Settings: defaults < `onemap.toml` < `ONEMAP_*` < flags. Unknown keys are refused, so that a typing error is not a silent default.

mod network;
mod oidc;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::network::Network;
pub use self::oidc::{Oidc, is_safe};
use crate::error::{Error, Result};

/// Environment variables with the prefix that are not settings: the tests' data and the set-up scripts' own switches.
const NOT_SETTINGS: &[&str] =
    &["ONEMAP_SHARED", "ONEMAP_CI_CACHE", "ONEMAP_CONFIG", "ONEMAP_BENCH_DATA", "ONEMAP_BACKEND"];

#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database cluster, uploads, caches and credentials live.
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// An existing PostGIS instead of the embedded one.
    pub database_url: Option<String>,
    /// The address that links in answers start with; by default the request's own host.
    pub public_url: Option<String>,
    /// Origins whose pages may read our answers with a key (never with a cookie); `*` is any.
    pub cors_origins: Vec<String>,
    pub database_connections: usize,
    /// Milliseconds a query of a request may take.
    pub statement_timeout: u64,
    /// Mebibytes of encoded tiles kept in memory.
    pub tile_cache: u64,
    /// Mebibytes of drawn pictures (WMS, WMTS) kept in memory.
    pub picture_cache: u64,
    /// Mebibytes of disk for tile indexes; without it 32 GiB, but no more than a fifth of the disk. 0 builds none.
    pub tile_index_disk: Option<u64>,
    /// Bytes of one upload, and of all kept files of a department.
    pub upload_limit: u64,
    pub department_quota: u64,
    /// Seconds an import's child process may read.
    pub import_timeout: u64,
    /// Set when the portal is reached over https, so that the session cookie is never sent in clear.
    pub secure_cookie: bool,
    /// Proxies in front of the server, as addresses or networks: what they say of the caller's address (X-Forwarded-For) is believed.
    pub trusted_proxies: Vec<Network>,
    /// Whether some roles need a second factor: their sessions are good for nothing until one is enrolled.
    pub second_factor: bool,
    /// Which ones; by default administrators and auditors.
    pub second_factor_roles: Vec<String>,
    /// Whether what trusted proxies say of the client's certificate (`Client-Cert`) is believed. They must remove what callers send under
    /// that name.
    pub client_certificates: bool,
    /// Hours a session lasts at most.
    pub session_hours: u32,
    /// Minutes after which a session ends that nobody uses, and that of an administrator or auditor.
    pub session_idle: u32,
    pub session_idle_administrators: u32,
    pub oidc: Oidc,
    /// Where seals of the evidence are put, for another party to fetch; by default `seals` in the data folder.
    pub seal_folder: Option<PathBuf>,
    /// Minutes between seals. The end of a day is always sealed.
    pub seal_minutes: u64,
    /// Months that records of accesses are kept, 6 at least.
    pub evidence_months: u32,
    /// Where the deployment's data lie (west, south, east, north): tells Gauss-Krüger zones apart when a file does not.
    pub area: Option<[f64; 4]>,
    /// Who runs the service, as capabilities documents say it.
    pub provider: Provider,
    /// Whether the example pages are served: their data are the demo city's.
    pub examples: bool,
    /// Whether webhooks may be called over plain http.
    pub webhook_http: bool,
    /// Networks that webhooks may lead into though they are not public.
    pub webhook_networks: Vec<Network>,
    /// The binary that reads uploads in a child process: this one.
    pub reader: PathBuf,
    pub log: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data: PathBuf::from(".onemap"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database_url: None,
            public_url: None,
            cors_origins: vec!["*".into()],
            database_connections: 16,
            statement_timeout: 30_000,
            tile_cache: 256,
            picture_cache: 96,
            tile_index_disk: None,
            upload_limit: 20 << 30,
            department_quota: 100 << 30,
            import_timeout: 3600,
            secure_cookie: false,
            trusted_proxies: vec![],
            second_factor: false,
            second_factor_roles: ["platform_administrator", "department_administrator", "auditor"]
                .map(str::to_owned)
                .to_vec(),
            client_certificates: false,
            session_hours: 12,
            session_idle: 720,
            session_idle_administrators: 30,
            oidc: Oidc::default(),
            seal_folder: None,
            seal_minutes: 60,
            evidence_months: 12,
            // Qingdao with its sea.
            area: Some([119.3, 35.4, 121.3, 37.3]),
            provider: Provider::default(),
            examples: false,
            webhook_http: false,
            webhook_networks: vec![],
            reader: std::env::current_exe().unwrap_or_default(),
            log: "info".into(),
        }
    }
}

#[derive(Debug, Default, Clone)]
pub struct Provider {
    pub provider_name: Option<String>,
    pub provider_site: Option<String>,
    pub contact_name: Option<String>,
    pub contact_phone: Option<String>,
    pub contact_email: Option<String>,
}

/// One source of settings; absent keys leave what the weaker source said.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    pub data: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub database_url: Option<String>,
    pub public_url: Option<String>,
    pub cors_origins: Option<Vec<String>>,
    pub database_connections: Option<usize>,
    pub statement_timeout: Option<u64>,
    pub tile_cache: Option<u64>,
    pub picture_cache: Option<u64>,
    pub tile_index_disk: Option<u64>,
    pub upload_limit: Option<u64>,
    pub department_quota: Option<u64>,
    pub import_timeout: Option<u64>,
    pub secure_cookie: Option<bool>,
    pub trusted_proxies: Option<Vec<Network>>,
    pub second_factor: Option<bool>,
    pub second_factor_roles: Option<Vec<String>>,
    pub client_certificates: Option<bool>,
    pub session_hours: Option<u32>,
    pub session_idle: Option<u32>,
    pub session_idle_administrators: Option<u32>,
    pub oidc_issuer: Option<String>,
    pub oidc_client_id: Option<String>,
    pub oidc_client_secret: Option<String>,
    pub oidc_label_zh: Option<String>,
    pub oidc_label_en: Option<String>,
    pub oidc_scope: Option<String>,
    pub oidc_link_claim: Option<String>,
    pub oidc_department_claim: Option<String>,
    pub oidc_second_factor: Option<Vec<String>>,
    pub seal_folder: Option<PathBuf>,
    pub seal_minutes: Option<u64>,
    pub evidence_months: Option<u32>,
    pub area: Option<[f64; 4]>,
    pub webhook_http: Option<bool>,
    pub webhook_networks: Option<Vec<Network>>,
    pub provider_name: Option<String>,
    pub provider_site: Option<String>,
    pub contact_name: Option<String>,
    pub contact_phone: Option<String>,
    pub contact_email: Option<String>,
    pub log: Option<String>,
}

impl Config {
    /// Reads all sources. `onemap.toml` (or the file `ONEMAP_CONFIG` names) may be missing.
    pub fn load(flags: Overrides) -> Result<Config> {
        let file = std::env::var_os("ONEMAP_CONFIG").map(PathBuf::from);
        let mut config = Config::default();
        config.apply(read_file(file.as_deref())?);
        config.apply(from_environment(std::env::vars())?);
        config.apply(flags);
        if config.database_connections < 2 {
            return Err(Error::invalid(
                "database_connections",
                "至少需要 2 个数据库连接",
                "at least 2 database connections are needed",
            ));
        }
        if config.evidence_months < 6 {
            return Err(Error::invalid(
                "evidence_months",
                "访问存证至少保存 6 个月",
                "evidence of accesses is kept for 6 months at least",
            ));
        }
        if !(1..=1440).contains(&config.seal_minutes) {
            let (zh, en) = ("封存间隔为 1 到 1440 分钟", "seals are 1 to 1440 minutes apart");
            return Err(Error::invalid("seal_minutes", zh, en));
        }
        for (name, minutes) in
            [("session_idle", config.session_idle), ("session_idle_administrators", config.session_idle_administrators)]
        {
            if !(5..=10_080).contains(&minutes) {
                return Err(Error::invalid(name, "应为 5 到 10080 分钟", "it is 5 to 10080 minutes"));
            }
        }
        if !(1..=168).contains(&config.session_hours) {
            return Err(Error::invalid("session_hours", "应为 1 到 168 小时", "it is 1 to 168 hours"));
        }
        config.oidc.check(config.public_url.as_deref())?;
        Ok(config)
    }

    fn apply(&mut self, o: Overrides) {
        macro_rules! take {
            ($($name:ident),*) => { $(if let Some(v) = o.$name { self.$name = v; })* };
        }
        take!(data, listen, cors_origins, database_connections, statement_timeout, tile_cache, picture_cache);
        take!(upload_limit, department_quota, import_timeout, secure_cookie, second_factor, log);
        take!(trusted_proxies, webhook_http, webhook_networks, seal_minutes, evidence_months);
        take!(second_factor_roles, client_certificates, session_hours, session_idle, session_idle_administrators);
        macro_rules! take_oidc {
            ($($name:ident),*) => { $(if let Some(v) = o.$name { self.oidc.$name = v; })* };
        }
        take_oidc!(oidc_label_zh, oidc_label_en, oidc_scope, oidc_second_factor);
        let oidc = &mut self.oidc;
        oidc.oidc_issuer = o.oidc_issuer.or(oidc.oidc_issuer.take());
        oidc.oidc_client_id = o.oidc_client_id.or(oidc.oidc_client_id.take());
        oidc.oidc_client_secret = o.oidc_client_secret.or(oidc.oidc_client_secret.take());
        oidc.oidc_link_claim = o.oidc_link_claim.or(oidc.oidc_link_claim.take());
        oidc.oidc_department_claim = o.oidc_department_claim.or(oidc.oidc_department_claim.take());
        self.seal_folder = o.seal_folder.or(self.seal_folder.take());
        self.area = o.area.or(self.area);
        macro_rules! take_provider {
            ($($name:ident),*) => { $(self.provider.$name = o.$name.or(self.provider.$name.take());)* };
        }
        take_provider!(provider_name, provider_site, contact_name, contact_phone, contact_email);
        self.tile_index_disk = o.tile_index_disk.or(self.tile_index_disk);
        self.database_url = o.database_url.or(self.database_url.take());
        self.public_url = o.public_url.map(|u| u.trim_end_matches('/').to_owned()).or(self.public_url.take());
    }
}

fn read_file(named: Option<&Path>) -> Result<Overrides> {
    let path = named.unwrap_or(Path::new("onemap.toml"));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && named.is_none() => return Ok(Overrides::default()),
        Err(e) => return Err(bad_settings(&format!("{}: {e}", path.display()))),
    };
    toml::from_str(&text).map_err(|e| bad_settings(&format!("{}: {e}", path.display())))
}

fn from_environment(vars: impl Iterator<Item = (String, String)>) -> Result<Overrides> {
    let mut table = BTreeMap::new();
    for (name, value) in vars {
        let Some(key) = name.strip_prefix("ONEMAP_") else { continue };
        if NOT_SETTINGS.contains(&name.as_str()) || value.is_empty() {
            continue;
        }
        let key = key.to_ascii_lowercase();
        let value = match key.as_str() {
            "cors_origins" | "trusted_proxies" | "webhook_networks" | "second_factor_roles" | "oidc_second_factor" => {
                value.split(',').map(|s| s.trim().to_owned()).collect::<Vec<_>>().into()
            }
            "secure_cookie" | "second_factor" | "webhook_http" | "client_certificates" => {
                toml::Value::Boolean(match value.to_ascii_lowercase().as_str() {
                    "1" | "true" | "yes" | "on" => true,
                    "0" | "false" | "no" | "off" => false,
                    _ => return Err(bad_settings(&format!("{name} is neither true nor false"))),
                })
            }
            "area" => value
                .split(',')
                .map(|part| part.trim().parse::<f64>())
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(|_| bad_settings(&format!("{name} is not west,south,east,north")))?
                .into(),
            "database_connections"
            | "statement_timeout"
            | "tile_cache"
            | "picture_cache"
            | "tile_index_disk"
            | "upload_limit"
            | "department_quota"
            | "import_timeout"
            | "session_hours"
            | "session_idle"
            | "session_idle_administrators"
            | "seal_minutes"
            | "evidence_months" => {
                toml::Value::Integer(value.parse().map_err(|_| bad_settings(&format!("{name} is not a number")))?)
            }
            _ => toml::Value::String(value),
        };
        table.insert(key, value);
    }
    let value = toml::Value::try_from(table).map_err(|e| bad_settings(&e.to_string()))?;
    value.try_into().map_err(|e: toml::de::Error| bad_settings(&e.to_string()))
}

fn bad_settings(text: &str) -> Error {
    Error::invalid("settings", format!("配置有误：{text}"), format!("a setting is wrong: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_settings_are_refused() {
        let vars = vec![("ONEMAP_LISTNE".to_string(), "127.0.0.1:1".to_string())];
        assert!(from_environment(vars.into_iter()).is_err());
        assert!(toml::from_str::<Overrides>("listne = 1").is_err());
    }

    #[test]
    fn the_stronger_source_wins() {
        let mut c = Config::default();
        c.apply(toml::from_str("tile_cache = 5\npublic_url = \"https://map.example/\"").unwrap());
        c.apply(from_environment([("ONEMAP_TILE_CACHE".to_string(), "7".to_string())].into_iter()).unwrap());
        assert_eq!(c.tile_cache, 7);
        assert_eq!(c.public_url.as_deref(), Some("https://map.example"));
    }
}
