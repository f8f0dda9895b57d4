//! The client of the bucket's server. What it says beside the objects themselves, such as an error
//! or a list, is read up to a limit: a server may send without end.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};

/// How much is read, in bytes. A list of 1,000 keys of 1 KiB each has a quarter of it.
const MOST_READ: usize = 8 << 20;

/// Makes the client.
#[derive(Debug)]
pub(super) struct CappedConnector;

impl HttpConnector for CappedConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Capped(client)))
    }
}

#[derive(Debug)]
struct Capped(HttpClient);

#[async_trait]
impl HttpService for Capped {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // An object is read as it comes, and is as long as its header says.
        let is_object = request.method().as_str() == "GET" && request.uri().query().is_none();
        let answer = self.0.execute(request).await?;
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
