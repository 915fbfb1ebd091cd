//! Prices, in the smallest unit of their currency, so that nothing is ever rounded.

use crate::field::Errors;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// Cents of a euro, yen of a yen.
    pub minor: i64,
    /// An ISO 4217 code, such as `EUR`.
    pub currency: String,
}

impl Money {
    /// Returns the total of a price per unit and night, unless it overflows.
    pub fn times(&self, units: u32, nights: u32) -> Option<Self> {
        let minor = self.minor.checked_mul(i64::from(units))?.checked_mul(i64::from(nights))?;
        Some(Self { minor, currency: self.currency.clone() })
    }

    /// Rejects amounts and currencies that nothing can be offered at.
    pub(crate) fn check(&self, errors: &mut Errors) {
        let is_currency = self.currency.len() == 3 && self.currency.bytes().all(|letter| letter.is_ascii_uppercase());
        errors.check(self.minor >= 0, "price", "negative", "Use a price of zero or more.");
        errors.check(
            is_currency,
            "currency",
            "not_a_currency",
            "Use the three capital letters of ISO 4217, as in EUR.",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_is_per_unit_and_night() {
        let price = |minor| Money { minor, currency: "EUR".to_owned() };
        assert_eq!(price(12_900).times(2, 3), Some(price(77_400)));
        assert_eq!(price(i64::MAX).times(1, 1), Some(price(i64::MAX)));
        assert_eq!(price(i64::MAX / 2).times(3, 1), None);
        assert_eq!(price(i64::MAX / 2).times(1, 3), None);
    }
}
