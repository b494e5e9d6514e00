//! The loopback services for workloads that need them: HTTP with a fixed latency, to measure how clients wait, and an
//! echo without latency. One separate process serves both.

use std::convert::Infallible;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::workload::Service;

/// The time that the HTTP service waits before it answers, like a service in the same data centre.
pub const LATENCY: Duration = Duration::from_millis(5);

/// The length of every answer except that of [`JSON_PATH`], in bytes: the size of a small JSON document.
pub const BODY_BYTES: usize = 1024;

/// The path at which the HTTP service has a JSON document: a list of items such as a shop would send.
pub const JSON_PATH: &str = "/json";

/// The number of items in the document: about 20 kB of text.
const ITEMS: u32 = 200;

/// The addresses of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    http: SocketAddr,
    echo: SocketAddr,
}

impl Addresses {
    /// The value of a service's environment variable: `http://127.0.0.1:40123/` or `127.0.0.1:40124`.
    #[must_use]
    pub fn value(&self, service: Service) -> String {
        match service {
            Service::Http => format!("http://{}/", self.http),
            Service::Echo => self.echo.to_string(),
        }
    }

    /// The line that the server's process prints.
    fn line(&self) -> String {
        format!("{} {}", self.http, self.echo)
    }

    /// Parses the line that the server's process prints.
    fn parse(line: &str) -> Option<Self> {
        let (http, echo) = line.trim_end().split_once(' ')?;
        Some(Self {
            http: http.parse().ok()?,
            echo: echo.parse().ok()?,
        })
    }
}

/// The server's process; dropping it ends the server.
#[derive(Debug)]
pub struct LoopbackServer {
    child: Child,
    /// The server ends when this is closed, which also happens if ftbench is killed.
    stdin: Option<ChildStdin>,
    addresses: Addresses,
}

impl LoopbackServer {
    /// Starts the server: `executable` is ftbench itself, `arguments` lead to [`serve`].
    ///
    /// # Errors
    /// If it does not start, or does not print its addresses.
    pub fn start(executable: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(executable)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Not in the terminal's foreground: Ctrl-C is for the driver, and the current trial still needs the server.
            .process_group(0)
            .spawn()?;
        let stdin = child.stdin.take();
        match read_addresses(&mut child) {
            Ok(addresses) => Ok(Self {
                child,
                stdin,
                addresses,
            }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }

    /// Returns the process id of the server.
    #[must_use]
    pub fn process_id(&self) -> Option<i32> {
        // There always is one: process ids of Linux are below 2^22.
        i32::try_from(self.child.id()).ok()
    }

    /// The addresses of its services.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads the addresses that a server's process prints on its standard output.
fn read_addresses(child: &mut Child) -> io::Result<Addresses> {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    Addresses::parse(&line).ok_or_else(|| io::Error::other("it did not print its addresses"))
}

/// Announces the addresses through `announce`, then serves until standard input is closed.
///
/// # Errors
/// If no port can be bound.
pub fn serve(announce: impl FnOnce(&str) -> io::Result<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listeners = Listeners::bind().await?;
        announce(&listeners.addresses()?.line())?;
        tokio::select! {
            ended = listeners.serve() => ended,
            () = standard_input_closed() => Ok(()),
        }
    })?;
    // A blocked read of standard input would delay a normal shutdown.
    runtime.shutdown_background();
    Ok(())
}

async fn standard_input_closed() {
    let mut byte = [0];
    while matches!(tokio::io::stdin().read(&mut byte).await, Ok(1..)) {}
}

/// One listening socket for each service.
struct Listeners {
    http: TcpListener,
    echo: TcpListener,
}

impl Listeners {
    /// Binds each to a free port.
    async fn bind() -> io::Result<Self> {
        Ok(Self {
            http: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
            echo: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        })
    }

    fn addresses(&self) -> io::Result<Addresses> {
        Ok(Addresses {
            http: self.http.local_addr()?,
            echo: self.echo.local_addr()?,
        })
    }

