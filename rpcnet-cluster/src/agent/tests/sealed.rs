//! Claims about sealed streams as bytes that are read and written.

use std::io::ErrorKind;
use std::sync::Arc;

use rpcnet::transport::BoxStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::agent::gate::Gate;
use crate::agent::sealed::SealedStream;
use crate::{Key, Keyring};

/// Both ends of a stream over a pipe that holds `room` bytes each way.
fn pair(room: usize) -> (SealedStream, SealedStream) {
    let (one, other) = duplex(room);
    (asking(one), answering(other))
}

fn gate() -> Gate {
    Gate::new("test", Some(Keyring::new(Key::from_bytes([1; 32]))))
}

fn asking(pipe: DuplexStream) -> SealedStream {
    let (line, keyring) = gate().asking().unwrap().unwrap();
    SealedStream::new(Box::new(pipe) as BoxStream, line, keyring, Arc::new(|_| {}))
}

fn answering(pipe: DuplexStream) -> SealedStream {
    let (line, keyring) = gate().answering().unwrap().unwrap();
    SealedStream::new(Box::new(pipe) as BoxStream, line, keyring, Arc::new(|_| {}))
}

#[tokio::test]
async fn much_is_carried_both_ways_at_once_through_a_narrow_pipe() {
    let bytes: Vec<u8> = (0..40_000_u32).map(|n| (n % 251) as u8).collect();
    for room in [5, 37, 20_000] {
        let (asker, answerer) = pair(room);
        let talk = async |end: SealedStream| {
            let (mut reader, mut writer) = tokio::io::split(end);
            let mut heard = Vec::new();
            let say = async {
                writer.write_all(&bytes).await.unwrap();
                writer.shutdown().await.unwrap();
            };
            let (_, result) = tokio::join!(say, reader.read_to_end(&mut heard));
            result.unwrap();
            heard
        };
        let (one, other) = tokio::join!(talk(asker), talk(answerer));
        assert!(one == bytes && other == bytes, "with room for {room}");
    }
}

#[tokio::test]
async fn what_a_writer_left_behind_goes_out_while_it_reads() {
    let (mut asker, mut answerer) = pair(10);
    let ask = async {
        asker.write_all(b"hello, and no flush").await.unwrap();
        let mut answer = [0; 7];
        asker.read_exact(&mut answer).await.unwrap();
        answer
    };
    let answer = async {
        let mut question = [0; 19];
        answerer.read_exact(&mut question).await.unwrap();
        answerer.write_all(b"welcome").await.unwrap();
        answerer.flush().await.unwrap();
        question
    };
    let (answer, question) = tokio::join!(ask, answer);
    assert_eq!((&answer, &question), (b"welcome", b"hello, and no flush"));
}

#[tokio::test]
async fn a_stream_that_was_cut_does_not_look_like_one_that_ended() {
    let (mut asker, mut answerer) = pair(1_000);
    asker.write_all(b"half of it").await.unwrap();
    asker.flush().await.unwrap();
    drop(asker);
    let mut heard = Vec::new();
    let error = answerer.read_to_end(&mut heard).await.unwrap_err();
    assert_eq!((error.kind(), &*heard), (ErrorKind::UnexpectedEof, &b"half of it"[..]));
}

#[tokio::test]
async fn an_answerer_keeps_its_words_until_the_asker_has_proved_itself() {
    let (mut stranger, end) = duplex(1_000);
    let mut answerer = answering(end);
    let say = async { answerer.write_all(b"who is there").await.unwrap_err() };
    let knock = async {
        stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        stranger.shutdown().await.unwrap();
    };
    // The words wait; what was read meanwhile decides.
    tokio::select! {
        biased;
        _ = say => panic!("nothing is written, and nothing fails, before something was read"),
        () = knock => {}
    }
    assert_eq!(answerer.read(&mut [0; 8]).await.unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(answerer.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    drop(answerer);
    let mut heard = Vec::new();
    stranger.read_to_end(&mut heard).await.unwrap();
    assert!(heard.is_empty(), "a stranger hears nothing");
}
