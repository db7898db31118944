//! A private PostgreSQL + PostGIS cluster in the data directory, reached through a unix socket only.
//!
//! A supervisor thread owns the server process: it starts it, starts it again when it dies, and stops it at the end. PostgreSQL
//! gets a parent-death signal, so that it shuts down even when we are killed with -9; the signal is tied to the thread that
//! spawned it, which is why that thread lives as long as the process.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};

use crate::error::{Error, Result};

const DATABASE: &str = "onemap";
/// A unix socket's path may have 107 bytes; `/.s.PGSQL.5432` takes 14 of them.
const LONGEST_SOCKET_DIR: usize = 90;

/// The unprivileged user PostgreSQL runs as when we are root (it refuses to run as root).
struct Owner {
    uid: u32,
    gid: u32,
}

/// A running cluster. Dropping it stops the server.
pub struct Cluster {
    paths: Paths,
    stop: Arc<AtomicBool>,
    supervisor: Option<std::thread::JoinHandle<()>>,
}

#[derive(Clone)]
struct Paths {
    binaries: PathBuf,
    cluster: PathBuf,
    socket: PathBuf,
    log: PathBuf,
}

/// Where `initdb` and `postgres` are: the newest PostgreSQL of this machine, from version 14 on, that has PostGIS.
pub fn find_binaries() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .filter(|(version, bin): &(u32, PathBuf)| {
            let extension = format!("/usr/share/postgresql/{version}/extension/postgis.control");
            *version >= 14 && bin.join("postgres").exists() && Path::new(&extension).exists()
        })
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin).ok_or_else(|| {
        Error::unsupported(
            "未找到带 PostGIS 的 PostgreSQL（14 或更新）",
            "no PostgreSQL (14 or newer) with PostGIS is installed",
        )
        .hint(
            "请运行 make run，或安装 postgresql-15-postgis-3，或用 --database-url 指定已有数据库",
            "run `make run`, install postgresql-15-postgis-3, or name an existing database by --database-url",
        )
    })
}

impl Cluster {
    /// Creates the cluster when there is none, starts it and waits until it answers. A server left over from a killed process
    /// is waited for or adopted.
    pub fn start(data: &Path) -> Result<Cluster> {
        fs::create_dir_all(data)?;
        let data = data.canonicalize()?;
        let owner = unprivileged_owner()?;
        let paths = Paths::prepare(&data, owner.as_ref())?;
        if !paths.cluster.join("PG_VERSION").exists() {
            initialise(&paths, owner.as_ref())?;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, started) = std::sync::mpsc::channel();
        let supervisor = std::thread::Builder::new().name("postgres".into()).spawn({
            let (paths, stop) = (paths.clone(), stop.clone());
            move || supervise(&paths, owner.as_ref(), &stop, ready)
        })?;
        let cluster = Cluster { paths, stop, supervisor: Some(supervisor) };
        match started.recv() {
            Ok(Ok(())) => Ok(cluster),
            Ok(Err(e)) => Err(e),
            Err(_) => Err(Error::internal("the database supervisor ended")),
        }
    }

    /// The connection string for `db::pool`.
    pub fn url(&self) -> String {
        url(&self.paths, DATABASE)
    }

    /// The connection string of another database of the cluster (the tests make one per test).
    pub fn url_of(&self, database: &str) -> String {
        url(&self.paths, database)
    }
}

/// The URL of a cluster that another process of ours serves from this data directory, if there is one.
pub fn running(data: &Path) -> Option<String> {
    let data = data.canonicalize().ok()?;
    let paths = Paths::locate(&data).ok()?;
    accepts(&paths).then(|| url(&paths, DATABASE))
}

fn url(paths: &Paths, database: &str) -> String {
    format!("host={} user=onemap dbname={database}", paths.socket.display())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.supervisor.take() {
            let _ = thread.join();
        }
    }
}

fn unprivileged_owner() -> Result<Option<Owner>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Ok(Some(user)) = User::from_name(name) {
            return Ok(Some(Owner { uid: user.uid.as_raw(), gid: user.gid.as_raw() }));
        }
    }
    Err(Error::unsupported(
        "以 root 运行时需要 postgres 用户",
        "when run as root, an unprivileged user named postgres is needed for the database",
    ))
}

