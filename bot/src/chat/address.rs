//! Which addresses may be links.

use super::text;

/// Absolute, http or https, a plain host without a user before it, and nothing that could end the link or hide in it.
pub(crate) fn is_plain(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    matches!(scheme, "https" | "http") && is_host(host) && !url.chars().any(breaks_link) && text::visible(url) == url
}

/// A host with an optional port, without a user before it.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let in_brackets = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let named = match in_brackets {
        Some(numbers) => !numbers.is_empty() && numbers.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.')),
        None => name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_host_character),
    };
    named && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_host_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn breaks_link(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '|' | '<' | '>' | '"' | '\\' | '`')
}
