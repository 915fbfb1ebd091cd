//! A stream that ends when its client has been waited for long enough.

use std::{
    io::{Error, ErrorKind, IoSlice, Result},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::Activity;

pub(super) struct Patient {
    stream: TcpStream,
    activity: Arc<Activity>,
    /// Fires when patience may have ended, or earlier; what counts is what [`Activity`] says then.
    alarm: Pin<Box<Sleep>>,
}

impl Patient {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        let alarm = Box::pin(sleep_until(activity.patience_ends().unwrap_or_else(Instant::now)));
        Self { stream, activity, alarm }
    }

    /// Ready once the client has been waited for long enough; asked whenever there is nothing else to do.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        // Whoever runs the request will ask again after it.
        let Some(end) = self.activity.patience_ends() else { return Poll::Pending };
        if end < self.alarm.deadline() {
            self.alarm.as_mut().reset(end);
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            if end <= Instant::now() {
                return Poll::Ready(ErrorKind::TimedOut.into());
            }
            self.alarm.as_mut().reset(end);
        }
        Poll::Pending
    }

    /// What a write came to. The client has moved when it took something.
    fn written<T>(&mut self, written: Poll<Result<T>>, context: &mut Context<'_>) -> Poll<Result<T>> {
        match written {
            Poll::Pending => self.poll_end(context).map(Err),
            ready @ Poll::Ready(_) => {
                self.activity.has_written(Instant::now());
                ready
            }
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.poll_end(context).map(Err),
            Poll::Ready(read) => {
                self.activity.has_read(Instant::now());
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
