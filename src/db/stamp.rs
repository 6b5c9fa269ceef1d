use std::{borrow::Cow, fmt, io::Write as _, time::Duration};

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Timestamp,
    sqlite::Sqlite,
};
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, SchemaFormat,
        schema::{Schema, Type},
    },
};

use super::Backend;

/// A moment in UTC, in whole microseconds: PostgreSQL keeps no more, and both engines must keep the same.
///
/// On SQLite it is text of one length, `2026-11-20 08:15:30.123456`, so that it sorts as time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamp)]
pub struct Stamp(NaiveDateTime);

/// The length of both texts without the `Z`.
const WIDTH: usize = 26;

impl PartialSchema for Stamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment: RFC 3339 in UTC, with microseconds."))
            .examples(["2026-11-20T08:15:30.123456Z"])
            .into()
    }
}

impl ToSchema for Stamp {
    fn name() -> Cow<'static, str> {
        "Timestamp".into()
    }
}

impl Stamp {
    /// The first and the last moment that either engine keeps and the API writes.
    pub const FIRST: Self = Self::at(NaiveDate::from_ymd_opt(1, 1, 1), Some(NaiveTime::MIN));
    pub const LAST: Self = Self::at(
        NaiveDate::from_ymd_opt(9999, 12, 31),
        NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999),
    );

    const fn at(date: Option<NaiveDate>, time: Option<NaiveTime>) -> Self {
        match (date, time) {
            (Some(date), Some(time)) => Self(NaiveDateTime::new(date, time)),
            _ => panic!("no such moment"),
        }
    }

    /// As SQL writes it, without the quotes.
    pub fn sql(self) -> String {
        String::from_utf8_lossy(&self.text(b' ')).into_owned()
    }

    pub fn now() -> Self {
        Self::cut(Utc::now().naive_utc())
    }

    pub fn days_before(self, days: i64) -> Self {
        Self(
            self.0
                .checked_sub_signed(TimeDelta::days(days))
                .unwrap_or(NaiveDateTime::MIN),
        )
    }

    pub fn before(self, time: Duration) -> Self {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        Self(
            self.0
                .checked_sub_signed(time)
                .unwrap_or(NaiveDateTime::MIN),
        )
    }

    /// The moment of that many seconds after the beginning of 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        DateTime::from_timestamp(seconds, 0).map_or(Self::LAST, |moment| Self(moment.naive_utc()))
    }

    /// Whole seconds since the beginning of 1970.
    pub fn seconds(self) -> i64 {
        self.0.and_utc().timestamp()
    }

    /// The year, for rules that speak of the current one.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// Reads RFC 3339 in any offset, and as DRF's `DateTimeField` does also without an offset (UTC), without
    /// seconds, and with a space for the `T`. More than six decimals are cut.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => moment.naive_utc(),
            Err(_) => without_offset(text).or_else(|| without_seconds(text))?,
        };
        (1..=9999)
            .contains(&moment.year())
            .then(|| Self::cut(moment))
    }

    fn cut(moment: NaiveDateTime) -> Self {
        let micros = moment.nanosecond() / 1_000 * 1_000;
        Self(moment.with_nanosecond(micros).unwrap_or(moment))
    }

    /// Writes the digits by hand: a page holds some seventy of them, and chrono's formatter takes
    /// several times as long.
    fn text(self, separator: u8) -> [u8; WIDTH] {
        let mut text = *b"0000-00-00 00:00:00.000000";
        text[10] = separator;
        let moment = self.0;
        digits(&mut text[0..4], moment.year().unsigned_abs());
        digits(&mut text[5..7], moment.month());
        digits(&mut text[8..10], moment.day());
        digits(&mut text[11..13], moment.hour());
        digits(&mut text[14..16], moment.minute());
        digits(&mut text[17..19], moment.second());
        digits(&mut text[20..26], moment.nanosecond() / 1_000);
        text
    }

    /// Reads what [`Stamp::text`] wrote.
    fn from_text(text: &[u8]) -> Option<Self> {
        let text: &[u8; WIDTH] = text.try_into().ok()?;
        let date = NaiveDate::from_ymd_opt(
            number(&text[0..4])?.cast_signed(),
            number(&text[5..7])?,
            number(&text[8..10])?,
        )?;
        date.and_hms_micro_opt(
            number(&text[11..13])?,
            number(&text[14..16])?,
            number(&text[17..19])?,
            number(&text[20..26])?,
        )
        .map(Self)
    }
}

