//! Accounts of the two platforms that are one person's, by that person's word on both: the codes, and what they linked.

mod code;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

pub use code::is_code;

use self::code::Says;
use super::{Store, StoreError};
use crate::chat::{Account, Platform};

/// How long a code can be typed.
pub const CODE_FOR_MS: i64 = 10 * 60 * 1_000;

/// A code that this state made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkCode {
    id: String,
    /// Who asked for it.
    pub asker: Account,
    /// With which question.
    pub question: String,
    /// Until when it can be typed, milliseconds since 1970, UTC.
    pub until_ms: i64,
    /// The question that typed it; empty while none did.
    pub spent_by: String,
}

/// What came of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linking {
    /// The two accounts are one person's.
    Linked,
    /// Somebody else was quicker.
    Spent,
    /// One of them is linked with another account.
    Taken,
}

/// Two accounts that are one person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// That on Slack.
    pub slack: Account,
    /// That on Discord.
    pub discord: Account,
    /// Since when, milliseconds since 1970, UTC.
    pub since_ms: i64,
}

impl Store {
    /// A new code for somebody; an earlier one that nobody typed is of no use any more.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn make_link_code(&self, asker: &Account, question: &str, now_ms: i64) -> Result<String, StoreError> {
        let (id, until_ms) = (code::new_id()?, now_ms + CODE_FOR_MS);
        let code = code::written(Says { id: &id, asker, until_ms }, &self.link_key().await?)?;
        let mut write = self.pool.begin().await?;
        let delete = "DELETE FROM link_codes WHERE platform = $1 AND workspace = $2 AND person = $3 AND spent_by = ''";
        let delete = sqlx::query(delete).bind(asker.platform.as_str()).bind(&*asker.workspace).bind(&*asker.person);
        delete.execute(&mut *write).await?;
        let insert = "INSERT INTO link_codes (id, platform, workspace, person, question, until_ms, spent_by) \
                      VALUES ($1, $2, $3, $4, $5, $6, '')";
        let insert = sqlx::query(insert).bind(&*id).bind(asker.platform.as_str()).bind(&*asker.workspace).bind(&*asker.person);
        insert.bind(question).bind(until_ms).execute(&mut *write).await?;
        write.commit().await?;
        Ok(code)
    }

    /// The code that somebody typed; none where this state did not make and sign it.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn link_code(&self, code: &str) -> Result<Option<LinkCode>, StoreError> {
        let Some((id, signature)) = code::parted(code) else { return Ok(None) };
        let query = "SELECT platform, workspace, person, question, until_ms, spent_by FROM link_codes WHERE id = $1";
        let Some(row) = sqlx::query(query).bind(id).fetch_optional(&self.pool).await? else { return Ok(None) };
        let (asker, question, until_ms, spent_by) = (account(&row)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
        let is_ours = code::is_signed(Says { id, asker: &asker, until_ms }, signature, &self.link_key().await?)?;
        Ok(is_ours.then(|| LinkCode { id: id.to_owned(), asker, question, until_ms, spent_by }))
    }

    /// Links who asked for a code with who typed it, as one; the same question again finds itself linked.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn link(&self, code: &LinkCode, typed_by: &Account, question: &str, now_ms: i64) -> Result<Linking, StoreError> {
        let mut write = self.pool.begin().await?;
        // A write first, so that nobody else spends it between the look and the next write.
        let spend = sqlx::query("UPDATE link_codes SET spent_by = $1 WHERE id = $2 AND spent_by IN ('', $3)");
        let spend = spend.bind(question).bind(&*code.id).bind(question).execute(&mut *write).await?;
        if spend.rows_affected() == 0 {
            return Ok(Linking::Spent);
        }
        for (one, other, typed) in [(typed_by, &code.asker, 1_i64), (&code.asker, typed_by, 0)] {
            let insert = "INSERT INTO links (platform, workspace, person, other_platform, other_workspace, other_person, typed, since_ms) \
                          VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (platform, workspace, person) DO NOTHING";
            let insert = sqlx::query(insert).bind(one.platform.as_str()).bind(&*one.workspace).bind(&*one.person);
            let insert = insert.bind(other.platform.as_str()).bind(&*other.workspace).bind(&*other.person).bind(typed).bind(now_ms);
            insert.execute(&mut *write).await?;
            if other_of(&mut write, one).await?.as_ref() != Some(other) {
                // Neither a row nor the code is changed.
                return Ok(Linking::Taken);
            }
        }
        write.commit().await?;
        Ok(Linking::Linked)
    }

    /// Makes a code of no use that was typed where others read it.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn spend_link_code(&self, code: &LinkCode, question: &str) -> Result<(), StoreError> {
        let update = sqlx::query("UPDATE link_codes SET spent_by = $1 WHERE id = $2 AND spent_by = ''");
        update.bind(question).bind(&*code.id).execute(&self.pool).await?;
        Ok(())
    }

    /// The account on the other platform that is the same person's.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn linked(&self, account: &Account) -> Result<Option<Account>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        other_of(&mut connection, account).await
    }

    /// The account whose code this one typed: what the settings give that one holds for this one too.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn joined(&self, account: &Account) -> Result<Option<Account>, StoreError> {
        let query = "SELECT other_platform, other_workspace, other_person FROM links \
                     WHERE platform = $1 AND workspace = $2 AND person = $3 AND typed = 1";
        let query = sqlx::query(query).bind(account.platform.as_str()).bind(&*account.workspace).bind(&*account.person);
        query.fetch_optional(&self.pool).await?.as_ref().map(self::account).transpose()
    }

    /// Ends a link; the account that this one was linked with.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn unlink(&self, account: &Account) -> Result<Option<Account>, StoreError> {
        let mut write = self.pool.begin().await?;
        // A write first, so that nobody changes it between the look and the next write.
        let touch = sqlx::query("UPDATE links SET since_ms = since_ms WHERE platform = $1 AND workspace = $2 AND person = $3");
        let touch = touch.bind(account.platform.as_str()).bind(&*account.workspace).bind(&*account.person);
        touch.execute(&mut *write).await?;
        let Some(other) = other_of(&mut write, account).await? else { return Ok(None) };
        for one in [account, &other] {
            let delete = sqlx::query("DELETE FROM links WHERE platform = $1 AND workspace = $2 AND person = $3");
            let delete = delete.bind(one.platform.as_str()).bind(&*one.workspace).bind(&*one.person);
            delete.execute(&mut *write).await?;
        }
        write.commit().await?;
        Ok(Some(other))
    }

    /// All of them, the oldest first, for who runs the program.
    ///
    /// # Errors
    /// Where the database does not serve.
    pub async fn links(&self) -> Result<Vec<Link>, StoreError> {
        let query = "SELECT other_platform, other_workspace, other_person, workspace, person, since_ms FROM links \
                     WHERE platform = 'slack' ORDER BY since_ms, workspace, person";
        let rows = sqlx::query(query).fetch_all(&self.pool).await?;
        rows.iter().map(seen_from_slack).collect()
    }

    /// What codes are signed with, made when it is first needed.
    async fn link_key(&self) -> Result<String, StoreError> {
        let select = "SELECT secret FROM link_key WHERE one = 1";
        if let Some(row) = sqlx::query(select).fetch_optional(&self.pool).await? {
            return Ok(row.try_get(0)?);
        }
        // Another program may have made one meanwhile; the first stands.
        let insert = sqlx::query("INSERT INTO link_key (one, secret) VALUES (1, $1) ON CONFLICT (one) DO NOTHING");
        insert.bind(code::random::<32>()?).execute(&self.pool).await?;
        Ok(sqlx::query(select).fetch_one(&self.pool).await?.try_get(0)?)
    }
}

async fn other_of(connection: &mut AnyConnection, account_of: &Account) -> Result<Option<Account>, StoreError> {
    let query = "SELECT other_platform, other_workspace, other_person FROM links WHERE platform = $1 AND workspace = $2 AND person = $3";
    let query = sqlx::query(query).bind(account_of.platform.as_str()).bind(&*account_of.workspace).bind(&*account_of.person);
    query.fetch_optional(&mut *connection).await?.as_ref().map(account).transpose()
}

fn seen_from_slack(row: &AnyRow) -> Result<Link, StoreError> {
    let slack = Account { platform: Platform::Slack, workspace: row.try_get(3)?, person: row.try_get(4)? };
    Ok(Link { slack, discord: account(row)?, since_ms: row.try_get(5)? })
}

/// The account in the first three columns.
fn account(row: &AnyRow) -> Result<Account, StoreError> {
    let name: String = row.try_get(0)?;
    let platform = Platform::ALL.into_iter().find(|platform| platform.as_str() == name);
    let platform = platform.ok_or_else(|| StoreError::Broken { what: "account", reason: format!("`{name}` is no platform") })?;
    Ok(Account { platform, workspace: row.try_get(1)?, person: row.try_get(2)? })
}
