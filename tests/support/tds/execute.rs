//! What a session does for each kind of statement.

use super::answer::Answer;
use super::backend::{Prepared, Raw};
use super::bulk::Bulk;
use super::errors::SqlError;
use super::expressions::Rewriter;
use super::lexer::Token::{self, Symbol, Variable};
use super::lexer::{first_words, items};
use super::plan::{Plan, place};
use super::procedures::{self, Call};
use super::requests::Parameter;
use super::session::{Counts, Flow, OnError, Session};
use super::types::SqlType;
use super::{declared, triggers};

impl Session {
    /// One statement, undone as a whole if it fails.
    pub async fn plain(&mut self, tokens: &[Token], answer: &mut Answer) -> Result<Flow, SqlError> {
        match &tokens[0] {
            verb if verb.is_any(&["BEGIN", "COMMIT", "ROLLBACK", "SAVE"]) => {
                return self.transaction(tokens, answer).await;
            }
            verb if verb.is("SET") && !matches!(tokens.get(1), Some(Variable(_))) => {
                return self.set(tokens, answer).await;
            }
            verb if verb.is("RETURN") => return Ok(Flow::End),
            verb if verb.is_any(&["THROW", "RAISERROR"]) => return Err(self.thrown(tokens)?),
            verb if verb.is("PRINT") => return Ok(Flow::Next),
            _ => {}
        }
        let undone = self.on_error == OnError::UndoStatement || self.tries > 0;
        let guarded = self.globals.transactions > 0 && undone;
        if guarded {
            self.backend.batch("savepoint statement").await?;
        }
        let outcome = self.guarded(tokens, answer).await;
        if guarded {
            let end = match outcome {
                Ok(_) => "release statement",
                Err(_) => "rollback to statement; release statement",
            };
            self.backend.batch(end).await?;
        }
        outcome
    }

    async fn guarded(&mut self, tokens: &[Token], answer: &mut Answer) -> Result<Flow, SqlError> {
        match &tokens[0] {
            verb if verb.is("SET") => {
                let (name, value) = match tokens {
                    [_, Variable(name), Symbol("="), value @ ..] => (name, value.to_vec()),
                    [_, Variable(name), Symbol("+="), value @ ..] => {
                        let sum = [&[tokens[1].clone(), Symbol("+")], value].concat();
                        (name, sum)
                    }
                    _ => return Err(SqlError::unknown(&first_words(tokens))),
                };
                self.assign(place(name, &self.variables)?, &value).await?;
            }
            verb if verb.is("DECLARE") => self.declare(&tokens[1..]).await?,
            verb if verb.is_any(&["EXEC", "EXECUTE"]) => {
                return Box::pin(self.procedure(&tokens[1..], answer)).await;
            }
            verb if verb.is("WAITFOR") => self.wait(tokens).await?,
            verb if verb.is("USE") => answer.done(),
            verb if verb.is("INSERT") && tokens.get(1).is_some_and(|token| token.is("BULK")) => {
                self.bulk = Some(Bulk::read(&tokens[2..])?);
                answer.done();
            }
            _ => {
                let plan = Plan::of(tokens, &self.variables, &self.globals)?;
                self.perform(plan, answer).await?;
            }
        }
        Ok(Flow::Next)
    }

