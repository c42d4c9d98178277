//! A session: its transaction, its settings, its variables, and how it goes through a batch.

use tokio_postgres::{CancelToken, Client, Config};

use super::answer::{Answer, Transaction};
use super::backend::Backend;
use super::bulk::Bulk;
use super::errors::SqlError;
use super::expressions::quote;
use super::lexer::tokens;
use super::plan::Plan;
use super::requests::Parameter;
use super::server::Shared;
use super::statements::{Statement, parse};
use super::triggers::Fired;
use super::wire::Login;

/// What the server needs in its database, in this order.
const SETUP: [&str; 5] = [
    include_str!("types.sql"),
    include_str!("casts.sql"),
    include_str!("functions.sql"),
    include_str!("rowversion.sql"),
    include_str!("sys.sql"),
];

/// What a statement may ask the session for.
#[derive(Debug, Clone)]
pub struct Globals {
    pub transactions: u32,
    pub rows: u64,
    /// In milliseconds; -1 is for ever.
    pub lock_timeout: i32,
    pub has_min_active_rowversion: bool,
    /// The table whose identity may be given.
    pub identity_insert: Option<String>,
    /// The transaction can only be rolled back.
    pub doomed: bool,
    /// The error that a CATCH is about.
    pub error: Option<SqlError>,
    /// Set where a trigger's body is rewritten.
    pub trigger: Option<Fired>,
}

impl Default for Globals {
    fn default() -> Self {
        Self {
            transactions: 0,
            rows: 0,
            lock_timeout: -1,
            has_min_active_rowversion: true,
            identity_insert: None,
            doomed: false,
            error: None,
            trigger: None,
        }
    }
}

/// What a session does on a failure within a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The statement is undone, the transaction stays (`XACT_ABORT OFF`).
    UndoStatement,
    /// All of it is undone, and the batch ends.
    UndoTransaction,
}

/// Whether the next statement of the batch comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Next,
    End,
    /// A statement of a TRY failed: its CATCH comes.
    Caught,
}

/// A session of a client.
pub struct Session {
    pub backend: Backend,
    pub globals: Globals,
    pub on_error: OnError,
    pub isolation: &'static str,
    pub counts: Counts,
    pub variables: Vec<Parameter>,
    /// Temporary tables that a call made: they go when it ends.
    pub made: Vec<String>,
    /// How many TRYs are open.
    pub tries: u32,
    /// The bulk load that the next message brings.
    pub bulk: Option<Bulk>,
}

/// Whether the client is told how many rows a statement changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Told,
    /// `SET NOCOUNT ON`.
    Untold,
}

/// Makes what the server needs in a database, once.
pub async fn set_up(config: &Config) -> Result<(), SqlError> {
    let mut backend = Backend::connect(config).await?;
    let there = "select from pg_namespace where nspname = 'tsql'";
    if backend.client().query_opt(there, &[]).await?.is_some() {
        return Ok(());
    }
    backend.batch(&format!("begin; {} commit", SETUP.concat())).await
}

impl Session {
    /// For a login that may come in, with the rights of its role.
    pub async fn open(shared: &Shared, login: &Login) -> Result<Self, SqlError> {
        let role = shared.role(&login.user, &login.password)?;
        if !matches!(login.database.as_str(), "" | "master") && login.database != shared.database {
            let message = format!(
                "Cannot open database \"{}\" requested by the login. The login failed.",
                login.database
            );
            return Err(SqlError::new(4060, message));
        }
        let mut backend = Backend::connect(&shared.postgres).await?;
        if let Some(role) = role {
            backend.batch(&format!("set role {}", quote(&role))).await?;
        }
        let globals = Globals {
            has_min_active_rowversion: shared.has_min_active_rowversion(),
            ..Globals::default()
        };
        Ok(Self {
            backend,
            globals,
            on_error: OnError::UndoStatement,
            isolation: "read committed",
            counts: Counts::Told,
            variables: Vec::new(),
            made: Vec::new(),
            tries: 0,
            bulk: None,
        })
    }

    pub fn cancel_token(&self) -> CancelToken {
        self.backend.cancel_token()
    }

    /// What was cancelled may have ended before the last wish to cancel it came: that meets this, and not
    /// the client's next statement.
    pub async fn absorb_cancel(&self) {
        let _ = self.backend.say_nothing().await;
    }

