//! The bodies of requests and responses, which report their progress to [`ConnectionActivity`].

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::ConnectionActivity;

/// For a whole body, counted from when a handler first waits for it. Further bytes do not extend it: a client that sends
/// one now and then would hold its connection forever.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A long response is handed over in pieces of this size, each of which the client has to take before the next.
const RESPONSE_FRAME_BYTES: usize = 16 * 1024;

/// The body of a request. It fails when it does not arrive in time.
pub(super) struct RequestBody {
    body: Incoming,
    activity: Arc<ConnectionActivity>,
    /// Most bodies arrive with their headers; only for the others a timer is set.
    deadline: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct BodyTimedOut;

impl RequestBody {
    pub(super) fn new(body: Incoming, activity: Arc<ConnectionActivity>) -> Self {
        Self { body, activity, deadline: None }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.activity.record_body_read();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(BODY_TIMEOUT)));
        deadline.as_mut().poll(context).map(|()| Some(Err(BodyTimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response. hyper asks for the next frame when there is room for it, that is, once the client has taken
/// most of those before.
pub(super) struct ResponseBody {
    body: Body,
    activity: Arc<ConnectionActivity>,
    /// The rest of a frame that is handed over in pieces.
    rest: Bytes,
}

impl ResponseBody {
    pub(super) fn new(body: Body, activity: Arc<ConnectionActivity>) -> Self {
        Self { body, activity, rest: Bytes::new() }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)?) else { return Poll::Ready(None) };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        self.activity.record_response_sent();
        let length = self.rest.len().min(RESPONSE_FRAME_BYTES);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest + body.lower());
        if let Some(upper) = body.upper() {
            hint.set_upper(rest + upper);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn long_response_is_sent_in_chunks_that_count_as_progress() {
        let activity = Arc::new(ConnectionActivity::new(Duration::from_secs(65), Arc::default()));
        let content: Vec<u8> = (0..RESPONSE_FRAME_BYTES * 2 + 100).map(|index| (index % 251) as u8).collect();
        let mut body = ResponseBody::new(Body::from(content.clone()), activity.clone());
        let mut received = Vec::new();
        let mut progress = activity.last_progress();
        for length in [RESPONSE_FRAME_BYTES, RESPONSE_FRAME_BYTES, 100] {
            let expected = (content.len() - received.len()) as u64;
            assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(expected), false));
            let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(data.len(), length);
            received.extend_from_slice(&data);
            assert!(activity.last_progress() > progress);
            progress = activity.last_progress();
        }
        assert!(body.is_end_stream() && body.frame().await.is_none());
        assert_eq!(received, content);
    }
}
