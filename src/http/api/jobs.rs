//! Jobs of one's department: watch and cancel.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::Path;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde_json::json;

use super::{ok, uuid};
use crate::http::ask::{Answer, Ask};
use crate::job::queue::JobInfo;
use crate::process::job::KIND;

/// What a process came to is given out at `/ogc/jobs/{job}/results` alone, where the rights to what was seen are asked again.
fn shown(mut job: JobInfo) -> JobInfo {
    if job.kind == KIND {
        job.result = None;
    }
    job
}

pub async fn list(mut ask: Ask) -> Answer {
    let limit = ask.parameters.take_integer("limit", 1..=200)?.unwrap_or(50);
    ask.parameters.clone().finish()?;
    let jobs = ask.app.queue.list(ask.department()?, limit).await?;
    Ok(ok(&json!({"jobs": jobs.into_iter().map(shown).collect::<Vec<_>>()})))
}

pub async fn get(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&serde_json::to_value(shown(ask.app.queue.get(ask.department()?, uuid(&id)?).await?))?))
}

pub async fn cancel(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    Ok(ok(&serde_json::to_value(shown(ask.app.queue.cancel(ask.department()?, uuid(&id)?).await?))?))
}

/// Server-sent events of the job until it is over: the same document as `GET`, whenever it changed.
pub async fn events(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let (queue, department, id) = (ask.app.queue.clone(), ask.department()?.to_owned(), uuid(&id)?);
    // A job one may not see must be a 404, not an empty stream.
    queue.get(&department, id).await?;
    let stream = futures_util::stream::unfold((String::new(), false), move |(last, over)| {
        let (queue, department) = (queue.clone(), department.clone());
        async move {
            if over {
                return None;
            }
            loop {
                let Ok(info) = queue.get(&department, id).await.map(shown) else { return None };
                let text = serde_json::to_string(&info).unwrap_or_default();
                if text != last {
                    let event = Event::default().data(&text);
                    return Some((Ok::<_, Infallible>(event), (text, info.is_over())));
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}
