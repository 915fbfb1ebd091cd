//! Renders the guides in `docs/guides` to HTML.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html::push_html};

const GUIDES: [&str; 3] = ["keys", "verify", "migrate"];

/// The address that the guides use for an installation. The page shows the real one instead.
const EXAMPLE_URL: &str = "https://keys.example.com";

fn main() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../docs/guides");
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut module = String::new();
    for name in GUIDES {
        let markdown = fs::read_to_string(directory.join(name).with_extension("md"))?;
        let guide = Guide::render(&markdown, &directory)?;
        let constant = name.to_uppercase();
        let Guide { title, contents, html, .. } = guide;
        writeln!(
            module,
            "pub(super) const {constant}: Guide = Guide {{ title: {title:?}, contents: &{contents:?}, html: {html:?} }};"
        )?;
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("guides.rs"), module)?;
    Ok(())
}

#[derive(Default)]
struct Guide {
    title: String,
    /// The id and the title of each section.
    contents: Vec<(String, String)>,
    html: String,
    has_lead: bool,
}

impl Guide {
    fn render(markdown: &str, directory: &Path) -> Result<Self, Box<dyn Error>> {
        let options = Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_TABLES
            | Options::ENABLE_DEFINITION_LIST
            | Options::ENABLE_SMART_PUNCTUATION;
        let events: Vec<Event<'_>> = Parser::new_ext(markdown, options).map(with_site_links).collect();
        let mut guide = Self::default();
        let mut rest = events.as_slice();
        while let Some(event) = rest.first() {
            let end = block_end(rest);
            let (block, after) = rest.split_at(end);
            rest = after;
            match event {
                Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => guide.add_title(block),
                Event::Start(Tag::Heading { level: HeadingLevel::H2, id, .. }) => {
                    guide.begin_section(id.as_deref(), block)?;
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let title = info.split('"').nth(1).ok_or("a code block has no title")?;
                    guide.add_code(title, &text(block));
                }
                Event::Start(Tag::Paragraph) => match example(block) {
                    Some(file) => guide.add_code(&text(block), fs::read_to_string(directory.join(file))?.trim_end()),
                    None => guide.add_paragraph(block),
                },
                Event::Start(Tag::Table(_)) => guide.add_table(block),
                Event::Start(Tag::DefinitionList) => {
                    guide.html += "<dl class=\"terms\">";
                    push_html(&mut guide.html, block[1..block.len() - 1].iter().cloned());
                    guide.html += "</dl>";
                }
                _ => push_html(&mut guide.html, block.iter().cloned()),
            }
        }
        guide.html += "</section>";
        Ok(guide)
    }

    fn add_title(&mut self, block: &[Event<'_>]) {
        self.title = text(block);
        push_html(&mut self.html, block.iter().cloned());
    }

    fn begin_section(&mut self, id: Option<&str>, block: &[Event<'_>]) -> Result<(), Box<dyn Error>> {
        let (id, title) = (id.ok_or("a section has no id")?, text(block));
        if !self.contents.is_empty() {
            self.html += "</section>";
        }
        write!(
            self.html,
            "<section class=\"docs-section\" aria-labelledby=\"{id}\"><h2 id=\"{id}\">{0}<a class=\"anchor\" \
             href=\"#{id}\" aria-label=\"Link to “{0}”\">#</a></h2>",
            escape(&title)
        )?;
        self.contents.push((id.to_owned(), title));
        Ok(())
    }

    fn add_code(&mut self, title: &str, code: &str) {
        let (title, code) = (escape(title), escape(code.trim_end()));
        self.html += &format!(
            "<figure class=\"code-block\"><figcaption>{title}</figcaption>\
             <pre tabindex=\"0\" role=\"group\" aria-label=\"{title}\"><code>{code}</code></pre></figure>"
        );
    }

    /// The first paragraph introduces the guide.
    fn add_paragraph(&mut self, block: &[Event<'_>]) {
        let is_lead = !std::mem::replace(&mut self.has_lead, true);
        self.html += if is_lead { "<p class=\"lead\">" } else { "<p>" };
        push_html(&mut self.html, block[1..block.len() - 1].iter().cloned());
        self.html += "</p>";
    }

    /// A table that scrolls by itself, whose first column has the headings of its rows.
    fn add_table(&mut self, block: &[Event<'_>]) {
        let label = self.contents.last().map(|(_, title)| escape(title)).unwrap_or_default();
        self.html += &format!(
            "<div class=\"table-frame\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\"><table class=\"lookup\">"
        );
        let (mut is_head, mut column, mut headings) = (false, 0, Vec::new());
        let mut rest = &block[1..block.len() - 1];
        while let Some(event) = rest.first() {
            let mut taken = 1;
            match event {
                Event::Start(Tag::TableHead) => {
                    (is_head, column) = (true, 0);
                    self.html += "<thead><tr>";
                }
                Event::End(TagEnd::TableHead) => {
                    is_head = false;
                    self.html += "</tr></thead><tbody>";
                }
                Event::Start(Tag::TableRow) => {
                    column = 0;
                    self.html += "<tr>";
                }
                Event::End(TagEnd::TableRow) => self.html += "</tr>",
                _ => {
                    taken = block_end(rest);
                    let cell = &rest[1..taken - 1];
                    let tag = match (is_head, column) {
                        (true, _) => "th scope=\"col\"".to_owned(),
                        (false, 0) => "th scope=\"row\"".to_owned(),
                        (false, 1) => format!("td data-label=\"{}\"", headings[1]),
                        _ => "td".to_owned(),
                    };
                    self.html += &format!("<{tag}>");
                    push_html(&mut self.html, cell.iter().cloned());
                    self.html += &format!("</{}>", &tag[..2]);
                    headings.extend(is_head.then(|| escape(&text(cell))));
                    column += 1;
                }
            }
            rest = &rest[taken..];
        }
        self.html += "</tbody></table></div>";
    }
}

/// Links to the site are relative, and links to other guides lead to their pages.
fn with_site_links(event: Event<'_>) -> Event<'_> {
    let Event::Start(Tag::Link { link_type, dest_url, title, id }) = event else { return event };
    let site = dest_url.strip_prefix(EXAMPLE_URL).map(str::to_owned);
    let guide = || {
        let (file, anchor) = dest_url.split_once(".md").filter(|(file, _)| GUIDES.contains(file))?;
        Some(format!("/docs/{file}{anchor}"))
    };
    let dest_url = site.or_else(guide).map_or_else(|| dest_url.clone(), CowStr::from);
    Event::Start(Tag::Link { link_type, dest_url, title, id })
}

/// Returns the number of events of the first block.
fn block_end(events: &[Event<'_>]) -> usize {
    let mut depth = 0;
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    events.len()
}

/// Returns the example that a paragraph consists of.
fn example<'a>(block: &'a [Event<'_>]) -> Option<&'a str> {
    match block {
        [_, Event::Start(Tag::Link { dest_url, .. }), .., Event::End(TagEnd::Link), _] => {
            dest_url.starts_with("examples/").then_some(dest_url.as_ref())
        }
        _ => None,
    }
}

fn text(events: &[Event<'_>]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
        _ => None,
    });
    texts.collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