impl Paths {
    /// Finds the cluster's places. A data directory below a closed home (`/root`) cannot be entered by the unprivileged user:
    /// then the cluster lives under /var/lib/onemap and the data directory keeps a pointer to it.
    fn prepare(data: &Path, owner: Option<&Owner>) -> Result<Paths> {
        let pointer = data.join("cluster-path");
        if let Some(owner) = owner
            && !pointer.exists()
            && !data.join("pg").exists()
            && !can_enter(data, owner)
        {
            let away = PathBuf::from(format!("/var/lib/onemap/{}", uuid::Uuid::new_v4().simple()));
            fs::create_dir_all(&away)?;
            fs::write(&pointer, away.display().to_string())?;
            tracing::info!(at = %away.display(), "the database user cannot enter the data directory; the cluster is kept elsewhere");
        }
        let paths = Paths::locate(data)?;
        for dir in [&paths.cluster, &paths.socket] {
            fs::create_dir_all(dir)?;
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
            if let Some(owner) = owner {
                chown(dir, Some(owner.uid), Some(owner.gid))?;
            }
        }
        Ok(paths)
    }

    fn locate(data: &Path) -> Result<Paths> {
        let pointer = data.join("cluster-path");
        let base = match fs::read_to_string(&pointer) {
            Ok(path) => PathBuf::from(path.trim()),
            Err(_) => data.to_owned(),
        };
        let mut socket = base.join("run");
        if socket.as_os_str().len() > LONGEST_SOCKET_DIR {
            use sha2::Digest;
            let hash = sha2::Sha256::digest(base.as_os_str().as_encoded_bytes());
            socket = std::env::temp_dir().join(format!("onemap-{}", hex::encode(&hash[..8])));
        }
        Ok(Paths { binaries: find_binaries()?, cluster: base.join("pg"), socket, log: data.join("postgres.log") })
    }
}

/// Whether the unprivileged user may pass every folder down to `dir`.
fn can_enter(dir: &Path, owner: &Owner) -> bool {
    use std::os::unix::fs::MetadataExt;
    dir.ancestors().skip(1).all(|d| match d.metadata() {
        Ok(m) => {
            let shift = if m.uid() == owner.uid {
                6
            } else if m.gid() == owner.gid {
                3
            } else {
                0
            };
            m.mode() >> shift & 1 == 1
        }
        Err(_) => false,
    })
}

fn command(paths: &Paths, program: &str, owner: Option<&Owner>) -> Command {
    let mut command = Command::new(paths.binaries.join(program));
    command.env_clear().env("LC_ALL", "C.UTF-8").env("PATH", "/usr/bin:/bin").env("TZ", "UTC");
    command.stdin(Stdio::null()).current_dir("/");
    if let Some(owner) = owner {
        command.uid(owner.uid).gid(owner.gid);
    }
    command
}

