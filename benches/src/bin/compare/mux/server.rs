//! Answers every frame of a read with one write.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{READ_BYTES, put, take};
use crate::Failure;

pub(super) async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Result<(), Failure> {
    let (mut read, mut out) = (BytesMut::new(), BytesMut::new());
    loop {
        read.reserve(READ_BYTES);
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
        while let Some((id, payload)) = take(&mut read) {
            put(&mut out, id, &payload);
        }
        stream.write_all(&out).await?;
        stream.flush().await?;
        out.clear();
    }
}
