//! TLS for every client of a remote, with one cryptography library and the certificates that the
//! system trusts.
//!
//! The library is `ring` and not `aws-lc-rs`, whose C sources alone take as long to compile as this
//! workspace.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

/// Returns the configuration of a client. Fails if the system has no certificates.
pub(crate) fn client_config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}

/// Returns a builder of HTTP clients that use [`client_config`], and HTTP/2 if the server supports
/// it.
pub(crate) fn http_client() -> Result<reqwest::ClientBuilder, rustls::Error> {
    let mut config = client_config()?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(reqwest::Client::builder().tls_backend_preconfigured(config))
}
