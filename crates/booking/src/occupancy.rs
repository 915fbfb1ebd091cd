//! The units of a service in use, night by night.

use chrono::{Days, NaiveDate};

/// The units that one reservation uses, from the night of arrival to the night before departure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    pub arrival: NaiveDate,
    pub departure: NaiveDate,
    pub units: u32,
}

impl Stay {
    pub(crate) fn last_night(&self) -> NaiveDate {
        self.departure.pred_opt().unwrap_or(self.departure)
    }
}

/// The first night on which too few units are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullNight {
    pub date: NaiveDate,
    pub available: u32,
}

/// Units taken on each night from `first` to the one before `end`.
///
/// Visits each stay once, however long it is: adds its units where it begins and subtracts them where it ends.
pub(crate) fn by_night(stays: &[Stay], first: NaiveDate, end: NaiveDate) -> Vec<(NaiveDate, u32)> {
    let nights = usize::try_from((end - first).num_days()).unwrap_or_default();
    let place = |date: NaiveDate| usize::try_from((date - first).num_days()).unwrap_or_default().min(nights);
    let mut begin = vec![0_u32; nights + 1];
    let mut over = vec![0_u32; nights + 1];
    for stay in stays {
        begin[place(stay.arrival)] += stay.units;
        over[place(stay.departure)] += stay.units;
    }
    let mut taken = 0;
    first
        .iter_days()
        .zip(begin.into_iter().zip(over))
        .take(nights)
        .map(|(night, (more, fewer))| {
            taken = taken + more - fewer;
            (night, taken)
        })
        .collect()
}

/// Returns the first night in which another stay does not fit.
#[must_use]
pub fn find_full_night(units: u32, stays: &[Stay], wanted: &Stay) -> Option<FullNight> {
    by_night(stays, wanted.arrival, wanted.departure)
        .into_iter()
        .map(|(date, taken)| FullNight { date, available: units.saturating_sub(taken) })
        .find(|night| night.available < wanted.units)
}

/// The day after, when the calendar has one.
pub(crate) fn day_after(date: NaiveDate) -> NaiveDate {
    date.checked_add_days(Days::new(1)).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn day(number: i64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 12, 1).unwrap() + TimeDelta::days(number)
    }

    fn stay(arrival: i64, departure: i64, units: u32) -> Stay {
        Stay { arrival: day(arrival), departure: day(departure), units }
    }

    #[test]
    fn day_of_departure_is_free() {
        let taken: Vec<u32> = by_night(&[stay(1, 3, 2)], day(0), day(4)).into_iter().map(|(_, units)| units).collect();
        assert_eq!(taken, [0, 2, 2, 0]);
    }

    #[test]
    fn first_night_that_lacks_units_is_named() {
        let stays = [stay(2, 4, 3), stay(3, 5, 2)];
        assert_eq!(find_full_night(5, &stays, &stay(0, 2, 5)), None);
        assert_eq!(find_full_night(5, &stays, &stay(1, 6, 2)), Some(FullNight { date: day(3), available: 0 }));
        assert_eq!(find_full_night(5, &stays, &stay(1, 6, 3)), Some(FullNight { date: day(2), available: 2 }));
        assert_eq!(
            find_full_night(4, &stays, &stay(3, 4, 1)),
            Some(FullNight { date: day(3), available: 0 }),
            "never below 0"
        );
    }

    proptest! {
        #[test]
        fn sweep_agrees_with_counting_night_by_night(
            stays in proptest::collection::vec((-20..40_i64, 1..30_i64, 1..9_u32), 0..40),
            first in -5..20_i64,
            nights in 0..40_i64,
        ) {
            let stays: Vec<Stay> = stays.into_iter().map(|(from, long, units)| stay(from, from + long, units)).collect();
            let naive: Vec<(NaiveDate, u32)> = (first..first + nights)
                .map(day)
                .map(|night| {
                    let there = stays.iter().filter(|stay| stay.arrival <= night && night < stay.departure);
                    (night, there.map(|stay| stay.units).sum())
                })
                .collect();
            prop_assert_eq!(by_night(&stays, day(first), day(first + nights)), naive);
        }
    }
}
