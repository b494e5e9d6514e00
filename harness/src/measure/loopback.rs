//! The HTTP server that ftbench runs beside workloads that need one: on the loopback address, in a process of its
//! own, with a fixed latency, so that what is measured is how clients wait.

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// Environment variable that tells workloads the server's address.
pub const URL_VARIABLE: &str = "FTBENCH_HTTP_URL";

/// How long the server waits before it answers: a request to a service in the same data centre.
pub const LATENCY: Duration = Duration::from_millis(5);

/// What every answer holds, bytes: a small JSON document's worth.
pub const BODY_BYTES: usize = 1024;

/// The server's process. Dropping it ends the server.
#[derive(Debug)]
pub struct LoopbackServer {
    child: Child,
    /// The server ends when this is closed, which happens by itself should ftbench be killed.
    stdin: Option<ChildStdin>,
    url: String,
}

impl LoopbackServer {
    /// Starts the server: `executable` is ftbench itself, `arguments` lead to [`serve`].
    ///
    /// # Errors
    /// When it does not start, or does not say its address.
    pub fn start(executable: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(executable)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let mut server = Self {
            child,
            stdin,
            url: String::new(),
        };
        if let Some(stdout) = stdout {
            BufReader::new(stdout).read_line(&mut server.url)?;
        }
        server.url.truncate(server.url.trim_end().len());
        if server.url.starts_with("http://") {
            Ok(server)
        } else {
            Err(io::Error::other("it did not say its address"))
        }
    }

    /// Its process id.
    #[must_use]
    pub fn process_id(&self) -> Option<i32> {
        // There always is one: process ids of Linux are below 2^22.
        i32::try_from(self.child.id()).ok()
    }

    /// Its address, such as `http://127.0.0.1:40123/`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until standard input is closed, after telling the address through `announce`.
///
/// # Errors
/// When no port can be had.
pub fn serve(announce: impl FnOnce(&str) -> io::Result<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        announce(&format!("http://{}/", listener.local_addr()?))?;
        tokio::select! {
            ended = accept(listener) => ended,
            () = closed_standard_input() => Ok(()),
        }
    })?;
    // A blocked read of standard input would hold the runtime up.
    runtime.shutdown_background();
    Ok(())
}

async fn closed_standard_input() {
    let mut byte = [0];
    while matches!(tokio::io::stdin().read(&mut byte).await, Ok(1..)) {}
}

async fn accept(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        // Small answers must not wait for an acknowledgement (Nagle's algorithm).
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            // A client that goes away in the middle is its own affair.
            let _ = connection.await;
        });
    }
}

async fn answer(_request: Request<hyper::body::Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    static BODY: [u8; BODY_BYTES] = [b'x'; BODY_BYTES];
    tokio::time::sleep(LATENCY).await;
    Ok(Response::new(Full::new(Bytes::from_static(&BODY))))
}
