//! Which addresses may be links, and to which a token may travel.

use super::text;

/// Absolute, http or https, a plain host without a user before it, and nothing that could end the link or hide in it.
pub(crate) fn is_plain(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    matches!(scheme, "https" | "http") && is_host(host) && !url.chars().any(breaks_link) && text::visible(url) == url
}

/// An address without a slash at its end to which a token may travel: an encrypted one, or one on this machine.
///
/// # Errors
/// A sentence that names the setting and what it must begin with.
pub(crate) fn of_token(name: &str, url: &str, beginning: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    let hosts = ["127.0.0.1:", "localhost:", "[::1]:"];
    let is_here = url.split_once("://").is_some_and(|(scheme, rest)| {
        let is_open = beginning.strip_suffix("s://").is_some_and(|open| scheme == open);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        is_open && is_host(host) && hosts.iter().any(|here| host.starts_with(here))
    });
    if url.starts_with(beginning) || is_here {
        Ok(url.to_owned())
    } else {
        Err(format!("{name} is `{url}`; it must begin with {beginning}, for the token travels with every call"))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_travels_encrypted_or_stays_here() {
        let fits = |url: &str| of_token("api_url", url, "https://").is_ok();
        for url in ["https://slack.com/api", "http://127.0.0.1:80/api", "http://localhost:9000", "http://[::1]:80"] {
            assert!(fits(url), "{url}");
        }
        for url in
            ["http://slack.com", "http://localhost.evil:80", "http://127.0.0.1:80@evil.example", "ftp://localhost:21", "", "https:/x"]
        {
            assert!(!fits(url), "{url}");
        }
        assert_eq!(of_token("api_url", "https://h/api//", "https://").as_deref(), Ok("https://h/api"));
        assert!(of_token("gateway", "ws://127.0.0.1:1", "wss://").is_ok() && of_token("gateway", "http://127.0.0.1:1", "wss://").is_err());
    }
}
