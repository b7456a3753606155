//! Requests to Cloudflare's API, with limits on time and size.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};

use crate::base::world::World;
use crate::remote::address::D1Address;
use crate::remote::d1::answer::{Answer, Place, retry_after};
use crate::remote::meter::Meter;
use crate::remote::primary::{Denial, Failure, PrimaryError};
use crate::remote::secret::Secret;
use crate::remote::tls::http_client;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// D1 ends a request after 30 s. This leaves time for the network.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Pull asks for pages of about 1 MB. An answer that is far larger is not from D1.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Cloudflare's API, or one of the same shape.
pub(super) struct Api {
    pub(super) place: Place,
    base: String,
    client: Client,
    token: Option<HeaderValue>,
    pub(super) world: World,
    meter: Meter,
}

impl Api {
    pub(super) fn new(
        address: &D1Address,
        token: Option<Secret>,
        world: World,
        meter: Meter,
    ) -> Result<Self, PrimaryError> {
        let (url, base) = (address.to_text(), address.base());
        let place = Place { url, is_cloudflare: address.api.is_none() };
        if token.is_none() && place.is_cloudflare {
            return Err(place.denied(Denial::NoToken, "there is no CLOUDFLARE_API_TOKEN"));
        }
        let token = token.as_ref().map(|token| bearer(&place, token)).transpose()?;
        let builder = http_client()
            .map_err(|error| place.unreachable(Failure::NoConnection, error.to_string()))?;
        let client = builder
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("fastest/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.map_err(|error| failed(&place, error))?;
        Ok(Self { place, base, client, token, world, meter })
    }

    pub(super) async fn post(&self, path: &str, body: Vec<u8>) -> Result<Answer, PrimaryError> {
        self.meter.request(body.len() as u64);
        let request = self.client.post(format!("{}{path}", self.base));
        self.send(request.header(CONTENT_TYPE, "application/json").body(body)).await
    }

    /// `path` includes the query.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, PrimaryError> {
        self.meter.request(0);
        self.send(self.client.get(format!("{}{path}", self.base))).await
    }

    async fn send(&self, mut request: RequestBuilder) -> Result<Answer, PrimaryError> {
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let response = request.send().await.map_err(|error| failed(&self.place, error))?;
        let status = response.status().as_u16();
        let (at, ray) = (self.world.timestamp(), text(response.headers(), "cf-ray"));
        let retry_after = wait(response.headers(), at);
        let body = self.body(response).await?;
        Ok(Answer { at, status, retry_after, ray, body })
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, PrimaryError> {
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| failed(&self.place, error))?
        {
            self.meter.received(chunk.len() as u64);
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let reason = format!("its answer is larger than {ANSWER_BYTES_MAX} bytes");
                return Err(self.place.unreachable(Failure::Lost, reason));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn bearer(place: &Place, token: &Secret) -> Result<HeaderValue, PrimaryError> {
    let header = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
    let mut header = header.map_err(|_| {
        place
            .denied(Denial::BadToken, "it holds letters that are in no token; was it pasted whole?")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, now)
}

/// Returns the error for a request that got no answer. Its message includes those of its sources,
/// which say why.
fn failed(place: &Place, error: reqwest::Error) -> PrimaryError {
    let failure = if error.is_connect() || error.is_builder() {
        Failure::NoConnection
    } else {
        Failure::Lost
    };
    if error.is_timeout() {
        return place.unreachable(failure, "it takes too long".to_owned());
    }
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        reason = format!("{reason}: {error}");
        source = error.source();
    }
    place.unreachable(failure, reason)
}