    /// Goes through a batch; what fails is in the answer.
    pub async fn run(&mut self, batch: &str, parameters: Vec<Parameter>, answer: &mut Answer) {
        self.variables = parameters;
        let statements = tokens(batch).and_then(|tokens| parse(&tokens));
        match statements {
            Ok(statements) => {
                self.list(&statements, answer).await;
            }
            Err(error) => self.failed(&error, answer).await,
        }
        for table in std::mem::take(&mut self.made) {
            // A rollback may have taken it already.
            let _ = self.backend.batch(&format!("drop table if exists {table}")).await;
        }
    }

    /// Answers an error, and does to the transaction what it deserves.
    pub async fn failed(&mut self, error: &SqlError, answer: &mut Answer) {
        // Whoever reads of a failed test sees what is missing here; clients hide what servers say.
        if matches!(error.number, 195 | 40000 | 50000) {
            eprintln!("the T-SQL server of the tests: {} {}", error.number, error.message);
        }
        let undo = self.on_error == OnError::UndoTransaction || error.ends_transaction();
        if self.globals.transactions > 0 && undo {
            // PostgreSQL has rolled back already if the connection is lost.
            let _ = self.roll_back().await;
            answer.error(error);
            answer.transaction(Transaction::RolledBack);
            return;
        }
        answer.error(error);
    }

    /// A list of statements, up to the one that ends the batch.
    pub async fn list(&mut self, statements: &[Statement], answer: &mut Answer) -> Flow {
        for statement in statements {
            if answer.is_cancelled() {
                return Flow::End;
            }
            match self.statement(statement, answer).await {
                Flow::Next => {}
                flow => return flow,
            }
        }
        Flow::Next
    }

    async fn statement(&mut self, statement: &Statement, answer: &mut Answer) -> Flow {
        let outcome = match statement {
            Statement::Plain(tokens) => self.plain(tokens, answer).await,
            Statement::Block(statements) => return Box::pin(self.list(statements, answer)).await,
            Statement::If { condition, then, otherwise } => match self.holds(condition).await {
                Ok(true) => return Box::pin(self.statement(then, answer)).await,
                Ok(false) => match otherwise {
                    Some(otherwise) => return Box::pin(self.statement(otherwise, answer)).await,
                    None => Ok(Flow::Next),
                },
                Err(error) => Err(error),
            },
            Statement::While { condition, body } => loop {
                match self.holds(condition).await {
                    Ok(true) if !answer.is_cancelled() => {}
                    Ok(_) => break Ok(Flow::Next),
                    Err(error) => break Err(error),
                }
                match Box::pin(self.statement(body, answer)).await {
                    Flow::Next => {}
                    flow => return flow,
                }
            },
            Statement::Try { body, catch } => return self.tried(body, catch, answer).await,
        };
        match outcome {
            Ok(flow) => flow,
            Err(error) if self.tries > 0 => {
                self.globals.error = Some(error);
                Flow::Caught
            }
            Err(error) => {
                let undo = self.on_error == OnError::UndoTransaction;
                self.failed(&error, answer).await;
                if undo || error.ends_batch() { Flow::End } else { Flow::Next }
            }
        }
    }

    /// `BEGIN TRY … END TRY BEGIN CATCH … END CATCH`.
    async fn tried(
        &mut self,
        body: &[Statement],
        catch: &[Statement],
        answer: &mut Answer,
    ) -> Flow {
        self.tries += 1;
        let flow = Box::pin(self.list(body, answer)).await;
        self.tries -= 1;
        if flow != Flow::Caught {
            return flow;
        }
        let ends = self.globals.error.as_ref().is_some_and(SqlError::ends_transaction);
        self.globals.doomed =
            self.globals.transactions > 0 && (ends || self.on_error == OnError::UndoTransaction);
        let flow = Box::pin(self.list(catch, answer)).await;
        if flow != Flow::Caught {
            self.globals.error = None;
        }
        flow
    }
}

/// What PostgreSQL is asked instead of a batch, for tests of the rewrite.
pub fn rewrite(batch: &str) -> Result<String, SqlError> {
    let statements = parse(&tokens(batch)?)?;
    let mut texts = Vec::new();
    for statement in &statements {
        let Statement::Plain(tokens) = statement else {
            return Err(SqlError::unknown("a conditional statement"));
        };
        texts.push(Plan::of(tokens, &[], &Globals::default())?.text());
    }
    Ok(texts.join(";\n"))
}

/// Does what a batch asks for in a session of PostgreSQL, so that a test sets up its tables.
pub async fn execute(client: &Client, batch: &str) -> Result<(), SqlError> {
    Ok(client.batch_execute(&rewrite(batch)?).await?)
}
