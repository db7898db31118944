use crate::error::Result;
#[derive(Clone, Default)]
pub struct Limits { pub seconds: u64 }
pub struct P { pub done: u64, pub total: Option<u64> }
#[derive(serde::Serialize)]
pub struct Insp { pub layers: Vec<u8> }
pub async fn inspect(_p: &std::path::Path, _l: &Limits, _f: impl FnMut(P)) -> Result<Insp> { Ok(Insp{layers:vec![]}) }
pub fn child_main() -> std::process::ExitCode { std::process::ExitCode::SUCCESS }
