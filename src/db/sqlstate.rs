//! From PostgreSQL's SQLSTATE to our kinds. The server's own text goes to the log only.

use tokio_postgres::error::SqlState;

use crate::error::Error;

impl From<tokio_postgres::Error> for Error {
    fn from(e: tokio_postgres::Error) -> Self {
        let Some(state) = e.code().cloned() else {
            // No SQLSTATE: the connection broke or could not be made.
            return away().because(e);
        };
        let error = match state {
            SqlState::QUERY_CANCELED => Error::busy(
                "查询耗时过长，已被中止",
                "the query took too long and was stopped",
            )
            .hint("请缩小范围、减少图层或降低 limit 后重试", "ask for a smaller area, fewer layers or a lower limit"),
            // What the parsers in front let pass and no column can hold.
            SqlState::CHARACTER_NOT_IN_REPERTOIRE
            | SqlState::UNTRANSLATABLE_CHARACTER
            | SqlState::DATETIME_FIELD_OVERFLOW
            | SqlState::INVALID_DATETIME_FORMAT
            | SqlState::NUMERIC_VALUE_OUT_OF_RANGE => Error::invalid(
                "request",
                "请求中的某个值无法作为文本、数字或时间保存或比较",
                "a value of the request cannot be kept or compared as the text, number or time it should be",
            ),
            // PostGIS has no SQLSTATE of its own for what PROJ refuses: a place that the asked-for system cannot express.
            SqlState::INTERNAL_ERROR if e.as_db_error().is_some_and(|db| db.message().starts_with("transform:")) => {
                Error::invalid(
                    "crs",
                    "有要素超出该坐标系的适用范围，无法转换",
                    "some features lie where this coordinate system has no coordinates",
                )
                .hint("请换用 EPSG:4490，或用 bbox 缩小范围", "ask for EPSG:4490, or for a smaller area by bbox")
            }
            SqlState::DISK_FULL => {
                Error::busy("服务器存储空间不足，数据未改变", "the server is out of disk space; nothing was changed")
                    .hint("请联系平台管理员", "tell the platform's administrator")
            }
            SqlState::LOCK_NOT_AVAILABLE => {
                Error::busy("数据正被他人修改", "the data is being changed by somebody else")
                    .hint("请稍后重试", "try again in a moment")
            }
            // The latter: what a row names has gone in the meantime, or is still named by another.
            SqlState::UNIQUE_VIOLATION
            | SqlState::FOREIGN_KEY_VIOLATION
            | SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED => {
                Error::conflict("与同时进行的修改冲突", "it conflicts with another change made at the same time")
                    .hint("请刷新后重试", "reload and try again")
            }
            SqlState::TOO_MANY_CONNECTIONS
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN => away(),
            _ => return Error::internal(e),
        };
        error.because(e)
    }
}

fn away() -> Error {
    Error::busy("数据库暂时不可用", "the database is away for the moment").hint("请稍后重试", "try again in a moment")
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(e: deadpool_postgres::PoolError) -> Self {
        match e {
            deadpool_postgres::PoolError::Backend(e) => e.into(),
            deadpool_postgres::PoolError::Timeout(_) => Error::busy("当前请求过多", "too many requests at once")
                .hint("请稍后重试", "try again in a moment")
                .because(e),
            e => away().because(e),
        }
    }
}
