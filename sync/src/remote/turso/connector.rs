//! Connections for `libsql`, with a time limit to connect, a limit on the size of answers, and a
//! count of the bytes received.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper_0_14::Uri;
use hyper_0_14::client::HttpConnector;
use hyper_0_14::client::connect::{Connected, Connection};
use hyper_0_14::service::Service;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use crate::base::world::World;
use crate::remote::meter::Meter;
use crate::remote::tls::client_config;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Pull asks for pages of about 1 MB. An answer that is far larger is not from a primary.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The limit for a response with an error status. Such a response is short. If it is not UTF-8,
/// `libsql` panics, and prints all of its bytes to standard error.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

type BoxError = Box<dyn Error + Send + Sync>;

/// Opens connections with and without TLS.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Option<TlsConnector>,
    world: World,
    meter: Meter,
}

impl Connector {
    /// Creates a connector for the server at `url`. Fails if the URL asks for TLS and the system
    /// has no certificates.
    pub(super) fn new(url: &Url, world: World, meter: Meter) -> Result<Self, String> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = match url.scheme() {
            "https" => Some(tls().map_err(|error| error.to_string())?),
            _ => None,
        };
        Ok(Self { tcp, tls, world, meter })
    }

    async fn connect(mut self, uri: Uri) -> Result<Bounded, BoxError> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let secure = uri.scheme_str() == Some("https");
        let tcp = self.tcp.call(uri).await?;
        let stream = match (secure, self.tls) {
            (false, _) => Stream::Plain(tcp),
            (true, Some(tls)) => {
                Stream::Tls(Box::new(tls.connect(ServerName::try_from(host)?, tcp).await?))
            }
            (true, None) => return Err("it asks for TLS, which its address does not".into()),
        };
        Ok(Bounded { stream, meter: self.meter, got: 0, left: ANSWER_BYTES_MAX })
    }
}

fn tls() -> Result<TlsConnector, rustls::Error> {
    Ok(TlsConnector::from(Arc::new(client_config()?)))
}

impl Service<Uri> for Connector {
    type Response = Bounded;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Bounded, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (world, connecting) = (self.world.clone(), self.clone().connect(uri));
        Box::pin(async move {
            let connected = world.timeout(CONNECT_TIMEOUT, connecting).await;
            connected.unwrap_or_else(|| Err("it takes too long".into()))
        })
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection that breaks when an answer is too large.
pub(super) struct Bounded {
    stream: Stream,
    meter: Meter,
    /// Bytes of the current answer so far.
    got: usize,
    /// Bytes that may still arrive before the next request is sent.
    left: usize,
}

impl Bounded {
    /// Counts bytes that arrived. Fails if the answer exceeds its limit.
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.meter.received(bytes.len() as u64);
        // `HTTP/1.1 200 …`
        if self.got == 0 && bytes.get(9).is_some_and(|digit| *digit != b'2') {
            self.left = REFUSAL_BYTES_MAX;
        }
        self.got += bytes.len();
        let left = self.left.checked_sub(bytes.len());
        self.left = left.ok_or_else(|| io::Error::other("the answer is too large"))?;
        Ok(())
    }
}

impl Connection for Bounded {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        })?;
        Poll::Ready(self.take(&buffer.filled()[before..]))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        (self.got, self.left) = (0, ANSWER_BYTES_MAX);
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
