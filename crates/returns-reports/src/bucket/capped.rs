//! The client of the bucket's server. What it says beside the objects themselves, such as an error
//! or a list, is read up to a limit: a server may send without end.

use async_trait::async_trait;
use echeck_service::clock::ToldTime;
use futures_util::TryStreamExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

/// A web page, which no bucket's server sends: not even its errors are HTML.
#[derive(Debug, thiserror::Error)]
#[error(
    "something else answers in its place, such as a proxy or a log-in page: a web page came \
     (HTTP {0})"
)]
struct NotABucket(u16);

/// How much is read, in bytes. A list of 1,000 keys of 1 KiB each has a quarter of it.
const MOST_READ: usize = 8 << 20;

/// Makes the client. The server's time is noted from its answers.
#[derive(Debug)]
pub(super) struct CappedConnector(pub(super) ToldTime);

impl HttpConnector for CappedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Capped(client, self.0.clone())))
    }
}

#[derive(Debug)]
struct Capped(HttpClient, ToldTime);

#[async_trait]
impl HttpService for Capped {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // An object is read as it comes, and is as long as its header says.
        let is_object = request.method().as_str() == "GET" && request.uri().query().is_none();
        let answer = self.0.execute(request).await?;
        let header = |name: &str| answer.headers().get(name)?.to_str().ok();
        if let Some(date) = header("date") {
            self.1.note_http_date(date);
        }
        if header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            let page = NotABucket(answer.status().as_u16());
            return Err(HttpError::new(HttpErrorKind::Request, page));
        }
        if is_object && answer.status().is_success() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let (mut chunks, mut start) = (body.bytes_stream(), Vec::new());
        while let Some(chunk) = chunks.try_next().await? {
            let room = MOST_READ - start.len();
            start.extend(chunk.iter().take(room));
            if chunk.len() > room {
                break;
            }
        }
        Ok(HttpResponse::from_parts(head, start.into()))
    }
}