fn initialise(paths: &Paths, owner: Option<&Owner>) -> Result<()> {
    let output = command(paths, "initdb", owner)
        .args(["--username=onemap", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
        .arg("-D")
        .arg(&paths.cluster)
        .output()?;
    if !output.status.success() {
        return Err(Error::internal(format!("initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(())
}

/// Settings for a mixed load on a small machine. `trust` is safe: the socket's folder has mode 0700 and no port is open.
fn settings(paths: &Paths) -> Vec<String> {
    let memory = total_memory_mb();
    let shared = (memory / 8).clamp(128, 4096);
    [
        ("listen_addresses", String::new()),
        ("unix_socket_directories", paths.socket.display().to_string()),
        ("max_connections", "120".into()),
        ("shared_buffers", format!("{shared}MB")),
        ("effective_cache_size", format!("{}MB", memory / 2)),
        ("work_mem", "32MB".into()),
        ("maintenance_work_mem", "256MB".into()),
        ("max_wal_size", "4GB".into()),
        ("wal_compression", "on".into()),
        ("random_page_cost", "1.1".into()),
        ("jit", "off".into()),
        ("timezone", "Asia/Shanghai".into()),
        ("log_min_messages", "warning".into()),
        ("logging_collector", "off".into()),
    ]
    .into_iter()
    .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
    .collect()
}

fn total_memory_mb() -> u64 {
    fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| text.lines().next()?.split_whitespace().nth(1)?.parse::<u64>().ok())
        .map_or(2048, |kb| kb / 1024)
}

fn spawn(paths: &Paths, owner: Option<&Owner>) -> Result<Child> {
    let log = fs::OpenOptions::new().create(true).append(true).open(&paths.log)?;
    let mut command = command(paths, "postgres", owner);
    command.arg("-D").arg(&paths.cluster).args(settings(paths));
    command.stdout(log.try_clone()?).stderr(log);
    // A group of its own: Ctrl-C in the terminal reaches us first, and we end the requests before the database.
    command.process_group(0);
    // SAFETY: prctl is async-signal-safe and touches only the child.
    unsafe {
        command.pre_exec(|| nix::sys::prctl::set_pdeathsig(Signal::SIGINT).map_err(io::Error::from));
    }
    Ok(command.spawn()?)
}

/// Whether a server listens on the socket.
fn accepts(paths: &Paths) -> bool {
    std::os::unix::net::UnixStream::connect(paths.socket.join(".s.PGSQL.5432")).is_ok()
}

fn pid_in_file(paths: &Paths) -> Option<Pid> {
    let text = fs::read_to_string(paths.cluster.join("postmaster.pid")).ok()?;
    let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok()?);
    // The number may belong to something else after a reboot.
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    name.trim().starts_with("postgres").then_some(pid)
}

fn supervise(paths: &Paths, owner: Option<&Owner>, stop: &AtomicBool, ready: std::sync::mpsc::Sender<Result<()>>) {
    let first = start_once(paths, owner, stop);
    let mut server = match first {
        Ok(server) => {
            let _ = ready.send(Ok(()));
            server
        }
        Err(e) => {
            let _ = ready.send(Err(e));
            return;
        }
    };
    loop {
        std::thread::sleep(Duration::from_millis(100));
        if stop.load(Ordering::SeqCst) {
            server.stop();
            return;
        }
        if server.alive() {
            continue;
        }
        tracing::error!("the database server ended; it is started again");
        match start_once(paths, owner, stop) {
            Ok(again) => server = again,
            Err(e) => {
                tracing::error!("the database server does not start: {e}");
                std::thread::sleep(Duration::from_secs(2));
            }
        }
    }
}

/// The server process: our child, or one that an earlier process left behind.
enum Server {
    Ours(Child),
    Adopted(Pid),
}

impl Server {
    fn alive(&mut self) -> bool {
        match self {
            Server::Ours(child) => matches!(child.try_wait(), Ok(None)),
            Server::Adopted(pid) => kill(*pid, None).is_ok(),
        }
    }

    fn stop(&mut self) {
        let pid = match self {
            Server::Ours(child) => Pid::from_raw(child.id() as i32),
            Server::Adopted(pid) => *pid,
        };
        // SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one (recovered by the next start).
        let _ = kill(pid, Signal::SIGINT);
        let begun = Instant::now();
        while self.alive() {
            if begun.elapsed() > Duration::from_secs(20) {
                let _ = kill(pid, Signal::SIGQUIT);
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn start_once(paths: &Paths, owner: Option<&Owner>, stop: &AtomicBool) -> Result<Server> {
    let deadline = Instant::now() + Duration::from_secs(90);
    // A server of a process that was just killed is shutting down: wait for it. One that goes on serving is adopted.
    let patience = Instant::now() + Duration::from_secs(10);
    while let Some(pid) = pid_in_file(paths) {
        if Instant::now() > patience && accepts(paths) {
            tracing::warn!(%pid, "adopting a database server that was left running");
            create_database(paths, owner)?;
            return Ok(Server::Adopted(pid));
        }
        if Instant::now() > deadline || stop.load(Ordering::SeqCst) {
            return Err(did_not_start(paths));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    while Instant::now() < deadline && !stop.load(Ordering::SeqCst) {
        let mut child = spawn(paths, owner)?;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            if accepts(paths) && create_database(paths, owner).is_ok() {
                return Ok(Server::Ours(child));
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        // It may have met the last breath of its predecessor (postmaster.pid, shared memory): try again.
        let _ = child.kill();
        let _ = child.wait();
        std::thread::sleep(Duration::from_millis(300));
    }
    Err(did_not_start(paths))
}

/// Makes the database when it is missing. Also the proof that the server is out of recovery and answers queries.
fn create_database(paths: &Paths, owner: Option<&Owner>) -> Result<()> {
    let psql = |database: &str, sql: &str| {
        command(paths, "psql", owner)
            .args(["-XAtq", "-U", "onemap", "-h"])
            .arg(&paths.socket)
            .args(["-d", database, "-c", sql])
            .output()
    };
    let there = psql("postgres", &format!("select 1 from pg_database where datname = '{DATABASE}'"))?;
    if !there.status.success() {
        return Err(Error::busy("数据库正在启动", "the database is starting"));
    }
    if there.stdout.is_empty() {
        let made = psql("postgres", &format!("create database {DATABASE}"))?;
        if !made.status.success() {
            return Err(Error::internal(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
    }
    Ok(())
}

fn did_not_start(paths: &Paths) -> Error {
    let log = fs::read_to_string(&paths.log).unwrap_or_default();
    let last: Vec<&str> = log.lines().rev().take(5).collect::<Vec<_>>().into_iter().rev().collect();
    Error::internal(format!("PostgreSQL did not start. Its last words ({}):\n{}", paths.log.display(), last.join("\n")))
}
