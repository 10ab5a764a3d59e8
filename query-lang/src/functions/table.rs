//! All rows as one enum.

use super::numbers::numbers;
use super::series::series;
use super::signature::Family as F;
use super::signature::Maturity::{Experimental, Stable};
use super::signature::Origin::{MetricsQl, PromQl};
use super::signature::Times::{Any, AtLeastOnce, Once, Pairs, UpTo};
use super::signature::{Argument, Origin, Signature};
use super::windows::windows;
use crate::operators::ValueType::{InstantVector as V, RangeVector as R, Scalar as S, String as T};

/// Makes the enum, the signatures and the look-up out of one list, so that none can lack a row.
macro_rules! functions {
    (=> $($variant:ident $name:literal $family:ident $origin:ident $maturity:ident
        ($($argument:ident: $type:ident),*) $times:expr, @ $repeats:literal -> $returns:ident,
        $summary:literal, $example:literal => $answer:literal;)*) => {
        /// A function of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Function {
            $(#[doc = $summary] $variant,)*
        }

        impl Function {
            /// All there are, by chapter and name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The function of that name. Names of functions have a case.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// What it takes and gives.
            pub fn signature(self) -> &'static Signature {
                match self {
                    $(Self::$variant => &Signature {
                        name: $name,
                        family: F::$family,
                        origin: $origin,
                        maturity: $maturity,
                        arguments: &[$(Argument {
                            name: stringify!($argument), value_type: $type,
                        }),*],
                        times: $times,
                        repeats: $repeats,
                        returns: $returns,
                        summary: $summary,
                        example: $example,
                        answer: $answer,
                    },)*
                }
            }

            /// The name in the text.
            pub fn name(self) -> &'static str {
                self.signature().name
            }
        }
    };
}

numbers! { windows series functions => }

impl Function {
    /// Other names of functions: the name, and the function it stands for.
    pub const ALIASES: &'static [(&'static str, Self)] = &[
        ("changes_prometheus", Self::Changes),
        ("delta_prometheus", Self::Delta),
        ("holt_winters", Self::DoubleExponentialSmoothing),
        ("increase_prometheus", Self::Increase),
        ("rate_prometheus", Self::Rate),
        ("tfirst_over_time", Self::TsOfFirstOverTime),
        ("tlast_over_time", Self::TsOfLastOverTime),
        ("tmax_over_time", Self::TsOfMaxOverTime),
        ("tmin_over_time", Self::TsOfMinOverTime),
    ];

    /// The function that a name in a text means: Prometheus' alone, or all of them.
    pub(crate) fn meant(name: &str, is_extended: bool) -> Option<Self> {
        let own = Self::named(name);
        if !is_extended {
            return own.filter(|function| function.signature().origin == Origin::PromQl);
        }
        let alias = || Self::ALIASES.iter().find(|(alias, _)| *alias == name);
        own.or_else(|| alias().map(|(_, function)| *function))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::Family;

    #[test]
    fn every_function_is_found_by_its_name_and_stands_in_order() {
        for function in Function::ALL {
            assert_eq!(Function::named(function.name()), Some(*function));
        }
        for family in Family::ALL {
            let names = Function::ALL.iter().map(|function| function.signature());
            assert!(
                names
                    .filter(|signature| signature.family == family)
                    .is_sorted_by_key(|signature| signature.name),
                "{}",
                family.title()
            );
        }
        assert_eq!(Function::named("Rate"), None);
    }

    #[test]
    fn the_number_of_arguments_follows_the_one_that_repeats() {
        let range = |function: Function| {
            let signature = function.signature();
            (signature.arguments_min(), signature.arguments_max())
        };
        assert_eq!(range(Function::Time), (0, Some(0)));
        assert_eq!(range(Function::Clamp), (3, Some(3)));
        assert_eq!(range(Function::Round), (1, Some(2)));
        assert_eq!(range(Function::HistogramQuantiles), (3, Some(12)));
        assert_eq!(range(Function::LabelJoin), (3, None));
        assert_eq!(range(Function::LabelSet), (3, None));
    }

    #[test]
    fn an_argument_in_the_middle_may_repeat() {
        let signature = Function::QuantilesOverTime.signature();
        let types = |count| (0..count).map(|i| signature.argument(i, count)).collect::<Vec<_>>();
        assert_eq!(types(3), [Some(T), Some(S), Some(R)]);
        assert_eq!(types(5), [Some(T), Some(S), Some(S), Some(S), Some(R)]);
        let signature = Function::AggrOverTime.signature();
        assert_eq!([signature.argument(1, 3), signature.argument(2, 3)], [Some(T), Some(R)]);
    }

    #[test]
    fn prometheus_functions_alone_are_meant_where_nothing_is_added() {
        assert_eq!(Function::meant("rate", false), Some(Function::Rate));
        assert_eq!(Function::meant("lag", false), None);
        assert_eq!(Function::meant("lag", true), Some(Function::Lag));
        assert_eq!(Function::meant("rate_prometheus", true), Some(Function::Rate));
    }
}
