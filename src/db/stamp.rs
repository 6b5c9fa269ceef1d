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

/// A UTC time with microseconds. PostgreSQL stores no more, and both engines must store the same.
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
    /// The first and the last time that both engines store and the API writes.
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

    /// As in SQL, without the quotes.
    pub fn sql(self) -> String {
        String::from_utf8_lossy(&self.text(b' ')).into_owned()
    }

    pub fn now() -> Self {
        Self::cut(Utc::now().naive_utc())
    }

    pub fn days_before(self, days: i64) -> Self {
        self.earlier_by(TimeDelta::try_days(days).unwrap_or(TimeDelta::MAX))
    }

    pub fn before(self, time: Duration) -> Self {
        self.earlier_by(TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX))
    }

    fn earlier_by(self, time: TimeDelta) -> Self {
        self.0
            .checked_sub_signed(time)
            .map_or(Self::FIRST, |moment| Self(moment).max(Self::FIRST))
    }

    /// The time of a Unix timestamp, or the nearest one that can be stored.
    pub fn from_seconds(seconds: i64) -> Self {
        let beyond = if seconds < 0 { Self::FIRST } else { Self::LAST };
        DateTime::from_timestamp(seconds, 0).map_or(beyond, |moment| {
            Self(moment.naive_utc()).clamp(Self::FIRST, Self::LAST)
        })
    }

    /// The Unix timestamp in whole seconds.
    pub fn seconds(self) -> i64 {
        self.0.and_utc().timestamp()
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// Reads RFC 3339 in any offset and, as DRF's `DateTimeField`, also without an offset (UTC) or with one of hours alone or
    /// without the colon, without seconds, and with a blank for the `T`. Every number but the fraction has its full width,
    /// for `26-11-20` may be a year or a day. More than six decimals are cut.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let date = date(&mut rest)?;
        one_of(&mut rest, b"Tt ")?;
        let time = time(&mut rest)?;
        let offset = offset(&mut rest)?;
        let moment = NaiveDateTime::new(date, time).checked_sub_signed(offset)?;
        let moment = Self(moment);
        (rest.is_empty() && (Self::FIRST..=Self::LAST).contains(&moment)).then_some(moment)
    }

    /// Reads a date, `2026-11-20`, as midnight.
    pub fn parse_date(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let date = date(&mut rest)?;
        rest.is_empty()
            .then(|| Self(NaiveDateTime::new(date, NaiveTime::MIN)))
    }

    fn cut(moment: NaiveDateTime) -> Self {
        let micros = moment.nanosecond() / 1_000 * 1_000;
        Self(moment.with_nanosecond(micros).unwrap_or(moment))
    }

    /// Writes the digits by hand. A page has some seventy times, and chrono's formatter takes several times as long.
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

/// Takes `YYYY-MM-DD`, a day of the years 1 to 9999.
fn date(rest: &mut &[u8]) -> Option<NaiveDate> {
    let year = fixed(rest, 4)?.cast_signed();
    one_of(rest, b"-")?;
    let month = fixed(rest, 2)?;
    one_of(rest, b"-")?;
    let day = fixed(rest, 2)?;
    NaiveDate::from_ymd_opt(year, month, day).filter(|_| year > 0)
}

/// Takes `hh:mm`, with `:ss` and a fraction behind it if they are there.
fn time(rest: &mut &[u8]) -> Option<NaiveTime> {
    let hour = fixed(rest, 2)?;
    one_of(rest, b":")?;
    let minute = fixed(rest, 2)?;
    let (mut second, mut micro) = (0, 0);
    if one_of(rest, b":").is_some() {
        second = fixed(rest, 2)?;
        if one_of(rest, b".").is_some() {
            micro = fraction(rest)?;
        }
    }
    NaiveTime::from_hms_micro_opt(hour, minute, second, micro)
}

/// Takes a fraction of one digit or more, in microseconds.
fn fraction(rest: &mut &[u8]) -> Option<u32> {
    const MICROS: usize = 6;
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (given, behind) = rest.split_at(length);
    *rest = behind;
    let mut micros = [b'0'; MICROS];
    let kept = length.min(MICROS);
    micros[..kept].copy_from_slice(&given[..kept]);
    (length > 0).then(|| number(&micros))?
}

/// Takes `Z`, `+hh:mm`, `+hhmm`, `+hh` or nothing: how far ahead of UTC the time is.
fn offset(rest: &mut &[u8]) -> Option<TimeDelta> {
    if rest.is_empty() || one_of(rest, b"Zz").is_some() {
        return Some(TimeDelta::zero());
    }
    let sign = one_of(rest, b"+-")?;
    let hours = fixed(rest, 2).filter(|hours| *hours < 24)?;
    let colon = one_of(rest, b":").is_some();
    let minutes = if rest.is_empty() && !colon {
        0
    } else {
        fixed(rest, 2).filter(|minutes| *minutes < 60)?
    };
    let ahead = TimeDelta::minutes((hours * 60 + minutes).into());
    Some(if sign == b'-' { -ahead } else { ahead })
}

