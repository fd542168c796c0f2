//! Days and times as people read them, from milliseconds since 1970.

use crate::zone::Zone;

/// A local time, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The year.
    pub year: i64,
    /// The month, from 1.
    pub month: u32,
    /// The day of the month, from 1.
    pub day: u32,
    /// The weekday; 0 is Sunday.
    pub weekday: usize,
    /// The hour, 0 to 23.
    pub hour: u32,
    /// The minute.
    pub minute: u32,
    /// Days since 1970, to tell whether two moments fall on one day.
    pub day_number: i64,
}

impl Moment {
    /// What the clock on the wall shows at `at` milliseconds since 1970.
    pub fn local(at: u64, zone: &Zone) -> Self {
        let utc = i64::try_from(at / 1_000).unwrap_or(i64::MAX / 2);
        let seconds = utc + i64::from(zone.offset_seconds(utc));
        let day_number = seconds.div_euclid(86_400);
        let minutes = seconds.rem_euclid(86_400) / 60;
        let (year, month, day) = civil(day_number);
        Self {
            year,
            month,
            day,
            weekday: usize::try_from(weekday(day_number)).unwrap_or_default(),
            hour: u32::try_from(minutes / 60).unwrap_or_default(),
            minute: u32::try_from(minutes % 60).unwrap_or_default(),
            day_number,
        }
    }

    /// Hours and minutes, such as `09:05`.
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }
}

/// Year, month and day of a day since 1970, in the Gregorian calendar.
pub fn civil(day_number: i64) -> (i64, u32, u32) {
    // Counted in eras of 400 years that begin on 1 March, so that the leap day is a year's last.
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let small = |number: i64| u32::try_from(number).unwrap_or(1);
    (year, small(month), small(day))
}

/// Days since 1970 of a date in the Gregorian calendar.
pub fn days(year: i64, month: u32, day: u32) -> i64 {
    let month = i64::from(month);
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The weekday of a day since 1970; 0 is Sunday.
pub fn weekday(day_number: i64) -> i64 {
    (day_number + 4).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for (day, date, expected_weekday) in [
            (0, (1970, 1, 1), 4),
            (11_016, (2000, 2, 29), 2),
            (20_515, (2026, 3, 3), 2),
            (-1, (1969, 12, 31), 3),
        ] {
            assert_eq!(civil(day), date);
            assert_eq!(days(date.0, date.1, date.2), day);
            assert_eq!(weekday(day), expected_weekday);
        }
        for day in -1_000..50_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }

    #[test]
    fn times_are_local() {
        let moment = Moment::local(20_515 * 86_400_000 + 65_000 * 1_000, &Zone::default());
        assert_eq!(moment.clock(), "18:03");
        assert_eq!((moment.month, moment.day, moment.weekday), (3, 3, 2));
    }
}
