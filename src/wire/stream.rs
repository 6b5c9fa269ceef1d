use std::{
    future::Future as _,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::web::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use super::{
    connection::{Connection, Refusal},
    framing::{Framing, Step},
    head,
};

/// Bytes of a body that are still read once its request is answered, so that a client that sends first and reads then reads its answer:
/// twice as many as the largest body has that anybody wants.
const UNWANTED_MAX: usize = 32 << 20;
/// Bytes, and for how long, that are still read when the server has ended its side: a connection that is closed with bytes unread is reset,
/// and takes an answer with it that the client has not read.
const DISCARDED_MAX: usize = 32 << 20;
const LINGER: Duration = Duration::from_secs(1);
/// How long a client that has ended its side is waited for, as if it still read.
const LEAVING: Duration = Duration::from_secs(1);
/// Bytes that are read at once where they cannot go to actix directly.
const PIECE: usize = 4 * 1_024;

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For a head, and for a body that nobody wants any more.
    pub read: Duration,
    /// For taking anything at all of an answer.
    pub write: Duration,
}

/// A connection, between the socket and actix.
pub struct Wire {
    socket: TcpStream,
    timeouts: Timeouts,
    connection: Connection,
    framing: Framing,
    /// What was read and may not pass yet.
    held: BytesMut,
    /// What may pass and has not been taken yet.
    passing: BytesMut,
    /// Nothing more passes: the client has ended its side, or the rest of a body is not wanted.
    is_ended: bool,
    /// Nothing more passes, but for the stand-in of a request that was refused: the answer to the last request is waited for.
    is_over: bool,
    /// The client has ended its side while a request of it was not answered: it may still read, or it may be gone.
    leaving: Option<Pin<Box<Sleep>>>,
    /// Bytes that have passed of a body that nobody wants any more.
    unwanted: usize,
    reading: Option<Reading>,
    /// Runs while the client takes nothing.
    writing: Option<Pin<Box<Sleep>>>,
    /// Bytes that were read for nobody.
    discarded: usize,
    /// Runs once the server has ended its side.
    lingering: Option<Pin<Box<Sleep>>>,
}

/// The time that the client has for what it is sending.
struct Reading {
    /// And of the how manyth request.
    what: (Awaited, u64),
    timer: Pin<Box<Sleep>>,
}

/// What a client is sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The first request of the connection, of which nothing has come.
    First,
    Head,
    Body,
    /// More of a body whose request is answered.
    Unwanted,
}

impl Wire {
    pub fn new(socket: TcpStream, timeouts: Timeouts) -> Self {
        let connection = Connection::at(socket.local_addr().ok());
        Self {
            socket,
            timeouts,
            connection,
            framing: Framing::default(),
            held: BytesMut::new(),
            passing: BytesMut::new(),
            is_ended: false,
            is_over: false,
            leaving: None,
            unwanted: 0,
            reading: None,
            writing: None,
            discarded: 0,
            lingering: None,
        }
    }

    /// What the requests on it share with it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Does what the framing says of the bytes that are held. Whether that could be said.
    fn take(&mut self, step: Step) -> bool {
        match step {
            Step::Head(length) => {
                self.connection.pass();
                self.passing = self.held.split_to(length);
            }
            Step::Change(length, head) => {
                self.connection.pass();
                self.held.advance(length);
                self.passing = BytesMut::from(head.as_slice());
            }
            Step::Body(length) => {
                self.passing = self.held.split_to(length);
                self.note_body(length);
            }
            Step::Skip(length) => self.held.advance(length),
            Step::Wait => return false,
            Step::Refuse(refusal) => self.refuse(refusal),
            Step::Break => self.is_ended = true,
            Step::Over => {
                self.held.clear();
                self.is_over = true;
            }
        }
        true
    }

