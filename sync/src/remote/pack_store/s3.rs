//! A bucket of S3, or of a compatible service (R2, MinIO), as a pack store.

use std::fs::File;
use std::io::Read;
use std::path::Path as FilePath;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
};
use object_store::path::Path;
use object_store::{
    BackoffConfig, Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutMode,
    PutPayload, RetryConfig, WriteMultipart,
};
use reqwest::Client;

use crate::base::world::World;
use crate::remote::meter::Meter;
use crate::remote::pack_store::address::S3Address;
use crate::remote::pack_store::store::{PackStore, PackStoreError, PackStream, check_key};
use crate::remote::sanitize::sanitize;
use crate::remote::secret::Secrets;
use crate::remote::tls::http_client;

/// Larger packs are sent in parts of this size. A retry sends one part again, not the whole pack.
const PART_BYTES: usize = 8 << 20;
/// How many parts of a pack are sent at once. With [`PART_BYTES`], this bounds the memory of an
/// upload.
const PARTS_AT_ONCE: usize = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest pause within an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A bucket as a pack store.
#[derive(Debug)]
pub struct S3 {
    place: String,
    prefix: String,
    bucket: AmazonS3,
    world: World,
    meter: Meter,
}

impl S3 {
    /// Opens the bucket at `address`, which users write as `url`. The keys are the secrets
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if there is one, `AWS_SESSION_TOKEN`.
    pub fn new(
        address: &S3Address,
        url: &str,
        secrets: &dyn Secrets,
        world: World,
        meter: Meter,
    ) -> Result<Self, PackStoreError> {
        let denied = |reason: String| PackStoreError::Denied { place: url.to_owned(), reason };
        let optional = |name: &str| secrets.get(name, url).map_err(denied);
        let needed = |name: &str| {
            let missing = || denied(format!("{name} is not set in the environment"));
            optional(name)?.ok_or_else(missing)
        };
        let (id, key) = (needed("AWS_ACCESS_KEY_ID")?, needed("AWS_SECRET_ACCESS_KEY")?);
        let token = optional("AWS_SESSION_TOKEN")?;
        let mut builder = AmazonS3Builder::new()
            .with_http_connector(MeteredConnector(meter.clone()))
            .with_retry(retries())
            .with_bucket_name(&address.bucket)
            .with_region(address.region.as_deref().unwrap_or("us-east-1"))
            .with_access_key_id(id.expose())
            .with_secret_access_key(key.expose());
        if let Some(token) = &token {
            builder = builder.with_token(token.expose());
        }
        if let Some(endpoint) = &address.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(true);
        }
        let failed = |error: Error| PackStoreError::Failed {
            place: url.to_owned(),
            reason: error.to_string(),
        };
        let bucket = builder.build().map_err(failed)?;
        let (place, prefix) = (url.to_owned(), address.prefix.clone());
        Ok(Self { place, prefix, bucket, world, meter })
    }

    fn path(&self, key: &str) -> Result<Path, PackStoreError> {
        check_key(key)?;
        Ok(Path::from(format!("{}/{key}", self.prefix)))
    }

    fn error(&self, error: Error, key: &str) -> PackStoreError {
        let place = self.place.clone();
        match &error {
            Error::NotFound { .. } => PackStoreError::Missing { key: key.to_owned(), place },
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                PackStoreError::Denied { place, reason: Self::words(&error) }
            }
            // Statuses for a wrong request. Everything else is a problem of the network or the
            // server.
            _ if is_refusal(&error) => {
                PackStoreError::Failed { place, reason: Self::words(&error) }
            }
            _ => PackStoreError::Unreachable { place, reason: Self::words(&error) },
        }
    }

    /// Interprets the error of a put, in which "not found" means that the bucket is missing.
    fn put_error(&self, error: Error, key: &str) -> PackStoreError {
        match self.error(error, key) {
            PackStoreError::Missing { place, .. } => {
                PackStoreError::Failed { place, reason: "there is no such bucket".to_owned() }
            }
            error => error,
        }
    }

    /// Returns the message of an error with those of its causes, fit for a message to the user.
    fn words(error: &Error) -> String {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text = format!("{text}: {words}");
            }
            cause = error.source();
        }
        sanitize(&text)
    }

    async fn length(&self, path: &Path) -> Result<Option<u64>, Error> {
        match self.bucket.head(path).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a pack with one request, or with two if it is there already. Returns false in that
    /// case.
    async fn put_small(&self, path: &Path, bytes: Vec<u8>) -> Result<bool, Error> {
        let length = bytes.len() as u64;
        let payload = PutPayload::from(bytes);
        match self.bucket.put_opts(path, payload.clone(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) if self.length(path).await? == Some(length) => {
                Ok(false)
            }
            // Replaces a pack of another length, which was cut short. Some servers do not support
            // conditions at all.
            Err(
                Error::AlreadyExists { .. }
                | Error::NotImplemented { .. }
                | Error::Precondition { .. },
            ) => self.bucket.put(path, payload).await.map(|_| true),
            Err(error) => Err(error),
        }
    }

    /// Stores a pack in several parts, and replaces any pack that is there.
    async fn put_large(
        &self,
        path: &Path,
        key: &str,
        mut file: File,
        from: &FilePath,
    ) -> Result<(), PackStoreError> {
        let io = |source| PackStoreError::Io { action: "read", path: from.to_owned(), source };
        let failed = |error| self.put_error(error, key);
        let upload = self.bucket.put_multipart(path).await.map_err(failed)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut chunk = vec![0; 1 << 20];
        loop {
            upload.wait_for_capacity(PARTS_AT_ONCE).await.map_err(failed)?;
            match file.read(&mut chunk).map_err(io)? {
                0 => return upload.finish().await.map(drop).map_err(failed),
                count => upload.write(&chunk[..count]),
            }
        }
    }
}

