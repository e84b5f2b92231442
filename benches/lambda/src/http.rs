//! A minimal HTTP/1.1 server side: complete messages, one at a time.

use std::io::{self, BufRead, Write};

/// A request with its body.
#[derive(Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The operation of the AWS SDK, such as `GetItem`: the last part of `x-amz-target`.
    pub(crate) operation: String,
    pub(crate) body: Vec<u8>,
}

/// Reads the next request of a connection. Returns `None` if it was closed.
pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut request = Request::default();
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if let Some((name, value)) = line.split_once(": ") {
            let value = value.trim_end();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                "transfer-encoding" => {
                    return Err(io::Error::other("chunked bodies are not supported"));
                }
                "x-amz-target" => {
                    value.rsplit('.').next().unwrap_or_default().clone_into(&mut request.operation);
                }
                _ => {}
            }
        } else if let [method, path, _] = line.split_whitespace().collect::<Vec<_>>()[..] {
            (request.method, request.path) = (method.to_owned(), path.to_owned());
        } else {
            break;
        }
    }
    request.body.resize(length, 0);
    from.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// Writes a response with a single call.
pub(crate) fn respond(
    to: &mut impl Write,
    status: &str,
    headers: &str,
    body: &[u8],
) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    to.write_all(&[head.as_bytes(), body].concat())?;
    to.flush()
}