    async fn perform(&mut self, plan: Plan, answer: &mut Answer) -> Result<(), SqlError> {
        match plan {
            Plan::Query(prepared) => {
                let rows = self.backend.answer(&prepared, &self.variables, answer).await?;
                self.counted(rows, answer);
            }
            Plan::Assign(prepared, places) => {
                let rows = self.backend.rows(&prepared, &self.variables).await?;
                if let Some(row) = rows.last() {
                    for (column, place) in places.into_iter().enumerate() {
                        let value: Option<Raw<'_>> = row.try_get(column)?;
                        self.variables[place].value = value.map(|raw| raw.0.to_vec());
                    }
                }
                self.globals.rows = rows.len() as u64;
            }
            Plan::Fill(prepared, name) => {
                let rows = self.backend.execute(&prepared, &self.variables).await?;
                self.note_made(Some(name).filter(|name| name.starts_with("\"#")), answer);
                self.counted(rows, answer);
            }
            Plan::Change(change) => {
                let alone = change.before.is_some() && self.globals.transactions == 0;
                if alone {
                    self.backend.batch("begin").await?;
                }
                let outcome = self.change(change, answer).await;
                if alone {
                    let end = if outcome.is_ok() { "commit" } else { "rollback" };
                    self.backend.batch(end).await?;
                }
                self.counted(outcome?, answer);
            }
            Plan::Define(text, made) => {
                self.backend.batch(&text).await?;
                self.backend.forget_tables();
                self.note_made(made, answer);
                answer.done();
            }
        }
        Ok(())
    }

    async fn change(
        &mut self,
        change: super::changes::Change,
        answer: &mut Answer,
    ) -> Result<u64, SqlError> {
        if let Some(before) = change.before {
            self.backend.execute(&before, &self.variables).await?;
        }
        let rows = self.backend.answer(&change.main, &self.variables, answer).await?;
        if let Some(identity) = change.identity {
            let table = identity.replace('\'', "''");
            self.backend.batch(&format!("select tsql.move_identity('{table}')")).await?;
        }
        Ok(rows)
    }

    fn note_made(&mut self, made: Option<String>, answer: &Answer) {
        self.made.extend(made.filter(|_| answer.is_procedure()));
    }

    /// The end of a statement that counts rows.
    pub fn counted(&mut self, rows: u64, answer: &mut Answer) {
        self.globals.rows = rows;
        match self.counts {
            Counts::Told => answer.counted(rows),
            Counts::Untold => answer.done(),
        }
    }

    /// Whether the condition of an IF holds; what is unknown does not.
    pub async fn holds(&mut self, condition: &[Token]) -> Result<bool, SqlError> {
        let mut rewriter = Rewriter::new(&self.variables, self.globals.clone());
        let sql = format!("SELECT ({})::boolean", rewriter.expression(condition)?);
        let prepared = Prepared { sql, used: rewriter.used };
        let rows = self.backend.rows(&prepared, &self.variables).await?;
        Ok(rows[0].get::<_, Option<bool>>(0).unwrap_or(false))
    }

    async fn declare(&mut self, tokens: &[Token]) -> Result<(), SqlError> {
        for item in items(tokens) {
            let (name, kind, value) = declared::variable(item)?;
            self.variables.push(Parameter { name, kind, value: None });
            if let Some(value) = value {
                self.assign(self.variables.len() - 1, value).await?;
            }
        }
        Ok(())
    }

    async fn assign(&mut self, place: usize, value: &[Token]) -> Result<(), SqlError> {
        let mut rewriter = Rewriter::new(&self.variables, self.globals.clone());
        let kind = self.variables[place].kind.postgres();
        let sql = format!("SELECT ({})::{kind}", rewriter.inside(value)?);
        let prepared = Prepared { sql, used: rewriter.used };
        let rows = self.backend.rows(&prepared, &self.variables).await?;
        let value: Option<Raw<'_>> = rows[0].try_get(0)?;
        self.variables[place].value = value.map(|raw| raw.0.to_vec());
        Ok(())
    }

