//! A bare connection against a server that plays one part each time.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use suda_client::ConnectionError;
use suda_client::connection::Connection;
use suda_client::proto::close::{AfterClose, Close};
use suda_client::proto::event::Event;
use suda_client::proto::frame::{
    OutgoingRequest, RequestFrame, ServerFrame, error_text, event_text, reply_text,
};
use suda_client::proto::reply::{Pong, Welcome, Window};
use suda_client::proto::request::{Hello, Ping, Request};
use suda_client::proto::{AccountId, Code, DeviceId, Limits, PROTOCOL};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

type Socket = WebSocketStream<TcpStream>;

/// Plays a server for one connection; answers its address.
async fn server<P: Future<Output = ()> + Send + 'static>(
    part: impl FnOnce(Socket) -> P + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        part(accept_async(stream).await.expect("a handshake")).await;
    });
    format!("ws://{address}/v1/ws")
}

fn hello() -> Hello {
    let token = Some("token".to_owned());
    Hello { protocol: PROTOCOL, features: Vec::new(), token, foreground: true, resume: None, window: None }
}

fn welcome() -> Welcome {
    Welcome {
        protocol: PROTOCOL,
        features: Vec::new(),
        limits: Limits::default(),
        heartbeat_seconds: 1,
        account: AccountId::from_bytes([1; 16]),
        device: DeviceId::from_bytes([2; 16]),
        now: 5,
        resumed: false,
        window: Window { rows: Vec::new(), next: None, resume: "r".to_owned() },
    }
}

/// The next request's id and name.
async fn request(socket: &mut Socket) -> (u64, String) {
    let message = socket.next().await.expect("a message").expect("readable");
    let text = message.into_text().expect("a text");
    let frame = RequestFrame::read(&text).expect("a request");
    (frame.id, frame.name.into_owned())
}

async fn say(socket: &mut Socket, text: String) {
    socket.send(Message::text(text)).await.expect("sends");
}

async fn greet(socket: &mut Socket) {
    let (id, name) = request(socket).await;
    assert_eq!(name, "hello");
    say(socket, reply_text(id, &welcome())).await;
}

#[tokio::test]
async fn greets_asks_and_hears() {
    let url = server(|mut socket| async move {
        greet(&mut socket).await;
        let (id, name) = request(&mut socket).await;
        assert_eq!((id, name.as_str()), (1, "ping"));
        say(&mut socket, event_text(&Event::Resync {})).await;
        say(&mut socket, reply_text(id, &Pong { now: 7, resume: "s".to_owned() })).await;
        // Nothing more comes, but the connection stays.
        while socket.next().await.is_some() {}
    })
    .await;
    let (mut connection, answer) = Connection::connect(url, hello()).await.expect("connects");
    assert_eq!(answer, welcome());
    connection.send(OutgoingRequest { id: 1, request: Request::Ping(Ping {}) }).await.expect("sends");
    assert_eq!(connection.next().await, Ok(ServerFrame::Event(Event::Resync {})));
    let Ok(ServerFrame::Ok { id: 1, ok }) = connection.next().await else { panic!("no reply") };
    assert_eq!(ok.parse::<Pong>().expect("a pong").now, 7);
    connection.close().await;
}

#[tokio::test]
async fn a_refused_hello_says_why() {
    let url = server(|mut socket| async move {
        let (id, _) = request(&mut socket).await;
        say(&mut socket, error_text(Some(id), &Code::Unauthenticated.error())).await;
    })
    .await;
    let error = Connection::connect(url, hello()).await.expect_err("refused");
    assert_eq!(error, ConnectionError::Refused(Code::Unauthenticated.error()));
    assert_eq!(error.advice(), AfterClose::LogIn);
}

#[tokio::test]
async fn a_close_code_comes_out_with_its_advice() {
    let url = server(|mut socket| async move {
        greet(&mut socket).await;
        let (code, reason) = Close::Overloaded.wire();
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        socket.close(Some(frame)).await.expect("closes");
        while socket.next().await.is_some() {}
    })
    .await;
    let (mut connection, _) = Connection::connect(url, hello()).await.expect("connects");
    let error = connection.next().await.expect_err("closed");
    assert_eq!(error, ConnectionError::Closed { code: Some(4100) });
    assert_eq!(error.advice(), AfterClose::Pause);
}

#[tokio::test]
async fn a_silent_server_is_given_up_after_two_heartbeats() {
    let url = server(|mut socket| async move {
        greet(&mut socket).await;
        // Frozen: reads nothing, so not even pings are answered.
        std::future::pending::<()>().await;
    })
    .await;
    let (mut connection, _) = Connection::connect(url, hello()).await.expect("connects");
    assert_eq!(connection.next().await, Err(ConnectionError::Silent));
}

#[tokio::test]
async fn a_server_that_answers_pings_is_kept() {
    let url = server(|mut socket| async move {
        greet(&mut socket).await;
        // Three pings are more than two silent heartbeats.
        for _ in 0..3 {
            let message = socket.next().await.expect("a message").expect("readable");
            assert!(message.is_ping(), "{message:?}");
            socket.flush().await.expect("the answer goes out");
        }
        say(&mut socket, event_text(&Event::Resync {})).await;
        while socket.next().await.is_some() {}
    })
    .await;
    let (mut connection, _) = Connection::connect(url, hello()).await.expect("connects");
    assert_eq!(connection.next().await, Ok(ServerFrame::Event(Event::Resync {})));
}

#[tokio::test]
async fn waiting_for_a_frame_can_be_dropped_without_losing_one() {
    let url = server(|mut socket| async move {
        greet(&mut socket).await;
        let (id, _) = request(&mut socket).await;
        say(&mut socket, reply_text(id, &Pong { now: 7, resume: "s".to_owned() })).await;
        while socket.next().await.is_some() {}
    })
    .await;
    let (mut connection, _) = Connection::connect(url, hello()).await.expect("connects");
    let nothing = tokio::time::timeout(Duration::from_millis(1), connection.next()).await;
    assert!(nothing.is_err(), "nothing was asked yet");
    connection.send(OutgoingRequest { id: 4, request: Request::Ping(Ping {}) }).await.expect("sends");
    assert!(matches!(connection.next().await, Ok(ServerFrame::Ok { id: 4, .. })));
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}/v1/ws", listener.local_addr().expect("an address"));
    drop(listener);
    let error = Connection::connect(url, hello()).await.expect_err("nobody listens");
    assert!(matches!(error, ConnectionError::Unreachable(_)), "{error}");
    assert_eq!(error.advice(), AfterClose::Resume);
}
