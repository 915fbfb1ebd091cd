use axum::Router;
use latchkey_client::{Error, Latchkey};

pub fn guarded(service: Router, url: &str, secret: String) -> Result<Router, Error> {
    let latchkey = Latchkey::new(url, secret)?;
    let guard = latchkey.guard().permission("orders:read");
    Ok(service.layer(guard))
}
