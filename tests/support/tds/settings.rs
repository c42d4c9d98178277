//! Transactions and the settings of a session.

use super::answer::{Answer, Transaction};
use super::errors::SqlError;
use super::expressions::{Rewriter, quote, word};
use super::lexer::Token;
use super::lexer::first_words;
use super::query::table;
use super::session::{Counts, Flow, OnError, Session};

/// The level of `SET TRANSACTION ISOLATION LEVEL SNAPSHOT`; PostgreSQL cares not for its case.
const SNAPSHOT: &str = "REPEATABLE READ";

/// Settings that change nothing here.
const PASSED_OVER: &str = "ANSI_NULLS ANSI_PADDING ANSI_WARNINGS ARITHABORT CONCAT_NULL_YIELDS_NULL DATEFORMAT \
     DEADLOCK_PRIORITY NUMERIC_ROUNDABORT QUOTED_IDENTIFIER TEXTSIZE";

impl Session {
    /// BEGIN, COMMIT, ROLLBACK and SAVE.
    pub async fn transaction(
        &mut self,
        tokens: &[Token],
        answer: &mut Answer,
    ) -> Result<Flow, SqlError> {
        let depth = self.globals.transactions;
        match (&tokens[0], depth) {
            (verb, 0) if verb.is("BEGIN") => {
                let begin = format!("begin isolation level {}", self.isolation);
                self.backend.batch(&begin).await?;
                self.allow_snapshot().await?;
                self.globals.transactions = 1;
                answer.transaction(Transaction::Began);
            }
            (verb, _) if verb.is("BEGIN") => self.globals.transactions += 1,
            (verb, 0) => {
                let (number, word) = match verb.is("COMMIT") {
                    true => (3902, "COMMIT"),
                    false => (3903, "ROLLBACK"),
                };
                let message = format!(
                    "The {word} TRANSACTION request has no corresponding BEGIN TRANSACTION."
                );
                return Err(SqlError::new(number, message));
            }
            (verb, _) if verb.is("COMMIT") && self.globals.doomed => {
                return Err(SqlError::new(3930, "The current transaction cannot be committed."));
            }
            (verb, 1) if verb.is("COMMIT") => {
                self.globals.transactions = 0;
                self.backend.batch("commit").await?;
                answer.transaction(Transaction::Committed);
            }
            (verb, _) if verb.is("COMMIT") => self.globals.transactions -= 1,
            (verb, _) if verb.is("ROLLBACK") && tokens.len() < 3 => {
                self.roll_back().await?;
                answer.transaction(Transaction::RolledBack);
            }
            (verb, _) => {
                let name = word(tokens.last(), tokens)?;
                let name = quote(&name);
                let to = if verb.is("SAVE") { "savepoint" } else { "rollback to" };
                self.backend.batch(&format!("{to} {name}")).await?;
            }
        }
        answer.done();
        Ok(Flow::Next)
    }

    /// A snapshot is refused where the database allows none; SQL Server says so a statement later.
    async fn allow_snapshot(&mut self) -> Result<(), SqlError> {
        let allowed = "select allow_snapshot_isolation from tsql.database";
        if self.isolation != SNAPSHOT
            || self.backend.client().query_one(allowed, &[]).await?.get::<_, bool>(0)
        {
            return Ok(());
        }
        self.roll_back().await?;
        Err(SqlError::new(3952, "Snapshot isolation transaction failed accessing the database."))
    }

    /// Undoes the transaction, but not the settings that were made in it.
    pub async fn roll_back(&mut self) -> Result<(), SqlError> {
        self.globals.transactions = 0;
        self.globals.doomed = false;
        self.backend.batch(&format!("rollback; {}", self.lock_timeout())).await
    }

    fn lock_timeout(&self) -> String {
        // PostgreSQL's 0 is for ever, SQL Server's is not at all.
        let milliseconds = match self.globals.lock_timeout {
            ..0 => 0,
            timeout => timeout.max(1),
        };
        format!("set lock_timeout = {milliseconds}")
    }

    /// `SET` of what is no variable.
    pub async fn set(&mut self, tokens: &[Token], answer: &mut Answer) -> Result<Flow, SqlError> {
        let on = tokens.last().is_some_and(|token| token.is("ON"));
        match &tokens[1..] {
            [option, _] if option.is("XACT_ABORT") => {
                self.on_error = if on { OnError::UndoTransaction } else { OnError::UndoStatement };
            }
            [option, _] if option.is("NOCOUNT") => {
                self.counts = if on { Counts::Untold } else { Counts::Told };
            }
            [option, value @ ..] if option.is("LOCK_TIMEOUT") => {
                let timeout = Rewriter::new(&[], self.globals.clone()).expression(value)?;
                self.globals.lock_timeout = timeout.replace(' ', "").parse().unwrap_or(-1);
                self.backend.batch(&self.lock_timeout()).await?;
            }
            [option, rest @ .., _] if option.is("IDENTITY_INSERT") => {
                self.globals.identity_insert = Some(table(rest)?.0).filter(|_| on);
            }
            [option, Token::Bytes(digits)] if option.is("CONTEXT_INFO") => {
                let set = format!("select set_config('tsql.context_info', '{digits}', false)");
                self.backend.batch(&set).await?;
            }
            [first, _, _, level @ ..] if first.is("TRANSACTION") => {
                self.isolation = match level {
                    [level] if level.is("SNAPSHOT") => SNAPSHOT,
                    [level] if level.is("SERIALIZABLE") => "repeatable read",
                    [repeatable, _] if repeatable.is("REPEATABLE") => "repeatable read",
                    _ => "read committed",
                };
            }
            [option, ..] if option.is_in(PASSED_OVER) => {}
            _ => return Err(SqlError::unknown(&first_words(tokens))),
        }
        answer.done();
        Ok(Flow::Next)
    }
}
