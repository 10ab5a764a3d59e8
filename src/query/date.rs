//! Calendar dates in UTC, from seconds since 1970.
//!
//! Idea: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.

/// A date and a time of day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    /// 0 = Sunday.
    pub weekday: i64,
    /// 1 to 366.
    pub year_day: i64,
}

impl Date {
    /// The date of an instant.
    pub(crate) fn from_unix(seconds: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Years begin in March, so that the leap day is their last; eras are of 400 years.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let year_day =
            if month > 2 { day_of_year + 60 + i64::from(is_leap(year)) } else { day_of_year - 305 };
        Self {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 4).rem_euclid(7),
            year_day: year_day.max(1),
        }
    }

    /// 28 to 31.
    pub(crate) fn days_in_month(self) -> i64 {
        match self.month {
            2 => 28 + i64::from(is_leap(self.year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// `2006-01-02T15:04:05Z`.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let Date { year, month, day, hour, minute, second, .. } = Date::from_unix(seconds);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        assert_eq!(rfc3339(4_102_444_799), "2099-12-31T23:59:59Z");
    }

    #[test]
    fn days_of_the_year_and_week_follow() {
        let date = |seconds| Date::from_unix(seconds);
        assert_eq!((date(0).year_day, date(0).weekday), (1, 4));
        assert_eq!((date(951_782_400).year_day, date(951_782_400).days_in_month()), (60, 29));
        assert_eq!(date(978_220_800).year_day, 366);
        assert_eq!(date(978_307_199).year_day, 366);
        assert_eq!(date(68_256_000).year_day, 61);
    }
}
