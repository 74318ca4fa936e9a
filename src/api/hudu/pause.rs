//! What a 429 without `Retry-After` means at Hudu: wait for the end of a five-minute window of the clock, as the vendor's
//! own clients do (apis/hudu.md 4).

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use reqwest::header::{HeaderValue, RETRY_AFTER};

use crate::api::http::{Request, Response, SendError, Transport};

const WINDOW: u64 = 300;
/// The other side's clock may be a little behind ours.
const MARGIN: u64 = 2;

/// A transport that adds the pause Hudu leaves out.
pub struct Patient(pub Arc<dyn Transport>);

impl Transport for Patient {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        Box::pin(async move {
            let mut response = self.0.send(request).await?;
            if response.status == 429 && response.header("retry-after").is_none() {
                let pause = until_boundary(SystemTime::now());
                response.headers.insert(RETRY_AFTER, HeaderValue::from(pause.as_secs()));
            }
            Ok(response)
        })
    }
}

/// From a moment to the next minute that five divides, and a little more.
pub fn until_boundary(now: SystemTime) -> Duration {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Duration::from_secs(WINDOW - since % WINDOW + MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_ends_just_behind_the_next_fifth_minute() {
        let at = |seconds| until_boundary(UNIX_EPOCH + Duration::from_secs(seconds)).as_secs();
        assert_eq!(at(0), 302);
        assert_eq!(at(299), 3);
        assert_eq!(at(300 * 7 + 61), 241);
    }
}