/// Takes a number of exactly that many digits.
fn fixed(rest: &mut &[u8], width: usize) -> Option<u32> {
    let (digits, behind) = rest.split_at_checked(width)?;
    *rest = behind;
    number(digits)
}

/// Takes one of these characters.
fn one_of(rest: &mut &[u8], characters: &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    characters.contains(first).then(|| {
        *rest = behind;
        *first
    })
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
        for (text, moment) in [
            ("2026-11-20T08:15:30.123456Z", "2026-11-20T08:15:30.123456Z"),
            (
                "2026-11-20T08:15:30.1234569Z",
                "2026-11-20T08:15:30.123456Z",
            ),
            (
                "2026-11-20T08:15:30.123456789123Z",
                "2026-11-20T08:15:30.123456Z",
            ),
            (
                "2026-11-20t09:15:30.123456+01:00",
                "2026-11-20T08:15:30.123456Z",
            ),
            (
                "2026-11-20 03:15:30.123456-05:00",
                "2026-11-20T08:15:30.123456Z",
            ),
            ("2026-11-20T08:15:30.123456", "2026-11-20T08:15:30.123456Z"),
            ("2026-11-20 08:15:30.123456z", "2026-11-20T08:15:30.123456Z"),
            ("2026-11-20T08:15:30.5Z", "2026-11-20T08:15:30.500000Z"),
            ("2026-11-20T08:15", "2026-11-20T08:15:00.000000Z"),
            ("2026-11-20 08:15Z", "2026-11-20T08:15:00.000000Z"),
            ("2026-11-20T08:15+0100", "2026-11-20T07:15:00.000000Z"),
            ("2026-11-20T08:15:30+01", "2026-11-20T07:15:30.000000Z"),
            ("2026-11-20T08:15:30-0330", "2026-11-20T11:45:30.000000Z"),
            ("2026-11-20T08:15:30-00:00", "2026-11-20T08:15:30.000000Z"),
            ("2026-12-31T23:30-01:00", "2027-01-01T00:30:00.000000Z"),
            ("2028-02-29T00:00", "2028-02-29T00:00:00.000000Z"),
            ("0001-01-01T00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(moment), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "yesterday",
            "2026-11-20",
            "26-11-20T08:15",
            "2026-11-2008:15",
            "20261120T081530Z",
            "2026-1-20T08:15",
            "2026-11-2T08:15",
            "2026-11-20T8:15",
            "2026-11-20T08:5",
            "2026-11-20T08:15:3",
            "2026-11-20T08",
            "2026-11-20T08:15:",
            "2026-11-20T08:15:30.",
            "2026-11-20T08:15:30,5",
            "2026-11-20T08:15.5",
            "2026-11-20T08:15:30 +01:00",
            "2026-11-20  08:15",
            "2026-11-20T08:15 ",
            "2026-11-20T08:15:30+1",
            "2026-11-20T08:15:30+01:",
            "2026-11-20T08:15:30+01:0",
            "2026-11-20T08:15:30+24:00",
            "2026-11-20T08:15:30+01:60",
            "2026-11-20T08:15:30Z+01:00",
            "2026-11-20T08:15:30ZZ",
            "2026-11-20T24:00",
            "2026-11-20T08:60",
            "2016-12-31T23:59:60Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "+2026-11-20T08:15:30Z",
            "-026-11-20T08:15:30Z",
            "2026-11-20T-8:15",
            "0001-01-01T00:00+00:01",
            "9999-12-31T23:59:59.999999-00:01",
            "٢٠٢٦-11-20T08:15",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn reads_dates_of_full_width_alone() {
        let day = |text| Stamp::parse_date(text).map(|stamp| stamp.to_string());
        assert_eq!(
            day("2026-11-20").as_deref(),
            Some("2026-11-20T00:00:00.000000Z")
        );
        for text in [
            "",
            "26-11-20",
            "2026-11-2",
            "2026-1-02",
            "2026-11-31",
            "2027-02-29",
            "0000-01-01",
            "20261120",
            "2026/11/20",
            "2026-11-20T",
            " 2026-11-20",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn moments_end_with_the_years_that_are_kept() {
        assert_eq!(
            Stamp::from_seconds(0).to_string(),
            "1970-01-01T00:00:00.000000Z"
        );
        for (seconds, end) in [
            (253_402_300_800, Stamp::LAST),
            (i64::MAX, Stamp::LAST),
            (-62_135_596_801, Stamp::FIRST),
            (i64::MIN, Stamp::FIRST),
        ] {
            assert_eq!(Stamp::from_seconds(seconds), end, "{seconds}");
        }
        assert_eq!(Stamp::now().days_before(i64::MAX), Stamp::FIRST);
        assert_eq!(Stamp::now().before(Duration::MAX), Stamp::FIRST);
        assert_eq!(Stamp::FIRST.days_before(1), Stamp::FIRST);
    }

    #[test]
    fn its_text_reads_back() {
        let stamp = Stamp::now();
        assert_eq!(Stamp::from_text(&stamp.text(b' ')), Some(stamp));
        assert_eq!(Stamp::parse(&stamp.to_string()), Some(stamp));
    }
}
