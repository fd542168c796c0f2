//! Getting a line and getting it back: which way, where to, and after which pause.

use std::time::Duration;

use suda_proto::close::AfterClose;
use suda_proto::reply::Welcome;
use suda_proto::request::Hello;
use suda_proto::rest::Gateways;
use tokio::time::{Instant, timeout};

use super::link::Line;
use crate::backoff::Backoff;
use crate::connection::Connection;
use crate::error::ConnectionError;
use crate::rest::Rest;

/// So many WebSockets must fail in a row, while HTTP works, before polling takes over.
const SOCKET_FAILURES: u32 = 2;

/// How long asking for gateways may take.
const GATEWAYS_WITHIN: Duration = Duration::from_secs(5);

/// A line that lived this long was a good one: the next pause is short again.
const GOOD_AFTER: Duration = Duration::from_secs(10);

/// The longest jitter of "at once".
const AT_ONCE: Duration = Duration::from_secs(1);

/// The shortest pause where the server asked for one.
const PAUSE: Duration = Duration::from_secs(1);

/// A try that failed.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: ConnectionError,
    /// Whether the server answered over HTTP meanwhile.
    pub http_works: bool,
}

impl Failure {
    /// The try ended before it could tell.
    pub const fn interrupted() -> Self {
        Self { error: ConnectionError::Closed { code: None }, http_works: false }
    }
}

/// What to do after a line was lost or a try failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again after a pause.
    Wait(Duration),
    /// Poll: WebSockets do not get through here.
    Poll,
    /// Ask the user to log in again.
    LogIn,
    /// Give up, and why.
    Stop(String),
}

/// What has been tried; pure but for the clock, which comes from outside.
#[derive(Debug, Default)]
pub struct Reconnect {
    backoff: Backoff,
    tries: usize,
    socket_failures: u32,
    since: Option<Instant>,
}

impl Reconnect {
    /// How many tries there were; tries go round the gateways.
    pub const fn tries(&self) -> usize {
        self.tries
    }

    /// A line works.
    pub fn succeeded(&mut self, now: Instant, polling: bool) {
        self.since = Some(now);
        if !polling {
            self.socket_failures = 0;
        }
    }

    /// A try failed.
    pub fn failed(&mut self, failure: &Failure, chance: f64) -> Next {
        self.tries += 1;
        if !matches!(failure.error, ConnectionError::Refused(_)) {
            self.socket_failures += 1;
        }
        let next = self.after(&failure.error, chance);
        let may_poll = self.socket_failures >= SOCKET_FAILURES && failure.http_works;
        if may_poll && matches!(next, Next::Wait(_)) { Next::Poll } else { next }
    }

    /// A line was lost. The server answered a moment ago, so "at once" means at once, also on a line that breaks again
    /// and again.
    pub fn lost(&mut self, error: &ConnectionError, now: Instant, chance: f64) -> Next {
        self.tries += 1;
        let since = self.since.take();
        if since.is_some_and(|since| now - since >= GOOD_AFTER) {
            self.backoff.reset();
        }
        match self.after(error, chance) {
            Next::Wait(pause) if error.advice() == AfterClose::Resume && since.is_some() => {
                Next::Wait(pause.min(AT_ONCE.mul_f64(chance)))
            }
            next => next,
        }
    }

    fn after(&mut self, error: &ConnectionError, chance: f64) -> Next {
        match error.advice() {
            AfterClose::Resume => Next::Wait(self.backoff.next(chance)),
            AfterClose::Pause => Next::Wait(PAUSE + self.backoff.next(chance)),
            AfterClose::LogIn => Next::LogIn,
            AfterClose::Stop => Next::Stop(reason(error)),
        }
    }
}

/// The name of what made trying again useless.
fn reason(error: &ConnectionError) -> String {
    use suda_proto::close::Close;
    match error {
        ConnectionError::Refused(error) => error.code.clone(),
        ConnectionError::Closed { code: Some(code) } => {
            let close = Close::ALL.into_iter().find(|close| close.wire().0 == *code);
            close.map_or_else(|| code.to_string(), |close| close.wire().1.to_owned())
        }
        other => other.to_string(),
    }
}

