//! The fields that a pattern may name.

/// A field of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// `AM` or `PM`; with points.
    HalfOfDay {
        has_points: bool,
    },
    Century,
    DayName,
    DayShort,
    DayOfYear,
    DayOfMonth,
    DayOfWeek,
    IsoDayOfWeek,
    IsoDayOfYear,
    Hour12,
    Hour24,
    IsoWeek,
    /// So many last digits of the year of the ISO week.
    IsoYear(u8),
    Julian,
    Minute,
    Month,
    MonthName,
    MonthShort,
    /// So many digits of the fraction of a second.
    Fraction(u8),
    Offset,
    OffsetHour,
    OffsetMinute,
    Quarter,
    Second,
    SecondOfDay,
    Week,
    WeekOfMonth,
    /// So many last digits of the year.
    Year(u8),
    YearWithComma,
    Zone,
}

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    Upper,
    Capital,
    Lower,
}

/// The names of fields; of two that begin in the same way, the longer one first.
const NAMES: [(&str, Field); 43] = [
    ("A.M.", Field::HalfOfDay { has_points: true }),
    ("P.M.", Field::HalfOfDay { has_points: true }),
    ("AM", Field::HalfOfDay { has_points: false }),
    ("PM", Field::HalfOfDay { has_points: false }),
    ("CC", Field::Century),
    ("DAY", Field::DayName),
    ("DDD", Field::DayOfYear),
    ("DD", Field::DayOfMonth),
    ("DY", Field::DayShort),
    ("D", Field::DayOfWeek),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("HH24", Field::Hour24),
    ("HH12", Field::Hour12),
    ("HH", Field::Hour12),
    ("IDDD", Field::IsoDayOfYear),
    ("ID", Field::IsoDayOfWeek),
    ("IW", Field::IsoWeek),
    ("IYYY", Field::IsoYear(4)),
    ("IYY", Field::IsoYear(3)),
    ("IY", Field::IsoYear(2)),
    ("I", Field::IsoYear(1)),
    ("J", Field::Julian),
    ("MI", Field::Minute),
    ("MM", Field::Month),
    ("MONTH", Field::MonthName),
    ("MON", Field::MonthShort),
    ("MS", Field::Fraction(3)),
    ("OF", Field::Offset),
    ("Q", Field::Quarter),
    ("SSSSS", Field::SecondOfDay),
    ("SSSS", Field::SecondOfDay),
    ("SS", Field::Second),
    ("TZH", Field::OffsetHour),
    ("TZM", Field::OffsetMinute),
    ("TZ", Field::Zone),
    ("US", Field::Fraction(6)),
    ("WW", Field::Week),
    ("W", Field::WeekOfMonth),
];

const YEARS: [(&str, Field); 5] = [
    ("Y,YYY", Field::YearWithComma),
    ("YYYY", Field::Year(4)),
    ("YYY", Field::Year(3)),
    ("YY", Field::Year(2)),
    ("Y", Field::Year(1)),
];

impl Field {
    /// The field at the beginning of a pattern, how its letters are written, and the length of its name.
    pub(super) fn at(pattern: &str) -> Option<(Self, Letters, usize)> {
        NAMES.iter().chain(&YEARS).find_map(|(name, field)| {
            let start = pattern.get(..name.len())?;
            let letters = if start == *name {
                Letters::Upper
            } else if start == name.to_lowercase() {
                Letters::Lower
            } else if field.is_name() && is_capital(start, name) {
                Letters::Capital
            } else {
                return None;
            };
            Some((*field, letters, name.len()))
        })
    }

    fn is_name(self) -> bool {
        matches!(self, Self::DayName | Self::DayShort | Self::MonthName | Self::MonthShort)
    }

    pub(super) fn is_number(self) -> bool {
        !self.is_name() && !matches!(self, Self::HalfOfDay { .. } | Self::Zone | Self::Offset | Self::OffsetHour)
    }
}

fn is_capital(start: &str, name: &str) -> bool {
    match (start.split_at_checked(1), name.split_at_checked(1)) {
        (Some((first, rest)), Some((first_of_name, rest_of_name))) => {
            first == first_of_name && rest == rest_of_name.to_lowercase()
        }
        _ => false,
    }
}