    /// Serves clients until a listening socket fails.
    async fn serve(self) -> io::Result<()> {
        tokio::select! {
            ended = accept(self.http, talk_http) => ended,
            ended = accept(self.echo, talk_echo) => ended,
        }
    }
}

/// Gives every client of a service a task of its own.
async fn accept<Talk>(listener: TcpListener, talk: impl Fn(TcpStream) -> Talk) -> io::Result<()>
where
    Talk: Future<Output = ()> + Send + 'static,
{
    loop {
        let (stream, _) = listener.accept().await?;
        // Small answers must not wait for an acknowledgement (Nagle's algorithm).
        stream.set_nodelay(true)?;
        tokio::spawn(talk(stream));
    }
}

/// Sends back what it gets, at once.
async fn talk_echo(mut stream: TcpStream) {
    let (mut reader, mut writer) = stream.split();
    // A client may disconnect at any time.
    let _ = tokio::io::copy(&mut reader, &mut writer).await;
}

async fn talk_http(stream: TcpStream) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    let _ = connection.await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    static BODY: [u8; BODY_BYTES] = [b'x'; BODY_BYTES];
    tokio::time::sleep(LATENCY).await;
    if request.uri().path() == JSON_PATH {
        let mut response = Response::new(Full::new(DOCUMENT.clone()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        return Ok(response);
    }
    Ok(Response::new(Full::new(Bytes::from_static(&BODY))))
}

/// The answer at [`JSON_PATH`].
#[derive(Serialize)]
struct Document {
    items: Vec<Item>,
}

/// One item of the document. The workload that reads it computes the same values for its check.
#[derive(Serialize)]
struct Item {
    id: u32,
    name: String,
    category: &'static str,
    price_cents: u32,
    quantity: u32,
    in_stock: bool,
}

impl Item {
    /// Makes the item with this number, counted from 1. The primes vary the prices.
    fn new(id: u32) -> Self {
        let category = match id % 4 {
            0 => "books",
            1 => "games",
            2 => "music",
            _ => "tools",
        };
        Self {
            id,
            name: format!("Item <{id}>"),
            category,
            price_cents: 1 + id * 7919 % 9973,
            quantity: 1 + id % 9,
            in_stock: !id.is_multiple_of(3),
        }
    }
}

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let items = (1..=ITEMS).map(Item::new).collect();
    // Strings, integers and booleans always have a JSON text; a workload's check would notice its absence.
    Bytes::from(serde_json::to_vec(&Document { items }).unwrap_or_default())
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpStream};
    use std::thread;

    use sha2::{Digest, Sha256};

    use super::*;

    /// Starts the services on a thread of the test's process, where they run until it ends.
    fn services() -> Addresses {
        let (sender, receiver) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listeners = Listeners::bind().await.unwrap();
                sender.send(listeners.addresses().unwrap()).unwrap();
                listeners.serve().await.unwrap();
            });
        });
        receiver.recv().unwrap()
    }

    /// Returns the head and the body of the answer to one request.
    fn get(addresses: &Addresses, path: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(addresses.http).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let body = answer.split_off(end + 4);
        (String::from_utf8(answer).unwrap().to_lowercase(), body)
    }

    #[test]
    fn http_answers_with_a_page() {
        let addresses = services();
        let (head, body) = get(&addresses, "/");
        assert!(head.starts_with("http/1.1 200 ok"), "{head}");
        assert_eq!(body, [b'x'; BODY_BYTES]);
    }

    /// The worker's tests have the same digest for the document that their own server sends.
    #[test]
    fn http_serves_a_fixed_document() {
        let (head, body) = get(&services(), JSON_PATH);
        assert!(head.starts_with("http/1.1 200 ok"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let items = document["items"].as_array().unwrap();
        assert_eq!(items.len(), 200);
        let last = serde_json::json!({
            "id": 200, "name": "Item <200>", "category": "books", "price_cents": 8067, "quantity": 3, "in_stock": true
        });
        assert_eq!(items.last(), Some(&last));
        assert_eq!(
            hex::encode(Sha256::digest(&body)),
            "013b112dd266d56309ac9c4c709f31b55de8956438d9f94616c7a5722b46933c"
        );
    }

    #[test]
    fn echo_sends_back_what_it_gets_to_each_client() {
        let addresses = services();
        let mut clients: Vec<TcpStream> = (0..3)
            .map(|_| TcpStream::connect(addresses.echo).unwrap())
            .collect();
        for (number, client) in clients.iter_mut().enumerate() {
            // More than a socket's buffers or one read hold.
            let sent: Vec<u8> = (0..1_000_000_usize)
                .map(|n| u8::try_from((n * 31 + number) % 251).unwrap())
                .collect();
            let mut writer = client.try_clone().unwrap();
            let to_send = sent.clone();
            let sending = thread::spawn(move || {
                writer.write_all(&to_send).unwrap();
                writer.shutdown(Shutdown::Write).unwrap();
            });
            let mut received = Vec::new();
            client.read_to_end(&mut received).unwrap();
            sending.join().unwrap();
            assert!(received == sent, "client {number} got something else back");
        }
    }

    #[test]
    fn addresses_are_printed_and_parsed_as_one_line() {
        let line = "127.0.0.1:40123 127.0.0.1:40124\n";
        let addresses = Addresses::parse(line).unwrap();
        assert_eq!(addresses.value(Service::Http), "http://127.0.0.1:40123/");
        assert_eq!(addresses.value(Service::Echo), "127.0.0.1:40124");
        assert_eq!(Addresses::parse(&addresses.line()), Some(addresses));
        for wrong in ["", "127.0.0.1:40123", "http://127.0.0.1:1/ 127.0.0.1:2", "a b"] {
            assert_eq!(Addresses::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_server_that_prints_no_addresses_is_refused() {
        let error = LoopbackServer::start(Path::new("/bin/true"), &[]).unwrap_err();
        assert_eq!(error.to_string(), "it did not print its addresses");
    }
}
