//! Calls of functions.

use super::declared;
use super::errors::SqlError;
use super::expressions::{Rewriter, word};
use super::lexer::Token;
use super::lexer::{first_words, lists};

/// Functions that PostgreSQL has under the same name.
const SAME: &str = "ABS ACOS ASIN ATAN AVG CEILING COALESCE CONCAT CONCAT_WS COS COUNT DENSE_RANK EXP \
     FIRST_VALUE FLOOR LAG LAST_VALUE LEAD LEFT LOWER LTRIM MAX MIN NTILE NULLIF PI POWER RANK \
     REPLACE REVERSE RIGHT ROUND ROW_NUMBER RTRIM SIGN SQRT SUBSTRING TRIM";

/// Functions that another name of PostgreSQL stands for.
const RENAMED: [(&str, &str); 10] = [
    ("CHARINDEX", "tsql.charindex"),
    ("COUNT_BIG", "count"),
    ("ISNULL", "coalesce"),
    ("NCHAR", "chr"),
    ("NEWID", "gen_random_uuid"),
    ("NEWSEQUENTIALID", "gen_random_uuid"),
    ("REPLICATE", "repeat"),
    ("STRING_AGG", "string_agg"),
    ("SUM", "tsql.sum"),
    ("UPPER", "upper"),
];

/// Functions that setup.sql makes, with their names in small letters.
const OWN: &str = "APP_NAME COLLATIONPROPERTY COL_LENGTH CONTEXT_INFO DATABASEPROPERTYEX DATALENGTH DB_ID DB_NAME GETDATE \
     GETUTCDATE HASHBYTES HAS_DBACCESS HAS_PERMS_BY_NAME HOST_NAME ISJSON IS_MEMBER \
     IS_ROLEMEMBER IS_SRVROLEMEMBER LEN MIN_ACTIVE_ROWVERSION OBJECT_ID OBJECT_NAME \
     OBJECT_SCHEMA_NAME ORIGINAL_LOGIN QUOTENAME SCHEMA_ID SCHEMA_NAME SCOPE_IDENTITY \
     SERVERPROPERTY SESSION_CONTEXT SUSER_SNAME SWITCHOFFSET SYSDATETIME SYSDATETIMEOFFSET SYSUTCDATETIME \
     TRIGGER_NESTLEVEL TYPE_NAME USER_NAME";

impl Rewriter<'_> {
    /// A call of the function `name`.
    pub fn call(&mut self, name: &str, arguments: &[&[Token]]) -> Result<String, SqlError> {
        let upper = name.to_ascii_uppercase();
        match (upper.as_str(), arguments) {
            ("CAST" | "TRY_CAST", [argument]) => self.cast(argument),
            ("CONVERT" | "TRY_CONVERT", [kind, value, style @ ..]) => {
                let (kind, rest) = declared::read(kind)?;
                match rest.is_empty() && style.len() < 2 {
                    true => self.converted(value, kind, style.first().copied()),
                    false => Err(SqlError::unknown(&first_words(rest))),
                }
            }
            ("IIF", [condition, yes, no]) => {
                let condition = self.expression(condition)?;
                let (yes, no) = (self.expression(yes)?, self.expression(no)?);
                Ok(format!("CASE WHEN {condition} THEN {yes} ELSE {no} END"))
            }
            ("DATEADD" | "DATEDIFF" | "DATEDIFF_BIG" | "DATEPART", [part, values @ ..]) => {
                let part = word(part.first(), part)?.to_ascii_lowercase();
                let values = self.list(values)?;
                Ok(format!("tsql.{}('{part}', {values})", upper.to_ascii_lowercase()))
            }
            ("XACT_STATE", []) => {
                let open = i32::from(self.globals.transactions > 0);
                Ok(format!("({})::smallint", if self.globals.doomed { -1 } else { open }))
            }
            ("ERROR_NUMBER" | "ERROR_MESSAGE", []) => Ok(match &self.globals.error {
                Some(error) if upper == "ERROR_NUMBER" => format!("{}::int4", error.number),
                Some(error) => format!("'{}'", error.message.replace('\'', "''")),
                None => "NULL".to_owned(),
            }),
            _ => self.plain(name, &upper, arguments),
        }
    }

    fn plain(
        &mut self,
        name: &str,
        upper: &str,
        arguments: &[&[Token]],
    ) -> Result<String, SqlError> {
        let missing = !self.globals.has_min_active_rowversion && upper == "MIN_ACTIVE_ROWVERSION";
        let renamed = RENAMED.iter().find(|(theirs, _)| *theirs == upper);
        let target = match renamed {
            Some((_, ours)) => (*ours).to_owned(),
            None if lists(SAME, upper) => upper.to_ascii_lowercase(),
            None if !missing && lists(OWN, upper) => {
                format!("tsql.{}", upper.to_ascii_lowercase())
            }
            None => {
                let message = format!("'{name}' is not a recognized built-in function name.");
                return Err(SqlError::new(195, message));
            }
        };
        Ok(format!("{target}({})", self.list(arguments)?))
    }

    fn list(&mut self, arguments: &[&[Token]]) -> Result<String, SqlError> {
        let arguments = arguments.iter().map(|argument| self.expression(argument));
        Ok(arguments.collect::<Result<Vec<_>, _>>()?.join(", "))
    }

    fn cast(&mut self, argument: &[Token]) -> Result<String, SqlError> {
        let unknown = || SqlError::unknown(&first_words(argument));
        let at = argument.iter().rposition(|token| token.is("AS")).ok_or_else(unknown)?;
        match declared::read(&argument[at + 1..])? {
            (kind, []) => self.converted(&argument[..at], kind, None),
            (_, rest) => Err(SqlError::unknown(&first_words(rest))),
        }
    }
}
