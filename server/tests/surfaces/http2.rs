//! HTTP/2 frames (RFC 9113) of a client that no library would send: just enough to open one stream.

const HEADER_BYTES: usize = 9;

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

const INITIAL_WINDOW_SIZE: u16 = 0x4;
const STREAM: u32 = 1;

pub const DEFAULT_WINDOW: u32 = 65_535;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

pub fn ping() -> Vec<u8> {
    frame(PING, 0, 0, b"latchkey")
}

pub fn settings(settings: &[(u16, u32)]) -> Vec<u8> {
    let payload = settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat());
    frame(SETTINGS, 0, 0, &payload.collect::<Vec<u8>>())
}

/// The preface, the settings and one GET request.
pub fn opening(path: &str, window: u32) -> Vec<u8> {
    const METHOD_GET: u8 = 0x82;
    const SCHEME_HTTP: u8 = 0x86;
    const AUTHORITY: u8 = 0x01;
    const PATH: u8 = 0x04;
    let literal = |name: u8, value: &str| [&[name, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let headers = [vec![METHOD_GET, SCHEME_HTTP], literal(PATH, path), literal(AUTHORITY, "localhost")].concat();
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        settings(&[(INITIAL_WINDOW_SIZE, window)]),
        frame(HEADERS, END_STREAM | END_HEADERS, STREAM, &headers),
    ]
    .concat()
}

/// Returns true if the received frames end the response.
pub fn ends_stream(mut received: &[u8]) -> bool {
    while let Some((header, rest)) = received.split_first_chunk::<HEADER_BYTES>() {
        let [high, middle, low, kind, flags, ..] = *header;
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            return true;
        }
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        received = rest.get(length..).unwrap_or_default();
    }
    false
}
