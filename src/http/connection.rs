//! Connections: who is slow to say what it wants is let go, and what cannot be parsed as HTTP gets a problem document too.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Sleep;
use tower_http::add_extension::AddExtension;

use super::peer::Peer;
use super::problem;

/// From a connection's readiness to the end of a request's head. Longer than proxies and browsers keep an idle connection.
const HEAD: Duration = Duration::from_secs(75);

/// As many bytes tell HTTP/2 from HTTP/1.
const PREFACE: usize = 24;

/// Serves until told to stop, then lets answers under way finish, for so long.
pub async fn serve(router: Router, listener: TcpListener, mut stop: watch::Receiver<bool>, grace: Duration) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD);
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(e) => {
                    // Out of file descriptors, mostly: others will end.
                    tracing::warn!("a connection could not be taken: {e}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            // The guard that it gives must not be held over an await.
            () = async { drop(stop.wait_for(|stopped| *stopped).await) } => break,
        };
        let _ = stream.set_nodelay(true);
        let io = TokioIo::new(Connection::new(stream));
        let connection = builder.serve_connection_with_upgrades(
            io,
            TowerToHyperService::new(AddExtension::new(router.clone(), Peer(address))),
        );
        let watched = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(e) = watched.await {
                tracing::debug!("a connection ended: {e}");
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(grace, graceful.shutdown()).await;
}

/// A stream on which the bare refusals of the HTTP library, for what never became a request, get a body that says what is wrong.
struct Connection {
    stream: TcpStream,
    /// What stands in the place of such a refusal and is not sent yet.
    pending: Vec<u8>,
    /// Until when the first bytes must be there, and how many are wanted still: the library waits for them without an end, to see
    /// which version of HTTP is spoken.
    greeting: Option<(Pin<Box<Sleep>>, usize)>,
}

/// The document for a message that is nothing but a head with an error and `content-length: 0`: no handler of ours writes one.
fn refusal(written: &[u8]) -> Option<Vec<u8>> {
    let status = written.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    let status = std::str::from_utf8(status).ok()?.parse().ok().filter(|s| matches!(s, 400 | 414 | 431))?;
    let head = std::str::from_utf8(written).ok().filter(|head| head.len() < 250 && head.ends_with("\r\n\r\n"))?;
    let bare = head.contains("\r\ncontent-length: 0\r\n") && !head.contains("\r\nx-request-id:");
    bare.then(|| problem::of_no_request(status))
}

impl Connection {
    fn new(stream: TcpStream) -> Connection {
        let greeting = Some((Box::pin(tokio::time::sleep(HEAD)), PREFACE));
        Connection { stream, pending: Vec::new(), greeting }
    }

    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.pending))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let Some((deadline, wanted)) = &mut self.greeting else { return read };
        if read.is_pending() {
            ready!(deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        match wanted.checked_sub(buf.filled().len() - before) {
            Some(left) if left > 0 => *wanted = left,
            _ => self.greeting = None,
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        match refusal(bytes) {
            Some(instead) => {
                self.pending = instead;
                Poll::Ready(Ok(bytes.len()))
            }
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        if let [only] = parts
            && let Some(instead) = refusal(only)
        {
            self.pending = instead;
            return Poll::Ready(Ok(only.len()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_library_s_own_refusals_are_replaced() {
        let bare = "HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\ndate: Tue, 24 Nov 2026 22:00:00 GMT\r\n\r\n";
        let said = String::from_utf8(refusal(bare.as_bytes()).unwrap()).unwrap();
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 414 URI Too Long\r\n") && head.contains("application/problem+json"),
            "{head}"
        );
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["status"], 414);
        for other in [
            "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 12\r\n\r\n{\"a\": \"b\"}  ",
            "HTTP/1.1 400 Bad Request\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 414",
            "",
        ] {
            assert!(refusal(other.as_bytes()).is_none(), "{other}");
        }
    }
}
