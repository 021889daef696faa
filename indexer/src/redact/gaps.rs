//! What may stand between a name and its secret, and behind it: in settings, JSON, tables, commands and over continued lines.
//!
//! The rules of gitleaks know an assignment within a line. They are kept as they were written; as they are compiled, their gaps
//! become ours. Our own rules name their gaps: `<=>` between a name and a value whose shape tells, `<:>` between a name and
//! any value, `<->` between a flag and its argument; `<password>` is the end of a name whose value is a secret whatever it looks
//! like, and `<any>` such a value.

/// Ends a name: quotes, brackets and escapes of both, and `value` where name and value are two entries.
const NAME_END: &str = r#"[\s"'`\\\])*]{0,5}(?:,?\s{0,40}\\*["']?value\\*["']?\s?)?"#;

/// Assigns, a type between name and value included.
const ASSIGN: &str = r":[ \t]?[A-Za-z]{3,10}(?:\[[A-Za-z]{3,10}\])?[ \t]?=|:{1,3}=|[=-]>|\?=|[:=]";

/// Begins a value whose shape tells: the head of a block, then blanks, quotes, brackets and escapes, over lines too.
const SHAPED_START: &str = r#"(?:\s*[|>][+-]?[0-9]?[ \t]*\r?\n)?[\s"'`\\=(\[]{0,40}(?:-[ \t]+["']?)?(?:[bruf]{1,2}["']|“|‘|«)?"#;

/// Begins any value: on the same line, or where the line says that it goes on in the next.
const VALUE_START: &str = r#"[ \t]*(?:(?:[|>][+-]?[0-9]?[ \t]*|[\\(\[]+[ \t]*)\r?\n[ \t]*)?"#;

/// Ends a value: what is of no token, or a sentence's full stop.
const END: &str = r#"(?:[\x60'"\s;,&)\]}<>@:|#*!?\\]|\.(?:\s|$)|”|’|»|…|$)"#;

/// Between a flag and its argument, which may be the next entry of a list.
const ARGUMENT: &str = r#"\\*["'`]?(?:,|\s)[\s\\]{0,40}(?:-[ \t]+)?"#;

pub(super) const PASSWORD: &str =
    r"(?:password|passwd|passphrase|secret|(?:api|access|secret|private|account|auth|signing)[ _-]?key|credentials?)";

/// In quotes, or up to where an unquoted one ends.
const ANY: &str =
    r#"(?:\\*"([^"\\\s]{4,})\\*"|'([^'\s]{4,})'|`([^`\s]{4,})`|\\*["'`]?([^\s"'`,;\\\[\]{}()<>-][^\s"'`,;\\\[\]{}()<>]{3,}))"#;

/// What gitleaks writes to let a name begin with anything.
const THEIR_HEAD: &str = r"[\w.-]{0,50}?";
const THEIR_NAME_END: &str = r#"[\s'"]{0,3}"#;
const THEIR_ASSIGN: &str = r"(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)";
const THEIR_START: &str = r#"[\x60'"\s=]{0,5}"#;
const THEIR_END: &str = r#"(?:[\x60'"\s;]|\\[nr]|$)"#;
const THEIR_HOST_END: &str = r"(?:[\/|\#|\?|:]|$)";

/// The pattern as it is compiled.
pub(super) fn widened(pattern: &str) -> String {
    let theirs_and_ours = [
        // A name is found by its middle; what stands before it is looked at afterwards.
        (THEIR_HEAD, String::new()),
        (THEIR_NAME_END, NAME_END.to_owned()),
        (THEIR_ASSIGN, format!(r"(?:{ASSIGN}|\|\||[>,|]|\s)")),
        (THEIR_START, SHAPED_START.to_owned()),
        (THEIR_END, END.to_owned()),
        (THEIR_HOST_END, format!("(?:/|{END})")),
        ("<=>", format!(r"{NAME_END}(?:{ASSIGN}|\|\||[>,|]|\sis\s|\s){SHAPED_START}")),
        ("<:>", format!(r"{NAME_END}[ \t]*(?:{ASSIGN}){VALUE_START}")),
        ("<->", ARGUMENT.to_owned()),
        ("<password>", PASSWORD.to_owned()),
        ("<any>", ANY.to_owned()),
    ];
    theirs_and_ours.iter().fold(pattern.to_owned(), |pattern, (theirs, ours)| pattern.replace(theirs, ours))
}

/// How a name must lead to its secret, besides what the pattern says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// In no other way.
    Any,
    /// By a sign, by the word `is`, or as the argument of a flag: the gap of gitleaks' assignments is wider here.
    Assigned,
    /// As the argument of a flag.
    Flag,
}

impl Lead {
    /// What this pattern asks for.
    pub(super) fn of(pattern: &str) -> Self {
        match pattern {
            pattern if pattern.contains("<->") => Self::Flag,
            pattern if pattern.contains(THEIR_ASSIGN) => Self::Assigned,
            _ => Self::Any,
        }
    }

    /// Whether what stands from the beginning of the name up to the secret leads so.
    pub(super) fn holds(self, before: &str) -> bool {
        let is_flag = before.starts_with('-');
        match self {
            Self::Any => true,
            Self::Assigned => is_flag || before.contains(['=', ':', '>', ',', '|']) || before.contains(" is "),
            Self::Flag => is_flag,
        }
    }
}

/// Where the name begins in which a match stands: at most fifty bytes before it.
pub(super) fn name_start(text: &str, at: usize) -> usize {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    at - text.as_bytes()[..at].iter().rev().take(50).take_while(|byte| is_of_name(byte)).count()
}