    async fn procedure(&mut self, tokens: &[Token], answer: &mut Answer) -> Result<Flow, SqlError> {
        if let [Symbol("("), text @ .., Symbol(")")] = tokens {
            self.variables.push(Parameter {
                name: String::new(),
                kind: SqlType::NVarChar(None),
                value: None,
            });
            let assigned = self.assign(self.variables.len() - 1, text).await;
            let batch = self.variables.pop().and_then(|variable| variable.value);
            assigned?;
            let batch = String::from_utf8(batch.unwrap_or_default()).unwrap_or_default();
            return self.inner(&batch, Vec::new(), answer).await;
        }
        let call = Call::read(tokens)?;
        let mut rewriter = Rewriter::new(&self.variables, self.globals.clone());
        let sql = match call.name.as_str() {
            "sp_executesql" => return self.nested(&call, answer).await,
            "sp_getapplock" | "sp_releaseapplock" => procedures::lock(&call, &mut rewriter)?,
            _ => procedures::context(tokens, &mut rewriter)?,
        };
        let prepared = Prepared { sql: format!("SELECT {sql}"), used: rewriter.used };
        let rows = self.backend.rows(&prepared, &self.variables).await?;
        if let Some(result) = call.result {
            let place = place(result, &self.variables)?;
            let value: Option<Raw<'_>> = rows[0].try_get(0)?;
            self.variables[place].value = value.map(|raw| raw.0.to_vec());
        }
        answer.done();
        Ok(Flow::Next)
    }

    /// `EXEC sp_executesql @statement, @declaration, values…`: a batch with variables of its own.
    async fn nested(&mut self, call: &Call<'_>, answer: &mut Answer) -> Result<Flow, SqlError> {
        let unknown = || SqlError::unknown("a call of sp_executesql");
        let text = |session: &Self, argument: Option<&[Token]>| match argument {
            Some([Token::Text(text)]) => Ok(Some(text.clone())),
            Some([Variable(name)]) => {
                let value = session.variables[place(name, &session.variables)?].value.clone();
                Ok(value.and_then(|value| String::from_utf8(value).ok()))
            }
            None => Ok(None),
            Some(_) => Err(unknown()),
        };
        let batch = text(self, call.argument("@stmt", 0))?.ok_or_else(unknown)?;
        let declaration = text(self, call.argument("@params", 1))?.unwrap_or_default();
        let mut inner = Vec::new();
        let declaration = super::lexer::tokens(&declaration)?;
        for (item, (_, value)) in items(&declaration).into_iter().zip(call.arguments_from(2)) {
            let (name, kind, _) = declared::variable(item)?;
            self.variables.push(Parameter { name: String::new(), kind, value: None });
            let last = self.variables.len() - 1;
            self.assign(last, value).await?;
            let value = self.variables.pop().and_then(|variable| variable.value);
            inner.push(Parameter { name, kind, value });
        }
        self.inner(&batch, inner, answer).await
    }

    /// A batch within a batch, with variables of its own.
    async fn inner(
        &mut self,
        batch: &str,
        variables: Vec<Parameter>,
        answer: &mut Answer,
    ) -> Result<Flow, SqlError> {
        let statements = super::statements::parse(&super::lexer::tokens(batch)?)?;
        let outer = std::mem::replace(&mut self.variables, variables);
        let flow = self.list(&statements, answer).await;
        self.variables = outer;
        Ok(flow)
    }

    /// `WAITFOR DELAY 'hh:mm:ss'`.
    async fn wait(&mut self, tokens: &[Token]) -> Result<(), SqlError> {
        let [_, delay, Token::Text(clock)] = tokens else {
            return Err(SqlError::unknown(&first_words(tokens)));
        };
        if !delay.is("DELAY") {
            return Err(SqlError::unknown(&first_words(tokens)));
        }
        let clock = clock.replace('\'', "''");
        self.backend.batch(&format!("select pg_sleep_for('{clock}')")).await
    }

    /// The error of a THROW or RAISERROR.
    fn thrown(&self, tokens: &[Token]) -> Result<SqlError, SqlError> {
        if let ([_], Some(error)) = (tokens, &self.globals.error) {
            return Ok(error.clone());
        }
        let (number, message) = triggers::thrown(&tokens[0], &tokens[1..])?;
        let error = SqlError::new(number, message.trim_matches('\'').replace("''", "'"));
        Ok(error)
    }
}