#[async_trait]
impl PackStore for S3 {
    fn place(&self) -> &str {
        &self.place
    }

    async fn put(&self, key: &str, from: &FilePath) -> Result<bool, PackStoreError> {
        let path = self.path(key)?;
        let io = |source| PackStoreError::Io { action: "read", path: from.to_owned(), source };
        let mut file = File::open(from).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        if length <= PART_BYTES as u64 {
            let mut bytes = Vec::with_capacity(length as usize);
            file.read_to_end(&mut bytes).map_err(io)?;
            return self.put_small(&path, bytes).await.map_err(|error| self.put_error(error, key));
        }
        if self.length(&path).await.map_err(|error| self.put_error(error, key))? == Some(length) {
            return Ok(false);
        }
        self.put_large(&path, key, file, from).await.map(|()| true)
    }

    async fn replace(&self, key: &str, from: &FilePath) -> Result<(), PackStoreError> {
        let path = self.path(key)?;
        let io = |source| PackStoreError::Io { action: "read", path: from.to_owned(), source };
        let mut file = File::open(from).map_err(io)?;
        if file.metadata().map_err(io)?.len() > PART_BYTES as u64 {
            return self.put_large(&path, key, file, from).await;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let put = self.bucket.put(&path, PutPayload::from(bytes)).await;
        put.map(drop).map_err(|error| self.put_error(error, key))
    }

    async fn get(&self, key: &str, from: u64) -> Result<PackStream, PackStoreError> {
        let path = self.path(key)?;
        let range = (from > 0).then_some(GetRange::Offset(from));
        let options = GetOptions { range, ..GetOptions::default() };
        let answer = self.bucket.get_opts(&path, options).await;
        let answer = answer.map_err(|error| self.error(error, key))?;
        let (place, meter) = (self.place.clone(), self.meter.clone());
        let stream = answer.into_stream();
        let broke = move |error: Error| PackStoreError::Unreachable {
            place: place.clone(),
            reason: Self::words(&error),
        };
        Ok(stream
            .inspect_ok(move |bytes| meter.received(bytes.len() as u64))
            .map_err(broke)
            .boxed())
    }

    async fn check(&self) -> Result<(), PackStoreError> {
        let key = format!("check/{}", self.world.new_id());
        let path = self.path(&key)?;
        let failed = |error| self.error(error, &key);
        let put = self.bucket.put(&path, PutPayload::from(key.clone())).await;
        put.map_err(|error| self.put_error(error, &key))?;
        let read = self.bucket.get(&path).await.map_err(failed)?;
        let bytes = read.bytes().await.map_err(failed)?;
        // Some access keys are not allowed to delete. Then a few bytes stay.
        let _ = self.bucket.delete(&path).await;
        if bytes == key.as_bytes() {
            Ok(())
        } else {
            Err(PackStoreError::Failed {
                place: self.place.clone(),
                reason: "what it gives is not what was put".to_owned(),
            })
        }
    }
}

/// Returns a policy of a few retries, within 30 seconds. After that, the user is told; packs that
/// were stored stay stored.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(3),
            base: 2.0,
        },
        max_retries: 5,
        retry_timeout: Duration::from_secs(30),
    }
}

/// Whether a server has said that the request itself is wrong.
fn is_refusal(error: &Error) -> bool {
    let text = error.to_string();
    ["400", "404", "405", "411", "413", "416", "501"]
        .iter()
        .any(|status| text.contains(&format!("status code: {status}")))
        || text.contains("NoSuchBucket")
}

/// Counts requests where they are made, so that retries count too.
#[derive(Debug)]
struct MeteredConnector(Meter);

impl HttpConnector for MeteredConnector {
    /// Ignores the options of `object_store`: whatever is not set here is reqwest's default.
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let failed = |source| Error::Generic { store: "S3", source };
        let client = http_client()
            .map_err(|error| failed(error.into()))?
            .connect_timeout(CONNECT_TIMEOUT)
            // No limit for a whole request, because a part may take long on a slow network.
            .read_timeout(READ_TIMEOUT)
            .user_agent(concat!("fastest/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(error.into()))?;
        Ok(HttpClient::new(Metered { client, meter: self.0.clone() }))
    }
}

#[derive(Debug)]
struct Metered {
    client: Client,
    meter: Meter,
}

#[async_trait]
impl HttpService for Metered {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.meter.request(request.body().content_length() as u64);
        self.client.call(request).await
    }
}