fn digits(out: &mut [u8], mut number: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn number(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    })
}

fn without_offset(text: &str) -> Option<NaiveDateTime> {
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

fn without_seconds(text: &str) -> Option<NaiveDateTime> {
    [
        "%Y-%m-%dT%H:%M%#z",
        "%Y-%m-%d %H:%M%#z",
        "%Y-%m-%d %H:%M:%S%.f%#z",
    ]
    .iter()
    .find_map(|format| DateTime::parse_from_str(text, format).ok())
    .map(|moment| moment.naive_utc())
}

/// As the API writes it: `2026-11-20T08:15:30.123456Z`.
impl fmt::Display for Stamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}Z",
            str::from_utf8(&self.text(b'T')).map_err(|_| fmt::Error)?
        )
    }
}

impl<'de> serde::Deserialize<'de> for Stamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no RFC 3339 time"))
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [b'Z'; WIDTH + 1];
        text[..WIDTH].copy_from_slice(&self.text(b'T'));
        serializer.serialize_str(str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
    }
}

impl FromSql<Timestamp, Sqlite> for Stamp {
    fn from_sql(
        mut value: <Sqlite as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        match Self::from_text(value.read_text().as_bytes()) {
            Some(stamp) => Ok(stamp),
            // Written by another tool, in another of SQLite's forms.
            None => FromSql::<Timestamp, Sqlite>::from_sql(value).map(Self::cut),
        }
    }
}

impl ToSql<Timestamp, Sqlite> for Stamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let mut text = Vec::with_capacity(WIDTH);
        text.write_all(&self.text(b' '))?;
        out.set_value(String::from_utf8(text)?);
        Ok(IsNull::No)
    }
}

#[cfg(feature = "postgres")]
impl FromSql<Timestamp, diesel::pg::Pg> for Stamp {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<Timestamp, diesel::pg::Pg>::from_sql(value).map(Self)
    }
}

#[cfg(feature = "postgres")]
impl ToSql<Timestamp, diesel::pg::Pg> for Stamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::pg::Pg>) -> serialize::Result {
        ToSql::<Timestamp, diesel::pg::Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}

impl FromSql<Timestamp, Backend> for Stamp {
    fn from_sql(
        value: <Backend as diesel::backend::Backend>::RawValue<'_>,
    ) -> deserialize::Result<Self> {
        value.from_sql::<Self, Timestamp>()
    }
}

impl ToSql<Timestamp, Backend> for Stamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Backend>) -> serialize::Result {
        out.set_value((Timestamp, self));
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Stamp::parse(text).map(|stamp| stamp.to_string())
    }

    #[test]
    fn reads_every_offset_and_form() {
        let same = "2026-11-20T08:15:30.123456Z";
        for text in [
            "2026-11-20T08:15:30.123456Z",
            "2026-11-20T08:15:30.123456789Z",
            "2026-11-20t09:15:30.123456+01:00",
            "2026-11-20 03:15:30.123456-05:00",
            "2026-11-20T08:15:30.123456",
            "2026-11-20 08:15:30.123456",
        ] {
            assert_eq!(shown(text).as_deref(), Some(same), "{text}");
        }
        assert_eq!(
            shown("2026-11-20T08:15").as_deref(),
            Some("2026-11-20T08:15:00.000000Z")
        );
        assert_eq!(
            shown("2026-11-20T08:15+01:00").as_deref(),
            Some("2026-11-20T07:15:00.000000Z")
        );
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "20261120T081530Z",
            "2026-11-20",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn its_text_reads_back() {
        let stamp = Stamp::now();
        assert_eq!(Stamp::from_text(&stamp.text(b' ')), Some(stamp));
        assert_eq!(Stamp::parse(&stamp.to_string()), Some(stamp));
    }
}
