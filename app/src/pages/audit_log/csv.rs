//! The audit log as a file for a spreadsheet.

use axum::{
    body::Body,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use chrono::SecondsFormat;
use domain::audit_query::{AuditQuery, Start};
use futures::stream::{self, Stream};
use keyring::{AuditEvent, Error, TenantAdmin, TimeZone};

use super::super::{AdminVisitor, Parameters, problem};
use crate::console::Console;

/// How many rows are held at once.
const STRETCH: u64 = 500;

const HEADINGS: [&str; 9] =
    ["number", "time", "actor", "actor name", "action", "subject", "subject name", "address", "detail"];

pub(crate) async fn audit_export(AdminVisitor { visitor, admin }: AdminVisitor, parameters: Parameters) -> Response {
    let console = visitor.visit.console.clone();
    let query = AuditQuery::from_parameters(|name| parameters.first(name)).at(Start::Newest);
    let file = file_name(&console, &admin);
    // What fails before the first row can still be told on a page.
    match Export::begin(console, admin, query).await {
        Ok(export) => (headers(&file), Body::from_stream(export.into_stream())).into_response(),
        Err(error) => problem::failed(&visitor, &error, "the audit log could not be exported").await,
    }
}

/// After the tenant and its day. A slug needs no quotes.
fn file_name(console: &Console, admin: &TenantAdmin) -> String {
    let today = TimeZone::of(admin.tenant()).local(console.keyring.now()).date();
    format!("audit-log-{}-{today}.csv", admin.tenant().slug)
}

fn headers(file: &str) -> [(HeaderName, String); 2] {
    [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ]
}

/// An export under way: what has been read and not sent, and from where to read on.
struct Export {
    console: Console,
    admin: TenantAdmin,
    query: AuditQuery,
    text: String,
    is_over: bool,
}

impl Export {
    async fn begin(console: Console, admin: TenantAdmin, query: AuditQuery) -> Result<Self, Error> {
        let text = line(HEADINGS.map(str::to_owned));
        Self { console, admin, query, text, is_over: false }.read().await
    }

    /// The same export with the next stretch of the log read.
    async fn read(mut self) -> Result<Self, Error> {
        let events = self.console.keyring.audit_stretch(Some(&self.admin), &self.query, STRETCH).await?;
        self.text.extend(events.iter().map(row));
        match events.last() {
            Some(last) => self.query = self.query.at(Start::Before(last.sequence)),
            None => self.is_over = true,
        }
        Ok(self)
    }

    /// A log that failed half way breaks off, so that nobody takes the half for the whole.
    fn into_stream(self) -> impl Stream<Item = Result<String, Error>> {
        stream::try_unfold(self, |mut export| async {
            if export.is_over && export.text.is_empty() {
                return Ok(None);
            }
            let text = std::mem::take(&mut export.text);
            let next = if export.is_over { Ok(export) } else { export.read().await };
            next.map(|next| Some((text, next))).inspect_err(|error| {
                tracing::error!(cause = %error.root_cause(), "the audit log could not be exported to its end");
            })
        })
    }
}

fn row(event: &AuditEvent) -> String {
    let AuditEvent { sequence, at, actor, actor_name, action, subject, subject_name, address, detail } = event;
    line([
        sequence.to_string(),
        at.to_rfc3339_opts(SecondsFormat::Millis, true),
        actor.clone(),
        actor_name.clone(),
        action.to_string(),
        subject.clone(),
        subject_name.clone(),
        address.clone().unwrap_or_default(),
        detail.to_string(),
    ])
}

fn line<const N: usize>(cells: [String; N]) -> String {
    format!("{}\r\n", cells.map(|text| cell(&text)).join(","))
}

/// Returns a cell as RFC 4180 writes it, in quotes. An apostrophe makes text of what a spreadsheet would run as a formula:
/// at the start, and wherever a cell starts for one that takes semicolons or line breaks to separate cells.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len() + 2);
    cell.push('"');
    let mut starts_cell = true;
    for c in text.chars() {
        if starts_cell && matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r') {
            cell.push('\'');
        }
        if c == '"' {
            cell.push('"');
        }
        cell.push(c);
        // A quote there is taken for one around the cell.
        starts_cell = matches!(c, ';' | '\n' | '\r') || (starts_cell && c == '"');
    }
    cell.push('"');
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_and_nothing_else() {
        for (text, expected) in [
            ("", ""),
            ("PMS", "PMS"),
            ("a,b", "a,b"),
            ("say \"hi\"", "say \"\"hi\"\""),
            ("two\nlines", "two\nlines"),
            ("=1+1", "'=1+1"),
            ("+351 1", "'+351 1"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("=HYPERLINK(\"https://evil.example\",\"x\")", "'=HYPERLINK(\"\"https://evil.example\"\",\"\"x\"\")"),
            ("a=b", "a=b"),
            ("a;=b", "a;'=b"),
            ("a;;-1;b", "a;;'-1;b"),
            ("a;\"=1+1\"", "a;\"\"'=1+1\"\""),
            ("\"=1+1\"", "\"\"'=1+1\"\""),
            ("a\n@b", "a\n'@b"),
            ("a\r\n=b", "a\r\n'=b"),
            ("a; b", "a; b"),
            ("{\"a\":1}", "{\"\"a\"\":1}"),
        ] {
            assert_eq!(cell(text), format!("\"{expected}\""), "{text:?}");
        }
        assert_eq!(line(["a".to_owned(), "b".to_owned()]), "\"a\",\"b\"\r\n");
    }
}