    /// Nobody reads the rest of a body whose request is answered: some of it is read for the sake of the connection.
    fn note_body(&mut self, length: usize) {
        if !self.framing.is_in_body() {
            self.unwanted = 0;
        } else if self.connection.is_answered() {
            self.unwanted += length;
            self.is_ended |= self.unwanted > UNWANTED_MAX;
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.connection.refuse(refusal);
        self.passing = BytesMut::from(head::stand_in(&self.held).as_slice());
        self.held.clear();
        self.is_over = true;
    }

    /// Whether actix is told that the client has ended its side. A client that only ends its sending side reads its answer if that
    /// comes soon; one that is gone should not have the database work for it.
    fn is_gone(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.leaving {
            Some(timer) if !self.connection.is_answered() => timer.as_mut().poll(cx).is_ready(),
            _ => true,
        }
    }

    /// Notes that the client has ended its side.
    fn leave(&mut self) {
        self.is_ended = true;
        // A body that is cut short is no request.
        if !self.framing.is_in_body() && self.held.is_empty() {
            self.leaving = Some(Box::pin(sleep(LEAVING)));
        }
    }

    /// Reads straight into the buffer of actix, as far as everything may pass as it is; the rest is held.
    fn read_through(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        let read = &buf.filled()[start..];
        if read.is_empty() {
            self.leave();
        }
        let mut passed = 0;
        while passed < read.len() && !self.is_ended {
            match self.framing.step(&read[passed..]) {
                Step::Head(length) => {
                    self.connection.pass();
                    passed += length;
                }
                Step::Body(length) => {
                    passed += length;
                    self.note_body(length);
                }
                step => {
                    self.held.extend_from_slice(&read[passed..]);
                    self.take(step);
                    break;
                }
            }
        }
        buf.set_filled(start + passed);
        Poll::Ready(Ok(()))
    }

    /// Reads more behind what is held.
    fn read_on(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut piece = [MaybeUninit::uninit(); PIECE];
        let mut piece = ReadBuf::uninit(&mut piece);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut piece))?;
        if piece.filled().is_empty() {
            self.leave();
        }
        self.held.extend_from_slice(piece.filled());
        Poll::Ready(Ok(()))
    }

    /// What the client is sending, when there is a time for it.
    fn awaited(&self) -> Option<Awaited> {
        match (self.framing.is_in_body(), self.held.is_empty()) {
            (true, _) if self.connection.is_answered() => Some(Awaited::Unwanted),
            (true, _) => Some(Awaited::Body),
            (false, false) => Some(Awaited::Head),
            (false, true) => (self.connection.passed() == 0).then_some(Awaited::First),
        }
    }

    /// Nothing has come from the client. Whether that is so for too long, and what is to be done about it has been done.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(awaited) = self.awaited() else {
            self.reading = None;
            return false;
        };
        let what = (awaited, self.connection.passed());
        let is_other = |reading: &Reading| reading.what != what;
        if self.reading.as_ref().is_none_or(is_other) {
            self.reading = None;
        }
        let read = self.timeouts.read;
        let reading = self.reading.get_or_insert_with(|| Reading {
            what,
            timer: Box::pin(sleep(read)),
        });
        if reading.timer.as_mut().poll(cx).is_pending() {
            return false;
        }
        self.reading = None;
        match awaited {
            // The handler that reads the body has a timeout of its own. The timer here starts again.
            Awaited::Body => return self.is_late(cx),
            Awaited::Head => self.refuse(Refusal::TooSlow),
            Awaited::First | Awaited::Unwanted => self.is_ended = true,
        }
        true
    }

    /// Reads and forgets what the client still sends, until it ends or there was enough of that.
    fn discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut piece = [MaybeUninit::uninit(); PIECE];
        loop {
            let mut piece = ReadBuf::uninit(&mut piece);
            match Pin::new(&mut self.socket).poll_read(cx, &mut piece) {
                Poll::Ready(Ok(()))
                    if !piece.filled().is_empty() && self.discarded < DISCARDED_MAX =>
                {
                    self.discarded += piece.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let start = buf.filled().len();
        loop {
            if !this.passing.is_empty() {
                let length = this.passing.len().min(buf.remaining());
                buf.put_slice(&this.passing.split_to(length));
                return Poll::Ready(Ok(()));
            }
            if this.is_ended {
                return if this.is_gone(cx) {
                    Poll::Ready(Ok(()))
                } else {
                    Poll::Pending
                };
            }
            let read = if this.is_over {
                // actix ends the connection with the answer. That the client has gone ends it earlier.
                ready!(this.discard(cx));
                this.leave();
                continue;
            } else if this.held.is_empty() {
                this.read_through(cx, buf)?
            } else {
                let step = this.framing.step(&this.held);
                if this.take(step) {
                    continue;
                }
                this.read_on(cx)?
            };
            if buf.filled().len() > start {
                return Poll::Ready(Ok(()));
            }
            if read.is_pending() && !this.is_late(cx) {
                return Poll::Pending;
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.socket).poll_write(cx, bytes) {
            Poll::Ready(written) => {
                this.writing = None;
                Poll::Ready(written)
            }
            Poll::Pending => {
                let write = this.timeouts.write;
                let timer = this.writing.get_or_insert_with(|| Box::pin(sleep(write)));
                ready!(timer.as_mut().poll(cx));
                // What the client has not taken need not be kept for it by the kernel either.
                let _ = this.socket.set_zero_linger();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
        }
        let is_unread = this.is_ended || this.is_over || !this.held.is_empty();
        if is_unread || this.framing.is_in_body() {
            let timer = this
                .lingering
                .get_or_insert_with(|| Box::pin(sleep(LINGER)));
            if timer.as_mut().poll(cx).is_pending() {
                ready!(this.discard(cx));
            }
        }
        Poll::Ready(Ok(()))
    }
}
