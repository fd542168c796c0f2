//! A line to PostgreSQL that can be bad: it delays, breaks before a request arrives, or after it arrived and before its
//! answer came back, so that nobody knows what became of it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How many requests that end a transaction lose their answer, how many never arrive, and the same of all others.
const LOST_COMMITS: f64 = 0.1;
const LOST_REQUESTS: f64 = 0.01;

/// What the line does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// It carries everything.
    Good,
    /// It delays and breaks by chance.
    Bad,
    /// It carries nothing and never ends, as a network that was cut.
    Dead,
}

/// A proxy in front of PostgreSQL.
pub struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    shared: Arc<Shared>,
}

struct Shared {
    random: Mutex<StdRng>,
    broken: AtomicUsize,
    lost_commits: AtomicU64,
}

impl Proxy {
    /// Starts with a seed for its chances.
    pub async fn start(seed: u64, line: Line) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let address = listener.local_addr().expect("an address");
        let (line, watched) = watch::channel(line);
        let random = Mutex::new(StdRng::seed_from_u64(seed));
        let shared =
            Arc::new(Shared { random, broken: AtomicUsize::new(0), lost_commits: AtomicU64::new(0) });
        let options: PgConnectOptions = super::address().parse().expect("an address");
        let server = (options.get_host().to_owned(), options.get_port());
        tokio::spawn(accept(listener, server, watched, Arc::clone(&shared)));
        Self { address, line, shared }
    }

    /// PostgreSQL's address through this line.
    pub fn through(&self) -> String {
        let options: PgConnectOptions = super::address().parse().expect("an address");
        let direct = format!("{}:{}", options.get_host(), options.get_port());
        let address = super::address();
        assert!(address.contains(&direct), "SUDA_TEST_POSTGRES names host and port");
        address.replace(&direct, &self.address.to_string())
    }

    /// Changes the line, for connections that are open, too.
    pub fn turn(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// How often the line broke, and how often the answer to a commit was lost.
    pub fn broken(&self) -> (usize, u64) {
        (self.shared.broken.load(Ordering::Relaxed), self.shared.lost_commits.load(Ordering::Relaxed))
    }
}

async fn accept(
    listener: TcpListener,
    server: (String, u16),
    line: watch::Receiver<Line>,
    shared: Arc<Shared>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, line, shared) = (server.clone(), line.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            // An error is a line that broke, which is what it is for.
            drop(carry(client, server, line, &shared).await);
        });
    }
}

/// Carries both directions until one end closes or the line breaks.
async fn carry(
    mut client: TcpStream,
    server: (String, u16),
    mut line: watch::Receiver<Line>,
    shared: &Shared,
) -> io::Result<()> {
    while_dead(&mut line).await;
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let request = match read? {
                    0 => return Ok(()),
                    read => &asked[..read],
                };
                while_dead(&mut line).await;
                let fate = if *line.borrow() == Line::Bad { shared.draw(request) } else { Fate::Arrives };
                tokio::time::sleep(fate.delay()).await; // tidy: sleep because a slow line is what is tried
                if fate == Fate::NeverArrives {
                    return Ok(());
                }
                server.write_all(request).await?;
                if fate == Fate::NoAnswer {
                    return Ok(());
                }
            }
            read = server.read(&mut answered) => {
                let answer = match read? {
                    0 => return Ok(()),
                    read => &answered[..read],
                };
                while_dead(&mut line).await;
                client.write_all(answer).await?;
            }
        }
    }
}

/// Waits for as long as the line is dead.
async fn while_dead(line: &mut watch::Receiver<Line>) {
    // An error means that the test is over.
    drop(line.wait_for(|line| *line != Line::Dead).await.map(|_| ()));
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Late,
    NeverArrives,
    NoAnswer,
}

impl Fate {
    fn delay(self) -> Duration {
        if self == Self::Late { Duration::from_millis(15) } else { Duration::ZERO }
    }
}

impl Shared {
    fn draw(&self, request: &[u8]) -> Fate {
        let is_commit = request.windows(6).any(|word| word == b"COMMIT");
        let mut random = self.random.lock().expect("nobody panics");
        let fate = match random.random::<f64>() {
            chance if is_commit && chance < LOST_COMMITS => Fate::NoAnswer,
            chance if is_commit && chance < 2.0 * LOST_COMMITS => Fate::NeverArrives,
            chance if chance < LOST_REQUESTS => Fate::NoAnswer,
            chance if chance < 2.0 * LOST_REQUESTS => Fate::NeverArrives,
            chance if chance > 0.9 => Fate::Late,
            _ => Fate::Arrives,
        };
        if matches!(fate, Fate::NoAnswer | Fate::NeverArrives) {
            self.broken.fetch_add(1, Ordering::Relaxed);
        }
        if is_commit && fate == Fate::NoAnswer {
            self.lost_commits.fetch_add(1, Ordering::Relaxed);
        }
        fate
    }
}
