//! QR codes, drawn as one path without any style of its own.

use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode as Code};

/// As many light modules as readers want around a code, on which it stands out in dark mode as well.
const QUIET_ZONE: usize = 4;

#[component]
pub(super) fn QrCode(text: String, label: String) -> impl IntoView {
    let Ok(code) = Code::with_error_correction_level(text, EcLevel::M) else {
        unreachable!("an e-mail address and a secret fit into a QR code")
    };
    let side = code.width() + 2 * QUIET_ZONE;
    view! {
        <svg
            class="qr-code"
            role="img"
            aria-label=label
            viewBox=format!("0 0 {side} {side}")
            shape-rendering="crispEdges"
        >
            <rect width="100%" height="100%" fill="#fff"/>
            <path d=dark_modules(&code) fill="#000"/>
        </svg>
    }
}

/// A square for each dark module.
fn dark_modules(code: &Code) -> String {
    let width = code.width();
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
    dark.map(|(index, _)| format!("M{} {}h1v1h-1z", index % width + QUIET_ZONE, index / width + QUIET_ZONE)).collect()
}