/// One try over a WebSocket: asks which gateways there are, and takes one of them.
pub async fn try_socket(rest: Rest, hello: Hello, tries: usize) -> Result<(Line, Welcome), Failure> {
    let gateways = timeout(GATEWAYS_WITHIN, rest.get::<Gateways>("/v1/gateways", &[])).await;
    let gateways = gateways.ok().and_then(Result::ok).map(|found| found.gateways);
    let http_works = gateways.is_some();
    let gateways = gateways.unwrap_or_default();
    let chosen = tries.checked_rem(gateways.len()).map(|index| gateways[index].url.clone());
    let url = chosen.filter(|url| !url.is_empty()).unwrap_or_else(|| rest.socket_url());
    match Connection::connect(url, hello).await {
        Ok((connection, welcome)) => Ok((Line::socket(connection), welcome)),
        Err(error) => Err(Failure { error, http_works }),
    }
}

#[cfg(test)]
mod tests {
    use suda_proto::Code;
    use suda_proto::close::Close;

    use super::*;

    fn unreachable(http_works: bool) -> Failure {
        Failure { error: ConnectionError::Unreachable("refused".to_owned()), http_works }
    }

    fn closed(close: Close) -> ConnectionError {
        ConnectionError::Closed { code: Some(close.wire().0) }
    }

    #[test]
    fn polls_after_two_failed_sockets_while_http_works() {
        let mut reconnect = Reconnect::default();
        assert!(matches!(reconnect.failed(&unreachable(true), 1.0), Next::Wait(_)));
        assert_eq!(reconnect.failed(&unreachable(true), 1.0), Next::Poll);
        reconnect.succeeded(Instant::now(), true);
        assert_eq!(
            reconnect.failed(&unreachable(true), 1.0),
            Next::Poll,
            "one more failure goes back to polling"
        );
        reconnect.succeeded(Instant::now(), false);
        assert!(matches!(reconnect.failed(&unreachable(true), 1.0), Next::Wait(_)));
    }

    #[test]
    fn waits_longer_and_longer_where_nothing_answers() {
        let mut reconnect = Reconnect::default();
        let pauses: Vec<Next> = (0..3).map(|_| reconnect.failed(&unreachable(false), 1.0)).collect();
        assert_eq!(pauses, [200, 400, 800].map(|pause| Next::Wait(Duration::from_millis(pause))));
    }

    #[test]
    fn a_good_line_resets_the_pause_and_a_bad_one_does_not() {
        let (mut reconnect, start) = (Reconnect::default(), Instant::now());
        let overloaded = closed(Close::Overloaded);
        let wait = |milliseconds| Next::Wait(PAUSE + Duration::from_millis(milliseconds));
        (0..4).for_each(|_| _ = reconnect.failed(&unreachable(false), 1.0));
        reconnect.succeeded(start, false);
        assert_eq!(reconnect.lost(&overloaded, start + Duration::from_secs(1), 1.0), wait(3_200));
        reconnect.succeeded(start, false);
        assert_eq!(reconnect.lost(&overloaded, start + GOOD_AFTER, 1.0), wait(200));
    }

    #[test]
    fn a_line_that_breaks_again_and_again_comes_back_at_once() {
        let (mut reconnect, start) = (Reconnect::default(), Instant::now());
        for _ in 0..20 {
            reconnect.succeeded(start, false);
            let next = reconnect.lost(&ConnectionError::Silent, start, 1.0);
            assert!(matches!(next, Next::Wait(pause) if pause <= AT_ONCE), "{next:?}");
        }
        assert_eq!(reconnect.failed(&unreachable(false), 1.0), Next::Wait(Duration::from_secs(30)));
    }

    #[test]
    fn follows_the_advice_of_close_codes_and_errors() {
        let (mut reconnect, now) = (Reconnect::default(), Instant::now());
        assert_eq!(reconnect.lost(&closed(Close::Unauthenticated), now, 1.0), Next::LogIn);
        assert_eq!(reconnect.lost(&closed(Close::Replaced), now, 1.0), Next::Stop("replaced".to_owned()));
        assert!(
            matches!(reconnect.lost(&closed(Close::Overloaded), now, 0.0), Next::Wait(pause) if pause >= PAUSE)
        );
        let refused = |code: Code| ConnectionError::Refused(code.error());
        assert_eq!(reconnect.lost(&refused(Code::AccountDisabled), now, 1.0), Next::LogIn);
        let stop = Next::Stop("unsupported_protocol".to_owned());
        assert_eq!(reconnect.lost(&refused(Code::UnsupportedProtocol), now, 1.0), stop);
    }
}
