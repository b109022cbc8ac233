//! Fetches one picture: bounded in time and size, from the camera's own machine and no other. An account is named only to a
//! camera that asks for it, by Digest where it takes that; a camera on plain http that takes Basic alone gets it in the clear.

use super::{Camera, CameraMap};
use http_auth::{PasswordClient, PasswordParams};
use reqwest::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode, Url};
use std::time::Duration;

/// Why there is no picture; words for the wall, without addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CameraFault {
    /// The file gives no address for it.
    #[error("未配置抓拍地址 (no snapshot address is configured)")]
    NoAddress,
    /// Nothing, or not in time.
    #[error("{0} 秒内无应答 (no answer within {0} s)")]
    Silent(u64),
    /// Nobody listens, the name is unknown, TLS fails.
    #[error("连接不上 (cannot be reached): {0}")]
    Away(String),
    /// It wants another account.
    #[error("账号或密码不对 (the account is refused)")]
    Refused,
    /// It asks for an account in a way that is not known.
    #[error("摄像机的认证方式不支持 (the camera asks for neither Digest nor Basic)")]
    Challenge,
    /// Another answer than a picture.
    #[error("应答 {0}，不是画面 (answered {0}, no picture)")]
    Answer(u16),
    /// It sends more than is taken.
    #[error("画面超过 {0} 字节 (the picture is larger than {0} bytes)")]
    TooLarge(usize),
    /// The bytes are no picture.
    #[error("应答不是 JPEG、PNG 或 WebP (the answer is no JPEG, PNG or WebP)")]
    NoPicture,
}

/// Fetches snapshots.
#[derive(Debug, Clone)]
pub struct Eye {
    http: Client,
    timeout_s: u64,
    bytes_max: usize,
}

impl Eye {
    /// For the cameras of a map.
    ///
    /// # Errors
    /// When the authority's certificates cannot be read.
    pub fn new(map: &CameraMap) -> Result<Self, reqwest::Error> {
        let timeout = Duration::from_secs(map.timeout_s);
        // A redirect could lead to a machine that nobody listed.
        let mut http = Client::builder().no_proxy().redirect(Policy::none()).timeout(timeout);
        for certificate in map.authority.iter().map(|pem| Certificate::from_pem_bundle(pem)) {
            for certificate in certificate? {
                http = http.add_root_certificate(certificate);
            }
        }
        Ok(Self { http: http.build()?, timeout_s: map.timeout_s, bytes_max: map.bytes_max })
    }

    /// The picture as it is now.
    ///
    /// # Errors
    /// When there is none within the bounds; the words hold no address and no account.
    pub async fn look(&self, camera: &Camera) -> Result<Vec<u8>, CameraFault> {
        let whole = tokio::time::timeout(Duration::from_secs(self.timeout_s), self.picture(camera)).await;
        whole.unwrap_or(Err(CameraFault::Silent(self.timeout_s)))
    }

    async fn picture(&self, camera: &Camera) -> Result<Vec<u8>, CameraFault> {
        let url = camera.snapshot.clone().ok_or(CameraFault::NoAddress)?;
        let mut reply = self.ask(&url, None).await?;
        if let (StatusCode::UNAUTHORIZED, Some(account)) = (reply.status(), &camera.account) {
            let answer = answer_to(&reply, &url, account).ok_or(CameraFault::Challenge)?;
            reply = self.ask(&url, Some(answer)).await?;
        }
        match reply.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(CameraFault::Refused),
            other => return Err(CameraFault::Answer(other.as_u16())),
        }
        let mut bytes = Vec::new();
        while let Some(part) = reply.chunk().await.map_err(|fault| self.fault(fault))? {
            if bytes.len() + part.len() > self.bytes_max {
                return Err(CameraFault::TooLarge(self.bytes_max));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }

    async fn ask(&self, url: &Url, account: Option<HeaderValue>) -> Result<Response, CameraFault> {
        let mut request = self.http.get(url.clone());
        if let Some(account) = account {
            request = request.header(AUTHORIZATION, account);
        }
        request.send().await.map_err(|fault| self.fault(fault))
    }

    fn fault(&self, fault: reqwest::Error) -> CameraFault {
        if fault.is_timeout() {
            return CameraFault::Silent(self.timeout_s);
        }
        let fault = fault.without_url();
        let mut cause: &dyn std::error::Error = &fault;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        CameraFault::Away(cause.to_string().chars().take(120).collect())
    }
}

/// The account as the camera asks for it: Digest (RFC 7616, MD5 or SHA-256) before Basic; `None` if it asks for neither.
fn answer_to(reply: &Response, url: &Url, (user, password): &(String, String)) -> Option<HeaderValue> {
    let asked = reply.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|challenge| challenge.to_str().ok());
    let asked = asked.fold(PasswordClient::builder(), |builder, challenge| builder.challenges(challenge));
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let params = PasswordParams { username: user, password, uri: &target, method: "GET", body: Some(&[]) };
    let mut answer = HeaderValue::try_from(asked.build().ok()?.respond(&params).ok()?).ok()?;
    answer.set_sensitive(true);
    Some(answer)
}
